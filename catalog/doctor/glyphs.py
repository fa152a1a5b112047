"""Strokes of a picture that may be letters: thin, of one darkness, against a ground that is lighter or darker.

gray at one size -> lighter and darker of a window (closing, opening) -> what stands out from it -> components
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from catalog.doctor.components import Floats, Ints, components

Gray = NDArray[np.uint8]

# The longer side that pictures are brought to, so that one window fits the strokes of all.
SIDE = 384
# Strokes are thinner than this window, at that size.
WINDOW = 9
# A stroke stands out from its ground by more than this, of 255: the noise of JPEG files is less.
LEAST_CONTRAST = 12
# Around a stroke, what stands out half as much as it does is its edge, not another stroke.
EDGE_WINDOW = 11
# A glyph's larger side, in pixels at that size, and how much of its box it fills at most.
SMALLEST, LARGEST = 6, 70
FULLEST = 0.85
# A cluttered picture has thousands of components; the most conspicuous are looked at.
MOST = 160
# Within so much of the border's commonest tone, the ground is the picture's background.
SAME_TONE = 8


@dataclass(frozen=True, slots=True)
class Glyphs:
    """What may be letters, (n,) of each, in pixels of the gray picture."""

    x: Floats  # the middle
    y: Floats
    width: Ints
    height: Ints
    area: Ints
    stroke: Floats  # its width
    contrast: Floats  # against its ground
    tone: Floats
    ground: Floats  # tone of what is around it
    unevenness: Floats  # how much the ground varies around it
    off: Floats  # share of it that lies on the picture's background

    @property
    def size(self) -> Floats:
        return np.maximum(self.width, self.height).astype(np.float64)

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, chosen: NDArray[np.generic]) -> "Glyphs":
        return Glyphs(*(getattr(self, field.name)[chosen] for field in fields(self)))


@dataclass(frozen=True, slots=True)
class Strokes:
    """All components of one darkness: the middles of all that are no specks, and those that may be letters."""

    specks_x: Floats
    specks_y: Floats
    glyphs: Glyphs


def gray_of(image: Image.Image) -> Image.Image:
    """Returns the picture in gray, its longer side SIDE pixels."""
    gray = image.convert("L")
    factor = SIDE / max(gray.size)
    if abs(factor - 1) <= 0.02:
        return gray
    size = (max(1, round(gray.width * factor)), max(1, round(gray.height * factor)))
    return gray.resize(size, Image.Resampling.BOX if factor < 0.5 else Image.Resampling.BICUBIC)


def strokes_of(gray: Gray) -> Iterator[Strokes]:
    """Yields the dark strokes, then the light ones."""
    border = np.concatenate([gray[0], gray[-1], gray[:, 0], gray[:, -1]])
    tones = np.convolve(np.bincount(border, minlength=256), np.ones(13), "same")
    background = int(tones.argmax())
    closed = _lowest(_highest(gray, WINDOW), WINDOW)
    opened = _highest(_lowest(gray, WINDOW), WINDOW)
    yield _strokes(gray, closed, closed - gray, background)
    yield _strokes(gray, opened, gray - opened, background)


def _strokes(gray: Gray, ground: Gray, contrast: Gray, background: int) -> Strokes:
    wide = contrast.astype(np.int16)
    mask = (wide > LEAST_CONTRAST) & (2 * wide > _highest(contrast, EDGE_WINDOW))
    found = components(mask)
    width, height = found.right - found.left, found.bottom - found.top
    size = np.maximum(width, height)
    x, y = (found.left + found.right) / 2, (found.top + found.bottom) / 2
    tops = mask.copy()
    tops[1:] &= ~mask[:-1]
    stroke = found.area / (found.runs + found.mean(tops) * found.area)  # half of the outline goes along the stroke
    strength = found.mean(contrast)
    may_be = (size >= SMALLEST) & (size <= LARGEST) & (found.area >= 8) & (stroke < 0.5 * size)
    may_be &= found.area <= FULLEST * width * height + 4
    chosen = np.flatnonzero(may_be)
    if len(chosen) > MOST:
        chosen = chosen[np.argsort(-strength[chosen] * np.sqrt(found.area[chosen]))[:MOST]]
    glyphs = Glyphs(
        x=x,
        y=y,
        width=width,
        height=height,
        area=found.area,
        stroke=stroke,
        contrast=strength,
        tone=found.mean(gray),
        ground=found.mean(ground),
        unevenness=found.mean(_highest(ground, WINDOW) - _lowest(ground, WINDOW)),
        off=found.mean(np.abs(ground.astype(np.int16) - background) <= SAME_TONE),
    )
    is_no_speck = size >= 4
    return Strokes(x[is_no_speck], y[is_no_speck], glyphs[chosen])


def _highest(gray: Gray, window: int) -> Gray:
    return _slide(_slide(gray, window, np.maximum, 0), window, np.maximum, 1)


def _lowest(gray: Gray, window: int) -> Gray:
    return _slide(_slide(gray, window, np.minimum, 0), window, np.minimum, 1)


def _slide(gray: Gray, window: int, better: np.ufunc, axis: int) -> Gray:
    """Returns the best of each window along one axis, in steps that double: Pillow's own filters take 100 ms each."""
    half, length = window // 2, gray.shape[axis]
    row = np.moveaxis(np.pad(gray, [(half, half) if one == axis else (0, 0) for one in (0, 1)], mode="edge"), axis, 0)
    span = 1
    while span * 2 <= window:
        row = better(row[:-span], row[span:])
        span *= 2
    rest = window - span
    best: Gray = better(row[:length], row[rest : rest + length])
    return np.moveaxis(best, 0, axis)
