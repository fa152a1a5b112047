"""Photos of an unsteady hand, for training: what the frozen trunk doesn't see through.

`degraded` measures other faults, and training must not know them. A straight smear, a strip of another photo, a soft
shadow, a pale spot, a tone curve, single-pixel grain and WebP are measured there; here are

    defocus    the lens is set to another distance: every point is a disc
    tremble    the hand goes around: every point is a bow of at least a third of a circle, never a line
    pixels     few of them: a far product, or a messenger's thumbnail
    blotches   patches of color, as of denoised darkness
    fingers    a flat round thing over an edge
    light      exposure, contrast, lamp, JPEG: as `augment.developed`, further
"""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from embeddings.training.augment import developed

EXTENT = (0.02, 0.08)  # of the picture's longer side: what a point becomes at 1/10 s, by hand
CHANCE = {"blur": 0.75, "pixels": 0.3, "blotches": 0.3, "fingers": 0.3}
STRENGTH = 1.3  # of `developed`

Pixels = NDArray[np.float32]  # (height, width, 3), in [0, 1]


def shaken(image: Image.Image, dice: np.random.Generator) -> Image.Image:
    """Returns the crop as it looks in a bad photo. The same dice make the same picture."""
    image = image.convert("RGB")
    if dice.random() < CHANCE["fingers"]:
        image = fingers(image, dice)
    image = developed(image, dice, strength=STRENGTH)
    if dice.random() < CHANCE["pixels"]:
        image = few_pixels(image, dice)
    pixels = np.asarray(np.asarray(image) / 255, np.float32)
    if dice.random() < CHANCE["blur"]:
        blur: Callable[[Pixels, np.random.Generator], Pixels] = defocus if dice.random() < 0.4 else tremble
        pixels = blur(pixels, dice)
    if dice.random() < CHANCE["blotches"]:
        pixels = blotches(pixels, dice)
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


def _smeared(pixels: Pixels, kernel: NDArray[np.float64]) -> Pixels:
    made = cv2.filter2D(pixels, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REFLECT)
    return np.asarray(made, np.float32)
