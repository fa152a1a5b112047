"""Photos of an unsteady hand, for training: what the frozen trunk doesn't see through.

`degraded` measures other faults, and training must not know them. A straight smear, a strip of another photo, a soft
shadow, a pale spot, a tone curve, single-pixel grain and WebP are measured there; here are

    defocus    the lens is set to another distance: every point is a disc
    tremble    the hand goes around: every point is a bow of at least a third of a circle, never a line
    pixels     few of them: a far product, or a messenger's thumbnail
    blotches   patches of color, as of denoised darkness
    fingers    a flat round thing over an edge
    pane       a shop window: another photo shines through all over
    screen     photographed off a screen: fine stripes of light
    haze       a greasy lens: what is bright shines over its surroundings, and nothing is black
    fringes    red, green and blue lie a little apart
    edges      sharpened until they have halos
    light      exposure, contrast, lamp, JPEG: as `augment.developed`, further
"""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops

from embeddings.training.augment import developed

EXTENT = (0.02, 0.08)  # of the picture's longer side: what a point becomes at 1/10 s, by hand
CHANCE = {"blur": 0.75, "pixels": 0.3, "blotches": 0.3, "fingers": 0.3, "pane": 0.2, "haze": 0.2, "others": 0.2}
STRENGTH = 1.3  # of `developed`

Pixels = NDArray[np.float32]  # (height, width, 3), in [0, 1]


def shaken(image: Image.Image, dice: np.random.Generator, streets: Sequence[Image.Image] = ()) -> Image.Image:
    """Returns the crop as it looks in a bad photo, behind a pane that a street shines in. The same dice, the same."""
    image = image.convert("RGB")
    if dice.random() < CHANCE["fingers"]:
        image = fingers(image, dice)
    if streets and dice.random() < CHANCE["pane"]:
        image = pane(image, streets[int(dice.integers(len(streets)))], dice)
    image = developed(image, dice, strength=STRENGTH)
    if dice.random() < CHANCE["pixels"]:
        image = few_pixels(image, dice)
    pixels = np.asarray(np.asarray(image) / 255, np.float32)
    if dice.random() < CHANCE["haze"]:
        pixels = haze(pixels, dice)
    if dice.random() < CHANCE["blur"]:
        blur: Callable[[Pixels, np.random.Generator], Pixels] = defocus if dice.random() < 0.4 else tremble
        pixels = blur(pixels, dice)
    if dice.random() < CHANCE["blotches"]:
        pixels = blotches(pixels, dice)
    for spoil in (fringes, edges, screen):
        if dice.random() < CHANCE["others"]:
            pixels = spoil(pixels, dice)
    return Image.fromarray((np.clip(pixels, 0, 1) * 255).round().astype(np.uint8))


def defocus(pixels: Pixels, dice: np.random.Generator) -> Pixels:
    """Makes every point a disc."""
    radius = max(pixels.shape) * dice.uniform(*EXTENT) / 2
    side = 2 * int(np.ceil(radius)) + 1
    y, x = np.mgrid[:side, :side] - side // 2
    return _smeared(pixels, np.clip(radius + 0.5 - np.hypot(x, y), 0, 1))


