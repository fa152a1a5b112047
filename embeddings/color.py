"""The dominant colors of a picture or crop, as people see and name them.

Steps: reduce to 64 x 64, convert to CIELAB, leave out the background (the even color that begins at the edge), group
the rest with k-means, name each group, join groups of one name. The center of the picture counts more than its edges.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from embeddings.color_names import MULTICOLOR, nearest_names
from embeddings.lab import difference, to_lab

Lab = tuple[float, float, float]

_SIDE = 64
_EVEN_EDGE = 0.4  # share of the edge that must have one color for it to be background; a shoe may cover the rest
_BACKGROUND_NOISE = (3.0, 12.0)  # Lab distance from the background's color: JPEG's noise, and the most that is taken
_LEAST_FOREGROUND = 0.03  # with less left, the product had the background's color: use the whole picture
_CLUSTERS = 5
_ROUNDS = 8
# Shading changes lightness far more than hue, so it counts less when pixels are grouped.
_LIGHTNESS_WEIGHT = 0.7
_CENTER_SIGMA = 0.4  # of the side
_LEAST_SHARE = 0.05
# CIEDE2000 from which two colors have nothing in common; between neighboring names it is about 20.
_UNLIKE = 40.0
# A product is multicolor when its third color still covers this share.
_THIRD_SHARE = 0.15


@dataclass(frozen=True, slots=True)
class ColorShare:
    """One of a picture's colors: its name, where it lies in CIELAB (D65), and its share of the product, in (0, 1]."""

    name: str
    lab: Lab
    share: float


def dominant_colors(image: Image.Image, *, count: int = 3) -> tuple[ColorShare, ...]:
    """Returns at most `count` colors by falling share, each name once; the shares sum to 1. Never empty."""
    small = image.convert("RGB").resize((_SIDE, _SIDE), Image.Resampling.BOX, reducing_gap=1.0)
    lab = to_lab(np.asarray(small))
    product = _product_mask(lab)
    colors, shares = _group(lab[product], _CENTER[product])
    return _named(colors, shares, count)


def color_names(colors: Sequence[ColorShare], *, least_share: float = 0.2) -> tuple[str, ...]:
    """Returns the names to file a product under: the first color, others of some size, `multicolor` from three on."""
    names = [color.name for index, color in enumerate(colors) if index == 0 or color.share >= least_share]
    if len(colors) >= 3 and colors[2].share >= _THIRD_SHARE:
        names.append(MULTICOLOR)
    return tuple(names)


def color_similarity(first: Sequence[ColorShare], second: Sequence[ColorShare]) -> float:
    """Returns how alike two sets of dominant colors look, in [0, 1]; 1 for the same colors in the same shares.

    Shares are matched to shares, nearest colors first: a close upper bound of the earth mover's distance on CIEDE2000.
    Idea: Rubner, Tomasi, Guibas, "The Earth Mover's Distance as a Metric for Image Retrieval", IJCV 2000.
    """
    if not first or not second:
        return 0.0
    far = difference(np.array([color.lab for color in first]), np.array([color.lab for color in second]))
    left = np.array([color.share for color in first]) / sum(color.share for color in first)
    right = np.array([color.share for color in second]) / sum(color.share for color in second)
    distance = 0.0
    for pair in np.argsort(far, axis=None, kind="stable"):
        i, j = divmod(int(pair), len(second))
        moved = min(left[i], right[j])
        left[i] -= moved
        right[j] -= moved
        distance += moved * min(far[i, j] / _UNLIKE, 1.0)
    return float(min(max(1.0 - distance, 0.0), 1.0))


def _center_weights() -> NDArray[np.float32]:
    offset = (np.arange(_SIDE) - (_SIDE - 1) / 2) / (_SIDE * _CENTER_SIGMA)
    bell = np.exp(-(offset**2) / 2).astype(np.float32)
    return np.outer(bell, bell)


_CENTER = _center_weights()


