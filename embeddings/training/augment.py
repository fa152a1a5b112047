"""Makes a phone photo's crop out of a catalog picture: other background, other light, other lens, other framing.

A shopper's photo differs from the catalog's by all of these at once, so they are drawn at once. Everything takes a
numpy Generator: the same seed makes the same pictures.
"""

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

WHITE = 236  # catalog backgrounds are 240 to 255 after JPEG; products that pale are kept whole by `cutout`'s limits
CUTOUT_SHARE = (0.08, 0.9)  # less is a product eaten by its background, more is a picture without one


def cutout(image: Image.Image) -> Image.Image | None:
    """Returns the product without its white background as RGBA, cropped to it; None where there is none."""
    found = cutout_and_place(image)
    return found and found[0]


def cutout_and_place(image: Image.Image) -> tuple[Image.Image, tuple[int, int, int, int]] | None:
    """Returns the `cutout`, and which box of the picture it is."""
    pale = np.asarray(image.convert("RGB")).min(axis=2) >= WHITE
    behind = np.zeros_like(pale)
    for axis in (0, 1):
        behind |= np.logical_and.accumulate(pale, axis=axis)
        behind |= np.flip(np.logical_and.accumulate(np.flip(pale, axis), axis=axis), axis)
    share = 1 - behind.mean()
    if not CUTOUT_SHARE[0] <= share <= CUTOUT_SHARE[1]:
        return None
    alpha = Image.fromarray(np.where(behind, 0, 255).astype(np.uint8)).filter(ImageFilter.MedianFilter(3))
    box = alpha.getbbox()
    if box is None:
        return None
    made = image.convert("RGB")
    made.putalpha(alpha.filter(ImageFilter.GaussianBlur(0.6)))
    return made.crop(box), box


def trimmed(image: Image.Image, *, margin: float = 0.05) -> Image.Image:
    """Returns the picture without its white border, as a detector would crop it."""
    ink = np.asarray(image.convert("RGB")).min(axis=2) < WHITE
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    if rows.size < 8 or columns.size < 8:
        return image
    return framed(image, (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1), margins=(margin,) * 4)


def framed(
    image: Image.Image, box: Sequence[float], *, margins: Sequence[float] = (0.05, 0.05, 0.05, 0.05)
) -> Image.Image:
    """Returns the crop of `box` (xyxy) grown by margins (left, top, right, bottom, as shares of its sides)."""
    x1, y1, x2, y2 = box
    width, height = x2 - x1, y2 - y1
    left, top = max(0, round(x1 - margins[0] * width)), max(0, round(y1 - margins[1] * height))
    right = min(image.width, round(x2 + margins[2] * width))
    bottom = min(image.height, round(y2 + margins[3] * height))
    return image.crop((left, top, max(right, left + 2), max(bottom, top + 2)))


def phone_photo(image: Image.Image, dice: np.random.Generator, backgrounds: Sequence[Image.Image]) -> Image.Image:
    """Returns the picture's product as a phone might have caught it: pasted on a background where it can be cut out."""
    return developed(placed(image, dice, backgrounds), dice)


def placed(image: Image.Image, dice: np.random.Generator, backgrounds: Sequence[Image.Image]) -> Image.Image:
    """Returns the picture's product somewhere else, loosely framed and still in the studio's light."""
    cut = cutout(image)
    if cut is None or not backgrounds:
        return jittered(trimmed(image), dice)
    product = _turned(cut, dice)
    width, height = product.size
    sheet = _background(
        backgrounds[int(dice.integers(len(backgrounds)))], (round(width * 1.5), round(height * 1.5)), dice
    )
    left, top = round(width * 0.25), round(height * 0.25)
    sheet.paste(product, (left, top), product)
    box = product.getchannel("A").getbbox() or (0, 0, width, height)
    place = (box[0] + left, box[1] + top, box[2] + left, box[3] + top)
    return framed(sheet, place, margins=dice.uniform(-0.06, 0.15, 4).tolist())


def jittered(image: Image.Image, dice: np.random.Generator, *, by: float = 0.1) -> Image.Image:
    """Returns the picture with up to `by` of each side cut off, and mirrored half of the time."""
    left, top, right, bottom = dice.uniform(0, by, 4)
    w, h = image.size
    made = image.crop((round(left * w), round(top * h), round(w - right * w), round(h - bottom * h)))
    return made.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if dice.random() < 0.5 else made


def developed(image: Image.Image, dice: np.random.Generator, *, strength: float = 1.0) -> Image.Image:
    """Returns the picture in other light through another lens: exposure, lamp color, blur, few pixels, JPEG."""
    image = image.convert("RGB")
    for enhance, spread in ((ImageEnhance.Brightness, 0.3), (ImageEnhance.Contrast, 0.25), (ImageEnhance.Color, 0.25)):
        image = enhance(image).enhance(float(dice.uniform(1 - spread * strength, 1 + spread * strength)))
    lamp = 1 + strength * dice.uniform(-0.1, 0.1) * np.array([1.0, 0.15, -1.0])
    tables = [np.clip(np.arange(256) * gain, 0, 255).astype(np.uint8) for gain in lamp]
    image = image.point(np.concatenate(tables).tolist())
    if dice.random() < 0.4 * strength:
        image = image.filter(ImageFilter.GaussianBlur(float(dice.uniform(0.3, 1.4))))
    if dice.random() < 0.5 * strength:
        small = float(dice.uniform(0.45, 0.9))
        size = image.size
        image = image.resize(
            (max(16, round(size[0] * small)), max(16, round(size[1] * small))), Image.Resampling.BILINEAR
        )
        image = image.resize(size, Image.Resampling.BILINEAR)
    if dice.random() < 0.7 * strength:
        stream = io.BytesIO()
        image.save(stream, "JPEG", quality=int(dice.integers(35, 90)))
        image = Image.open(stream).convert("RGB")
    return image


def _turned(cut: Image.Image, dice: np.random.Generator) -> Image.Image:
    """Mirrors half of the time, leans, and looks from the side."""
    if dice.random() < 0.5:
        cut = cut.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    w, h = cut.size
    pad = round(0.12 * max(w, h))
    sheet = Image.new("RGBA", (w + 2 * pad, h + 2 * pad), (255, 255, 255, 0))
    sheet.paste(cut, (pad, pad))
    w, h = sheet.size
    moves = dice.uniform(-0.07, 0.07, 8) * np.tile([w, h], 4)
    corners = np.array([0, 0, 0, h, w, h, w, 0], float) + moves
    sheet = sheet.transform((w, h), Image.Transform.QUAD, tuple(corners), Image.Resampling.BILINEAR)
    return sheet.rotate(float(dice.normal(0, 6)), Image.Resampling.BILINEAR)


def _background(photo: Image.Image, size: tuple[int, int], dice: np.random.Generator) -> Image.Image:
    """Returns a piece of the photo at `size`."""
    share = dice.uniform(0.3, 0.9)
    w, h = max(8, round(photo.width * share)), max(8, round(photo.height * share))
    left, top = int(dice.integers(photo.width - w + 1)), int(dice.integers(photo.height - h + 1))
    piece = photo.crop((left, top, left + w, top + h)).resize(size, Image.Resampling.BILINEAR)
    return piece.filter(ImageFilter.GaussianBlur(float(dice.uniform(0, 2))))
