"""Bad phone photos of held-out products: what an encoder must see through, in ways that training never showed it.

A product is cut from its catalog photo, put onto a street photo, photographed badly, and cropped to it by a box that is
off by a little, as detectors and shoppers are. Nothing of what spoils the picture is used in training (`augment`,
`shaken`) in this form, and the street photos must be others too:

    barrel       the lens bends the picture outward
    occlusion    a strip of another street photo hides up to a quarter of the product from one side
    shadow       a soft edge across it, darker on one side
    glare        a pale spot of light
    gamma        too dark or too bright along a curve, and a vignette; training only scales brightness
    motion       the hand moves in one direction; training blurs evenly and along bows
    noise        grain of a small sensor, more in the light, some in the dark
    webp         a messenger's compression at quality 20 to 50; training knows JPEG's

It measures robustness and is no evidence of more: query and answer are made from one photo. `views` decides what ships.
"""

import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from embeddings.training.augment import cutout_and_place, framed
from embeddings.training.crops import Box
from embeddings.training.dataset import Picture
from shop_search.errors import InputError

SEED = 700_000
SIDE = 640  # of the street photo's longer side: products are then as large as in a photo taken of them
SHARE = (0.45, 0.8)  # of the photo's sides that the product takes at most
OFF = 0.1  # how far each side of the box may be off, in shares of the product's sides
CHANCE = {"occlusion": 0.5, "shadow": 0.5, "glare": 0.3, "motion": 0.5, "noise": 0.7}  # the others: always

Pixels = NDArray[np.float32]  # (height, width, 3), in [0, 1]


@dataclass(frozen=True, slots=True)
class Spoiled:
    """One query: which picture it was made of, and the crop."""

    index: int
    image: Image.Image


def read_streets(folder: Path) -> list[Image.Image]:
    """Returns the folder's photos. Raises InputError when there are none, or they are what training used."""
    if folder.resolve().name == "train":
        raise InputError(
            "backgrounds_trained_on", f"{folder} is for training. Name the folder of street photos held out from it."
        )
    paths = sorted(folder.glob("*.jpg"))
    if not paths:
        raise InputError("backgrounds_missing", f"There is no *.jpg in {folder}.")
    return [Image.open(path).convert("RGB") for path in paths]


def spoiled(
    pictures: Sequence[Picture], boxes: Mapping[str, Box | None], streets: Sequence[Image.Image], *, seed: int = SEED
) -> Iterator[Spoiled]:
    """Yields a bad photo of each held-out picture whose product can be cut out.

    The seed and the product decide what it looks like. `boxes` says, by file, which part of the picture is for sale: a
    shirt is worn by somebody in trousers.
    """
    for index, picture in enumerate(pictures):
        if not picture.held_out:
            continue
        with Image.open(picture.path) as image:
            found = cutout_and_place(image.convert("RGB"))
        if found is not None:
            cut, (x, y, *_) = found
            x1, y1, x2, y2 = boxes[str(picture.path)] or (x, y, x + cut.width, y + cut.height)
            own = int.from_bytes(hashlib.sha256(picture.product.encode()).digest()[:4])
            dice = np.random.default_rng((seed, own))
            yield Spoiled(index, photograph(cut, (x1 - x, y1 - y, x2 - x, y2 - y), streets, dice))


def photograph(cut: Image.Image, sold: Box, streets: Sequence[Image.Image], dice: np.random.Generator) -> Image.Image:
    """Returns the crop, to the box `sold` of the cut-out (RGBA), of a bad photo of it."""
    street = streets[int(dice.integers(len(streets)))]
    grown = SIDE / max(street.size)
    photo = street.resize((round(street.width * grown), round(street.height * grown)), Image.Resampling.BICUBIC)
    share = float(dice.uniform(*SHARE))
    scale = min(photo.width * share / cut.width, photo.height * share / cut.height)
    width, height = max(16, round(cut.width * scale)), max(16, round(cut.height * scale))
    left, top = int(dice.integers(photo.width - width + 1)), int(dice.integers(photo.height - height + 1))
    product = cut.resize((width, height), Image.Resampling.BICUBIC)
    photo.paste(product, (left, top), product)
    x1, y1, x2, y2 = (round(value * scale) for value in sold)
    box = (left + x1, top + y1, max(left + x2, left + x1 + 8), max(top + y2, top + y1 + 8))
    if dice.random() < CHANCE["occlusion"]:
        occlude(photo, box, streets[int(dice.integers(len(streets)))], dice)
    # The rest happens to a window around the product: as if it was in the middle of the photo, and much faster.
    window = framed(photo, box, margins=(0.3,) * 4)
    corner = (max(0, round(box[0] - 0.3 * (box[2] - box[0]))), max(0, round(box[1] - 0.3 * (box[3] - box[1]))))
    inside = (box[0] - corner[0], box[1] - corner[1], box[2] - corner[0], box[3] - corner[1])
    bend = float(dice.uniform(0.04, 0.14))
    pixels = barrel(np.asarray(np.asarray(window) / 255, np.float32), bend)
    if dice.random() < CHANCE["shadow"]:
        pixels = shadow(pixels, dice)
    if dice.random() < CHANCE["glare"]:
        pixels = glare(pixels, dice)
    pixels = gamma(pixels, dice)
    if dice.random() < CHANCE["motion"]:
        pixels = motion(pixels, dice)
    if dice.random() < CHANCE["noise"]:
        pixels = noise(pixels, dice)
    made = Image.fromarray((np.clip(pixels, 0, 1) * 255).round().astype(np.uint8))
    return webp(framed(made, bent(inside, made.size, bend), margins=dice.uniform(-OFF, OFF, 4).tolist()), dice)


