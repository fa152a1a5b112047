"""A shopper's photo, made out of a catalog picture: to measure what scores mean where no real photos are labeled.

    cut out -> turn, tilt -> lay on a surface with a shadow -> half cover -> light, lens, sensor, JPEG

Phone photos score far lower against a catalog than catalog pictures do among themselves, so whoever wants to know a
search's scores must search with photos like a phone's. Where the background is not plain (a model in a studio), the
whole picture is taken as if photographed off a page. The same dice make the same photo. Nothing here is shared with
training, whose own augmentations the encoder has learned to see through. How near these photos come to real ones is in
docs/bands.md.
"""

import io
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter

Dice = np.random.Generator
Surface = Callable[[Dice, int, int], Image.Image]  # (dice, width, height) -> RGB, what products lie on

# A phone's 3:4, reduced: the detector sees 416 px and the encoder 224.
PHOTO = (480, 640)
# Catalog backgrounds are one color but for JPEG's noise and a soft shadow.
PLAIN = 14
# A cut-out with less of the picture was eaten by its background; one with more stands on none.
CUT_SHARE = (0.05, 0.92)


def shopper_photo(picture: Image.Image, dice: Dice, surface: Surface) -> Image.Image:
    """Returns an RGB photo of what an RGB catalog picture shows, as someone's phone might have caught it."""
    return placed_photo(picture, dice, surface)[0]


def placed_photo(
    picture: Image.Image, dice: Dice, surface: Surface
) -> tuple[Image.Image, tuple[float, float, float, float]]:
    """Returns such a photo and the box of the product in it, in its pixels."""
    cut = cut_out(picture)
    thing = picture.convert("RGBA") if cut is None else cut
    thing = _turned(_scaled(thing, dice), dice)
    sheet = surface(dice, *PHOTO)
    left = round((sheet.width - thing.width) * dice.uniform(0.2, 0.8))
    top = round((sheet.height - thing.height) * dice.uniform(0.2, 0.8))
    _cast_shadow(sheet, thing, (left, top), dice)
    sheet.paste(thing, (left, top), thing)
    if dice.random() < 0.4:
        _cover(sheet, thing.size, (left, top), dice, surface)
    x1, y1, x2, y2 = thing.getbbox() or (0, 0, *thing.size)
    return developed(sheet, dice), (left + x1, top + y1, left + x2, top + y2)


def cut_out(picture: Image.Image) -> Image.Image | None:
    """Returns the product without its plain background as RGBA, cropped to it; None where there is none to take off."""
    pixels = np.asarray(picture.convert("RGB"), np.int16)
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    ground = np.median(border, axis=0)
    is_ground = np.abs(pixels - ground).max(axis=2) <= PLAIN
    if is_ground[[0, -1]].mean() < 0.5 or ground.min() < 128:
        return None
    behind = np.zeros_like(is_ground)
    for axis in (0, 1):  # seen from each of the four sides
        behind |= np.logical_and.accumulate(is_ground, axis=axis)
        behind |= np.flip(np.logical_and.accumulate(np.flip(is_ground, axis), axis=axis), axis)
    if not CUT_SHARE[0] <= 1 - behind.mean() <= CUT_SHARE[1]:
        return None
    alpha = Image.fromarray(np.where(behind, 0, 255).astype(np.uint8)).filter(ImageFilter.MedianFilter(3))
    box = alpha.getbbox()
    if box is None:
        return None
    made = picture.convert("RGB")
    made.putalpha(alpha.filter(ImageFilter.GaussianBlur(0.7)))
    return made.crop(box)


