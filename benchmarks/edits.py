"""What people do to a picture before they pass it on: the edits that a search for copies has to see through."""

import io
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont, ImageOps

Random = np.random.Generator
Edit = Callable[[Image.Image, Random], Image.Image]


def saved_as(format: str, quality: int) -> Edit:
    def edit(image: Image.Image, random: Random) -> Image.Image:
        file = io.BytesIO()
        image.save(file, format, quality=quality)
        return Image.open(io.BytesIO(file.getvalue())).convert("RGB")

    return edit


def resized(scale: float) -> Edit:
    def edit(image: Image.Image, random: Random) -> Image.Image:
        size = (max(16, round(image.width * scale)), max(16, round(image.height * scale)))
        return image.resize(size, Image.Resampling.LANCZOS)

    return edit


def cropped(share: float) -> Edit:
    """Cuts this share off each side's length, split at random between its two ends."""

    def edit(image: Image.Image, random: Random) -> Image.Image:
        width, height = round(image.width * (1 - share)), round(image.height * (1 - share))
        left = round(random.uniform(0, image.width - width))
        top = round(random.uniform(0, image.height - height))
        return image.crop((left, top, left + width, top + height))

    return edit


def turned(way: Image.Transpose) -> Edit:
    return lambda image, random: image.transpose(way)


def gray(image: Image.Image, random: Random) -> Image.Image:
    return image.convert("L").convert("RGB")


def brighter_or_darker(image: Image.Image, random: Random) -> Image.Image:
    return ImageEnhance.Brightness(image).enhance(float(random.choice([0.7, 1.3])))


def more_or_less_contrast(image: Image.Image, random: Random) -> Image.Image:
    return ImageEnhance.Contrast(image).enhance(float(random.choice([0.7, 1.4])))


def recolored(image: Image.Image, random: Random) -> Image.Image:
    """Turns every hue by a quarter to three quarters of the circle."""
    hue, saturation, value = image.convert("HSV").split()
    turn = int(random.integers(64, 192))
    hue = hue.point([(level + turn) % 256 for level in range(256)])
    return Image.merge("HSV", (hue, saturation, value)).convert("RGB")


def captioned(image: Image.Image, random: Random) -> Image.Image:
    bar = max(18, image.height * 15 // 100)
    canvas = Image.new("RGB", (image.width, image.height + bar), "black")
    canvas.paste(image)
    write(canvas, (6, image.height + bar // 5), "SALE -50% only today", "white", bar * 0.5)
    return canvas


def written_on(image: Image.Image, random: Random) -> Image.Image:
    canvas = image.copy()
    at = (image.width // 10, round(image.height * random.uniform(0.1, 0.8)))
    write(canvas, at, "www.shop.example", (200, 30, 30), image.width / 8)
    return canvas


def bordered(image: Image.Image, random: Random) -> Image.Image:
    return ImageOps.expand(image, border=max(4, image.width * 4 // 100), fill=(30, 30, 30))


def padded_to_square(image: Image.Image, random: Random) -> Image.Image:
    side = max(image.size) * 11 // 10
    canvas = Image.new("RGB", (side, side), "white")
    canvas.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
    return canvas


def screenshot(image: Image.Image, random: Random) -> Image.Image:
    """The picture in a phone's shop app: status bar above, title, price and button below."""
    width, height = image.width * 13 // 10, image.height * 19 // 10
    canvas = Image.new("RGB", (width, height), (245, 245, 247))
    draw = ImageDraw.Draw(canvas)
    draw.rectangle((0, 0, width, height // 12), fill=(30, 30, 34))
    write(canvas, (8, height // 40), "12:41", "white", max(8, height / 40))
    top = height // 8
    canvas.paste(image, ((width - image.width) // 2, top))
    for line in range(4):
        y = top + image.height + height // 30 + line * height // 24
        draw.rectangle((width // 12, y, width * (11 - 2 * line) // 12, y + height // 60), fill=(120, 120, 128))
    draw.rectangle((width // 6, height - height // 10, width * 5 // 6, height - height // 30), fill=(255, 90, 30))
    return canvas


def mirrored_crop(image: Image.Image, random: Random) -> Image.Image:
    return cropped(0.15)(image.transpose(Image.Transpose.FLIP_LEFT_RIGHT), random)


def in_a_page(image: Image.Image, random: Random) -> Image.Image:
    """The picture as a small part of a wide web page: about a twelfth of it, beside bars of text."""
    width, height = image.width * 4, image.height * 3
    canvas = Image.new("RGB", (width, height), (250, 250, 250))
    draw = ImageDraw.Draw(canvas)
    draw.rectangle((0, 0, width, height // 14), fill=(40, 60, 110))
    left, top = round(random.uniform(0.1, 0.6) * width), round(random.uniform(0.15, 0.5) * height)
    for line in range(14):
        y = height // 8 + line * height // 18
        draw.rectangle(
            (width // 30, y, width // 30 + width * (3 + line % 4) // 12, y + height // 90), fill=(150, 150, 158)
        )
    draw.rectangle((left - 12, top - 12, left + image.width + 12, top + image.height + 60), fill="white")
    canvas.paste(image, (left, top))
    return canvas


def blurred(image: Image.Image, random: Random) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(image.width / 150))


def noisy(image: Image.Image, random: Random) -> Image.Image:
    pixels = np.asarray(image, dtype=np.float32) + random.normal(0, 12, (image.height, image.width, 3))
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def sharpened(image: Image.Image, random: Random) -> Image.Image:
    return image.filter(ImageFilter.UnsharpMask(2, 180, 2))


def write(canvas: Image.Image, at: tuple[int, int], text: str, color: str | tuple[int, int, int], size: float) -> None:
    ImageDraw.Draw(canvas).text(at, text, fill=color, font=ImageFont.load_default(size))


EDITS: dict[str, Edit] = {
    "WebP": saved_as("WEBP", 75),
    "JPEG, quality 60": saved_as("JPEG", 60),
    "JPEG, quality 30": saved_as("JPEG", 30),
    "half the size": resized(0.5),
    "a quarter of the size": resized(0.25),
    "crop 5 %": cropped(0.05),
    "crop 10 %": cropped(0.10),
    "crop 20 %": cropped(0.20),
    "crop 40 %": cropped(0.40),
    "mirrored": turned(Image.Transpose.FLIP_LEFT_RIGHT),
    "turned by 90 degrees": turned(Image.Transpose.ROTATE_90),
    "gray": gray,
    "brightness": brighter_or_darker,
    "contrast": more_or_less_contrast,
    "recolored": recolored,
    "caption bar": captioned,
    "text over it": written_on,
    "border": bordered,
    "padded to a square": padded_to_square,
    "blurred": blurred,
    "noise": noisy,
    "sharpened": sharpened,
    "screenshot": screenshot,
    "crop 15 %, mirrored": mirrored_crop,
    "small on a web page": in_a_page,
}