def _product_mask(lab: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Returns (side, side) bool: False where an even background reaches in from the edge."""
    edge = np.concatenate([lab[0], lab[-1], lab[1:-1, 0], lab[1:-1, -1]])
    color = np.median(edge, axis=0)
    off = np.linalg.norm(edge - color, axis=1)
    tolerance = float(np.clip(3 * np.quantile(off, _EVEN_EDGE), *_BACKGROUND_NOISE))
    everything = np.ones(lab.shape[:2], dtype=bool)
    if (off < tolerance).mean() < _EVEN_EDGE:
        return everything
    background = _reached_from_edge(np.linalg.norm(lab - color, axis=2) < tolerance)
    # On the outline, product and background are mixed in one pixel; a thin product is nothing but outline.
    for product in (~_widened(background), ~background):
        if product.mean() >= _LEAST_FOREGROUND:
            return product
    return everything


def _reached_from_edge(open_: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Returns the open pixels that 4-connect to the edge through open pixels.

    The picture is one long integer, a bit a pixel, so a step of the flood is five operations on it. A step sideways
    past the end of a row lands on the edge, where open pixels are flooded anyway.
    """
    bits = int.from_bytes(np.packbits(open_).tobytes(), "big")
    flooded = bits & _EDGE_BITS
    while True:
        grown = (flooded | flooded << 1 | flooded >> 1 | flooded << _SIDE | flooded >> _SIDE) & bits
        if grown == flooded:
            break
        flooded = grown
    flat = np.frombuffer(flooded.to_bytes(open_.size // 8, "big"), dtype=np.uint8)
    return np.unpackbits(flat).astype(bool).reshape(open_.shape)


def _widened(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Returns the mask with the pixels above, below, left and right of it."""
    wide = mask.copy()
    wide[1:] |= mask[:-1]
    wide[:-1] |= mask[1:]
    wide[:, 1:] |= mask[:, :-1]
    wide[:, :-1] |= mask[:, 1:]
    return wide


def _edge_bits() -> int:
    edge = np.ones((_SIDE, _SIDE), dtype=bool)
    edge[1:-1, 1:-1] = False
    return int.from_bytes(np.packbits(edge).tobytes(), "big")


_EDGE_BITS = _edge_bits()


def _group(lab: NDArray[np.float32], weights: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Returns the (k, 3) Lab centers of k-means and their (k,) shares; k is less than asked where colors are few.

    Centers start at the heaviest color and then at what is worst covered, so the same picture gives the same answer.
    """
    scale = np.array([_LIGHTNESS_WEIGHT, 1.0, 1.0], dtype=np.float32)
    # Bins of 4 units hold what looks the same: a few hundred instead of thousands of points.
    binned = np.round(lab / 4).astype(np.int64) + 64
    _, where = np.unique(binned @ np.array([128 * 128, 128, 1]), return_inverse=True)
    mass = np.bincount(where, weights)
    sums = np.stack([np.bincount(where, weights * lab[:, axis]) for axis in range(3)], axis=1)
    points = (sums / mass[:, None]).astype(np.float32) * scale
    centers = [points[mass.argmax()]]
    gap = ((points - centers[0]) ** 2).sum(axis=1)
    while len(centers) < min(_CLUSTERS, len(points)):
        centers.append(points[(gap * mass).argmax()])
        gap = np.minimum(gap, ((points - centers[-1]) ** 2).sum(axis=1))
    found = np.stack(centers)
    for _ in range(_ROUNDS):
        nearest = ((points[:, None] - found) ** 2).sum(axis=2).argmin(axis=1)
        held = np.bincount(nearest, mass, minlength=len(found))
        moved = np.stack(
            [np.bincount(nearest, mass * points[:, axis], minlength=len(found)) for axis in range(3)], axis=1
        )
        found = np.where(held[:, None] > 0, moved / np.maximum(held, 1e-9)[:, None], found).astype(np.float32)
    kept = held > 0
    return (found[kept] / scale).astype(np.float32), held[kept] / held.sum()


def _named(colors: NDArray[np.float32], shares: NDArray[np.float64], count: int) -> tuple[ColorShare, ...]:
    """Joins groups of one name; its largest group says how the color looks."""
    share_of: dict[str, float] = {}
    lab_of: dict[str, Lab] = {}
    order = np.argsort(-shares, kind="stable")
    names = nearest_names(colors)
    for index in order:
        name = names[index]
        share_of[name] = share_of.get(name, 0.0) + float(shares[index])
        lightness, a, b = (float(value) for value in colors[index])
        lab_of.setdefault(name, (lightness, a, b))
    ranked = sorted(share_of, key=lambda name: -share_of[name])[:count]
    kept = [name for index, name in enumerate(ranked) if index == 0 or share_of[name] >= _LEAST_SHARE]
    total = sum(share_of[name] for name in kept)
    return tuple(ColorShare(name, lab_of[name], share_of[name] / total) for name in kept)