def occlude(photo: Image.Image, box: tuple[int, int, int, int], other: Image.Image, dice: np.random.Generator) -> None:
    """Hides 8 to 25 % of the box from one side behind a strip of another photo, in place."""
    x1, y1, x2, y2 = box
    share = float(dice.uniform(0.08, 0.25))
    width, height = round((x2 - x1) * share), round((y2 - y1) * share)
    strips = ((x1, y1, x1 + width, y2), (x2 - width, y1, x2, y2), (x1, y1, x2, y1 + height), (x1, y2 - height, x2, y2))
    strip = strips[int(dice.integers(4))]
    size = (max(1, strip[2] - strip[0]), max(1, strip[3] - strip[1]))
    mask = Image.new("L", size, 255).rotate(float(dice.uniform(-12, 12)))
    photo.paste(other.resize(size), strip[:2], mask.filter(ImageFilter.GaussianBlur(1)))


def barrel(pixels: Pixels, strength: float) -> Pixels:
    """Bends straight lines outward; the corners move by `strength` of half the diagonal."""
    height, width = pixels.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    u, v = (x - width / 2) / (width / 2), (y - height / 2) / (height / 2)
    grown = 1 - strength + strength * (u**2 + v**2) / 2
    columns = np.clip(u * grown * width / 2 + width / 2, 0, width - 1.001)
    rows = np.clip(v * grown * height / 2 + height / 2, 0, height - 1.001)
    left, top = columns.astype(int), rows.astype(int)
    right, down = (columns - left)[..., None], (rows - top)[..., None]
    upper = pixels[top, left] * (1 - right) + pixels[top, left + 1] * right
    lower = pixels[top + 1, left] * (1 - right) + pixels[top + 1, left + 1] * right
    return np.asarray(upper * (1 - down) + lower * down, np.float32)


def bent(box: Box, size: tuple[int, int], strength: float) -> Box:
    """Returns where `barrel` puts a box of a picture of (width, height): its sides where they cross the middle."""
    out = np.linspace(-1.5, 1.5, 1501)
    before = out * (1 - strength + strength * out**2 / 2)  # rises everywhere: the strength is below .6
    x1, y1, x2, y2 = (
        float(np.interp(value / half - 1, before, out) + 1) * half
        for value, half in zip(box, (size[0] / 2, size[1] / 2) * 2, strict=True)
    )
    return (x1, y1, x2, y2)


def shadow(pixels: Pixels, dice: np.random.Generator) -> Pixels:
    """Darkens one side of a line through the middle half to 35 to 70 %, with a soft edge."""
    along = _along(pixels, dice) - dice.uniform(-0.25, 0.25)
    lit = 1 / (1 + np.exp(-along * dice.uniform(12, 60)))
    dark = dice.uniform(0.35, 0.7)
    return np.asarray(pixels * (dark + (1 - dark) * lit)[..., None], np.float32)


def glare(pixels: Pixels, dice: np.random.Generator) -> Pixels:
    """Mixes a round pale spot in, by up to 70 %."""
    height, width = pixels.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    center = dice.uniform(0.25, 0.75, 2) * (height, width)
    radius = dice.uniform(0.12, 0.25) * max(height, width)
    spot = np.exp(-((y - center[0]) ** 2 + (x - center[1]) ** 2) / (2 * radius**2)) * dice.uniform(0.35, 0.7)
    return np.asarray(pixels * (1 - spot[..., None]) + spot[..., None], np.float32)


def gamma(pixels: Pixels, dice: np.random.Generator) -> Pixels:
    """Bends the tone curve by a power of 0.55 to 1.8, and darkens the corners by up to 35 %."""
    height, width = pixels.shape[:2]
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    corners = 1 - dice.uniform(0, 0.35) * (x**2 + y**2) / 2
    power = np.exp(dice.uniform(np.log(0.55), np.log(1.8)))
    return np.asarray(np.clip(pixels, 0, 1) ** power * corners[..., None], np.float32)


def motion(pixels: Pixels, dice: np.random.Generator) -> Pixels:
    """Smears along one direction by 2 to 5 % of the longer side."""
    length = max(pixels.shape) * dice.uniform(0.02, 0.05)
    angle = dice.uniform(0, np.pi)
    steps = max(3, round(length))
    made = np.zeros_like(pixels)
    for step in np.linspace(-length / 2, length / 2, steps):
        moved = np.roll(pixels, (round(step * np.sin(angle)), round(step * np.cos(angle))), axis=(0, 1))
        made += moved / steps
    return made


def noise(pixels: Pixels, dice: np.random.Generator) -> Pixels:
    """Adds grain: its variance grows with the light, over a floor."""
    strength, floor = dice.uniform(0.02, 0.09), dice.uniform(0.005, 0.03)
    spread = np.sqrt(strength**2 * np.clip(pixels, 0, 1) + floor**2)
    return np.asarray(pixels + dice.normal(size=pixels.shape) * spread, np.float32)


def webp(image: Image.Image, dice: np.random.Generator) -> Image.Image:
    """Compresses the picture and opens it again."""
    stream = io.BytesIO()
    image.save(stream, "WEBP", quality=int(dice.integers(20, 51)))
    return Image.open(stream).convert("RGB")


def _along(pixels: Pixels, dice: np.random.Generator) -> NDArray[np.float64]:
    """Returns (height, width): how far each pixel lies along a random direction, in about -1 to 1."""
    height, width = pixels.shape[:2]
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    angle = dice.uniform(0, 2 * np.pi)
    return np.asarray(x * np.cos(angle) + y * np.sin(angle))
