"""The grain of a small sensor in poor light, taken off a shopper's photo before it is embedded.

The encoder learned from catalog photos, which have none. Grain differs from pixel to pixel, and cloth hardly ever
does: of white noise, the second differences across both directions are 1.3 times those along them, of 156 photos of
people at most .88. So most photos come back as they are; fine patterns in small pictures can pass for grain. What is
smoothed, and what it gives, is in docs/models.md.

Source of the noise's estimate: Immerkær, Fast Noise Variance Estimation, Computer Vision and Image Understanding, 1996.
"""

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

# Second differences across by along, from which a picture is grainy.
GRAINY = 0.9
# So many gray levels of noise the encoder sees through, and smoothing would cost more than it gives; from there on, the
# blur in pixels grows with their square root. Both were chosen on 92 photos of people with noise added.
SEEN_THROUGH = 4.0
BLUR_PER_ROOT, MOST_BLUR = 0.7, 4.0
# Grain is everywhere: the middle tells enough, and takes .3 ms.
_SIDE = 192
# Below this many gray levels nothing is grain, and an even surface has no ratio.
_EVEN = 0.1


def without_grain(image: Image.Image) -> Image.Image:
    """Returns the picture smoothed as far as its grain asks for, itself where it has little."""
    noise = noise_of(image)
    if noise <= SEEN_THROUGH:
        return image
    return image.filter(ImageFilter.GaussianBlur(min(BLUR_PER_ROOT * math.sqrt(noise - SEEN_THROUGH), MOST_BLUR)))


def noise_of(image: Image.Image) -> float:
    """Returns the standard deviation of a picture's grain in gray levels, 0 where it has none."""
    gray = _middle(image)
    if min(gray.shape) < 3:
        return 0.0
    rows = gray[:-2] - 2 * gray[1:-1] + gray[2:]
    columns = gray[:, :-2] - 2 * gray[:, 1:-1] + gray[:, 2:]
    across = float(np.abs(rows[:, :-2] - 2 * rows[:, 1:-1] + rows[:, 2:]).mean())
    along = float(np.abs(rows[:, 1:-1] + columns[1:-1]).mean())
    if across < GRAINY * (along + _EVEN):
        return 0.0
    return math.sqrt(math.pi / 2) / 6 * across


def _middle(image: Image.Image) -> NDArray[np.float32]:
    width, height = image.size
    left, top = max(0, (width - _SIDE) // 2), max(0, (height - _SIDE) // 2)
    middle = image.crop((left, top, min(width, left + _SIDE), min(height, top + _SIDE)))
    return np.asarray(middle.convert("L"), np.float32)