def tremble(pixels: Pixels, dice: np.random.Generator) -> Pixels:
    """Makes every point a bow of 120 to 330 degrees of an ellipse that is at most twice as wide as high."""
    extent = max(pixels.shape) * dice.uniform(*EXTENT)
    start, turn = dice.uniform(0, 2 * np.pi), dice.uniform(2 * np.pi / 3, 11 * np.pi / 6)
    along = start + np.linspace(0, turn, 64)
    bow = np.stack([np.cos(along), np.sin(along) * dice.uniform(0.5, 1)])
    lean = dice.uniform(0, np.pi)
    x, y = np.array([[np.cos(lean), -np.sin(lean)], [np.sin(lean), np.cos(lean)]]) @ bow
    x, y = ((of - (of.max() + of.min()) / 2) for of in (x, y))
    grown = extent / max(np.ptp(x), np.ptp(y))
    side = 2 * int(np.ceil(extent / 2)) + 3
    kernel = np.zeros((side, side))
    np.add.at(kernel, (np.rint(y * grown).astype(int) + side // 2, np.rint(x * grown).astype(int) + side // 2), 1)
    return _smeared(pixels, cv2.GaussianBlur(kernel, (3, 3), 0.6))


def few_pixels(image: Image.Image, dice: np.random.Generator) -> Image.Image:
    """Returns the picture as if it had been 40 to 110 pixels high."""
    ratio = min(1.0, float(dice.uniform(40, 110)) / max(image.size))
    small = image.resize((max(8, round(image.width * ratio)), max(8, round(image.height * ratio))))
    return small.resize(image.size, Image.Resampling.BICUBIC if dice.random() < 0.7 else Image.Resampling.NEAREST)


def blotches(pixels: Pixels, dice: np.random.Generator) -> Pixels:
    """Adds soft patches of color, a few pixels wide."""
    height, width = pixels.shape[:2]
    cell = dice.uniform(5, 14)
    coarse = dice.normal(size=(max(2, round(height / cell)), max(2, round(width / cell)), 3)).astype(np.float32)
    spread = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(pixels + spread * dice.uniform(0.01, 0.04), np.float32)


def fingers(image: Image.Image, dice: np.random.Generator) -> Image.Image:
    """Returns the picture with one or two flat ellipses of one color that reach in from an edge."""
    sheet = np.array(image)
    color = dice.integers(40, 230, 3).tolist()
    side, at = int(dice.integers(4)), float(dice.uniform(0.15, 0.85))
    for n in range(int(dice.integers(1, 3))):
        where = at + 0.16 * n
        x, y = ((0.0, where), (1.0, where), (where, 0.0), (where, 1.0))[side]
        reach, thick = dice.uniform(0.12, 0.3) * max(image.size), dice.uniform(0.06, 0.1) * max(image.size)
        axes = (round(reach), round(thick)) if side < 2 else (round(thick), round(reach))
        center = (round(x * image.width), round(y * image.height))
        cv2.ellipse(sheet, center, axes, float(dice.uniform(-20, 20)), 0, 360, color, -1, cv2.LINE_AA)
    return Image.fromarray(sheet)


def pane(image: Image.Image, other: Image.Image, dice: np.random.Generator) -> Image.Image:
    """Returns the picture with 10 to 35 % of the other one's light added."""
    share = float(dice.uniform(0.1, 0.35))
    glass = other.resize(image.size, Image.Resampling.BILINEAR).point(lambda value: value * share)
    return ImageChops.screen(image, glass)


def screen(pixels: Pixels, dice: np.random.Generator) -> Pixels:
    """Darkens along waves of 2 to 6 pixels, by up to a quarter."""
    height, width = pixels.shape[:2]
    y, x = np.mgrid[:height, :width]
    angle, period = dice.uniform(0, np.pi), dice.uniform(2, 6)
    wave = 1 + np.sin((x * np.cos(angle) + y * np.sin(angle)) * 2 * np.pi / period)
    return np.asarray(pixels * (1 - dice.uniform(0.04, 0.13) * wave)[..., None], np.float32)


def haze(pixels: Pixels, dice: np.random.Generator) -> Pixels:
    """Lays the picture's own light over it, as widely spread as a tenth of it, and a pale veil."""
    spread = cv2.GaussianBlur(pixels, (0, 0), max(pixels.shape) * dice.uniform(0.02, 0.1))
    veil = dice.uniform(0.75, 1, 3)
    made = pixels + spread * dice.uniform(0.1, 0.4)
    thick = dice.uniform(0, 0.3)
    return np.asarray(made / made.max().clip(1) * (1 - thick) + veil * thick, np.float32)


def fringes(pixels: Pixels, dice: np.random.Generator) -> Pixels:
    """Moves red one way and blue the other, by one to three pixels of 256."""
    angle, far = dice.uniform(0, 2 * np.pi), max(pixels.shape) / 256 * dice.uniform(1, 3)
    made = pixels.copy()
    for channel, way in ((0, 1), (2, -1)):
        moved = np.array([[1, 0, way * far * np.cos(angle)], [0, 1, way * far * np.sin(angle)]])
        made[..., channel] = cv2.warpAffine(
            pixels[..., channel], moved, pixels.shape[1::-1], borderMode=cv2.BORDER_REPLICATE
        )
    return made


def edges(pixels: Pixels, dice: np.random.Generator) -> Pixels:
    """Sharpens by one to four times what a blur takes away."""
    soft = cv2.GaussianBlur(pixels, (0, 0), dice.uniform(0.8, 2.5))
    return np.asarray(pixels + (pixels - soft) * dice.uniform(1, 4), np.float32)


def _smeared(pixels: Pixels, kernel: NDArray[np.float64]) -> Pixels:
    made = cv2.filter2D(pixels, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REFLECT)
    return np.asarray(made, np.float32)