def developed(photo: Image.Image, dice: Dice) -> Image.Image:
    """Returns the photo in poor light through a cheap lens: lamp color, shade, dimness, blur, noise, JPEG."""
    pixels = np.asarray(photo.convert("RGB"), np.float32)
    height, width = pixels.shape[:2]
    lamp = np.array([1.0, dice.uniform(0.93, 1.0), dice.uniform(0.72, 1.08)], np.float32)
    light = dice.uniform(0.45, 1.1) * _shade(dice, width, height)[..., None]
    noise = dice.standard_normal(pixels.shape, np.float32) * np.float32(dice.uniform(1, 9))
    photo = Image.fromarray(np.clip(pixels * lamp * light + noise, 0, 255).astype(np.uint8))
    photo = ImageEnhance.Contrast(photo).enhance(dice.uniform(0.7, 1.2))
    photo = ImageEnhance.Color(photo).enhance(dice.uniform(0.6, 1.2))
    if dice.random() < 0.6:
        photo = photo.filter(ImageFilter.GaussianBlur(dice.uniform(0.4, 2.2)))
    return recompressed(photo, int(dice.integers(30, 85)))


def recompressed(picture: Image.Image, quality: int) -> Image.Image:
    """Returns the picture after a trip through a JPEG file."""
    stream = io.BytesIO()
    picture.convert("RGB").save(stream, "JPEG", quality=quality)
    return Image.open(stream).convert("RGB")


def near_copy(picture: Image.Image, dice: Dice) -> Image.Image:
    """Returns what becomes of a picture on its way through messengers and websites: other size, other JPEG."""
    share = dice.uniform(0.5, 1.4)
    size = (max(32, round(picture.width * share)), max(32, round(picture.height * share)))
    return recompressed(picture.resize(size, Image.Resampling.BICUBIC), int(dice.integers(40, 92)))


def _scaled(thing: Image.Image, dice: Dice) -> Image.Image:
    """At a size between a third of the photo and all of it."""
    share = dice.uniform(0.4, 0.85) * min(PHOTO[0] / thing.width, PHOTO[1] / thing.height)
    return thing.resize((max(16, round(thing.width * share)), max(16, round(thing.height * share))))


def _turned(thing: Image.Image, dice: Dice) -> Image.Image:
    """Held askew and seen from the side; mirrored half of the time, as the other shoe of a pair is."""
    if dice.random() < 0.5:
        thing = thing.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    width, height = thing.size
    moves = dice.uniform(-0.12, 0.12, 8) * np.tile([width, height], 4)
    corners = np.array([0, 0, 0, height, width, height, width, 0], float) + moves
    padded = Image.new("RGBA", thing.size, (0, 0, 0, 0))
    padded.paste(thing, (0, 0))
    tilted = padded.transform(thing.size, Image.Transform.QUAD, tuple(corners), Image.Resampling.BILINEAR)
    return tilted.rotate(dice.normal(0, 12), Image.Resampling.BILINEAR, expand=True)


def _cast_shadow(sheet: Image.Image, thing: Image.Image, at: tuple[int, int], dice: Dice) -> None:
    dark = thing.getchannel("A").point(lambda value: round(value * 0.45)).filter(ImageFilter.GaussianBlur(8))
    offset = dice.integers(-14, 15, 2)
    sheet.paste((20, 18, 16), (at[0] + int(offset[0]), at[1] + int(offset[1])), dark)


def _cover(sheet: Image.Image, size: tuple[int, int], at: tuple[int, int], dice: Dice, surface: Surface) -> None:
    """Something lies over a corner: up to a third of each side."""
    width, height = (max(4, round(side * dice.uniform(0.1, 0.33))) for side in size)
    left = at[0] + int(dice.choice([0, size[0] - width]))
    top = at[1] + int(dice.choice([0, size[1] - height]))
    sheet.paste(surface(dice, width, height), (left, top))


def _shade(dice: Dice, width: int, height: int) -> NDArray[np.float32]:
    """(height, width) float32 around 1: light that falls from one side."""
    corners = dice.uniform(0.75, 1.2, (2, 2)).astype(np.float32)
    return np.asarray(Image.fromarray(corners).resize((width, height), Image.Resampling.BILINEAR))
