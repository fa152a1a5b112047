"""Boxes for product photos whose category is known: what stands out from its background is the product.

A detector trained on dressed people doesn't know a shoe without a foot. Shops have thousands of such photos, each with
a category, and on a plain background nobody has to draw the box. What can't be boxed with confidence is left out.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from detection.types import Box, Detection

WHITE = 235  # of 255: a studio's white
DISTANCE = 14  # of 255 in any channel: sees a white shirt's edge, not the noise of a JPEG
MIN_PART = 0.01  # of the picture, for a part to count as product
SKIN_SHARE = 0.06  # of what stands out: beyond, a person is on the photo
SKIN_COLORED = ("shoes", "bags", "sunglasses", "hats")  # tan leather; and a studio seldom shows these worn
GRABCUT_SIDE = 128  # pixels of the long side: enough for a box, and 20 ms
GRABCUT_MARGIN = 0.04  # of each side: sure background


@dataclass(frozen=True, slots=True)
class Foreground:
    """What stands out from the background."""

    box: Box
    touches_edge: bool  # the picture cuts it
    skin_share: float  # of its pixels, in [0, 1]
    fill: float  # share of the box that it covers


def find_on_white(image: Image.Image) -> Foreground | None:
    """Returns what stands on a near-white background; None when the background isn't one or nothing stands out."""
    pixels = np.asarray(image.convert("RGB")).astype(np.int16)
    mask = _not_white(pixels)
    return None if mask is None else _measure(mask, pixels, edge=1)


def cut_out(image: Image.Image) -> Image.Image | None:
    """Returns the product alone, as RGBA cut to its box; None where `find_on_white` finds none or the picture cuts it.

    Small spots that it encloses are taken for its own, white prints; the air inside of a handle is not.
    """
    pixels = np.asarray(image.convert("RGB")).astype(np.int16)
    mask = _not_white(pixels)
    found = None if mask is None else _measure(mask, pixels, edge=1)
    if mask is None or found is None or found.touches_edge:
        return None
    count, parts, stats, _ = cv2.connectedComponentsWithStats((~mask).astype(np.uint8), connectivity=4)
    small = [part for part in range(1, count) if stats[part, cv2.CC_STAT_AREA] < MIN_PART * mask.size]
    filled = (mask | np.isin(parts, small)).astype(np.uint8) * 255
    cut = image.convert("RGB")
    cut.putalpha(Image.fromarray(filled))
    return cut.crop(found.box)


def find_on_anything(image: Image.Image) -> Foreground | None:
    """Returns the one thing in the middle of a photo of a floor, a bed or a wall; None when that is unclear.

    Source: Rother et al., "GrabCut", 2004. Believed when it fills its box as a garment does, and most of the picture
    neither is it nor isn't.
    """
    scale = GRABCUT_SIDE / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    small = np.asarray(image.convert("RGB").resize(size, Image.Resampling.BOX))
    width, height = size
    left, top = int(width * GRABCUT_MARGIN), int(height * GRABCUT_MARGIN)
    if left < 1 or top < 1:
        return None
    mask = np.zeros((height, width), np.uint8)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(0)
    rectangle = (left, top, width - 2 * left, height - 2 * top)
    cv2.grabCut(np.ascontiguousarray(small[..., ::-1]), mask, rectangle, *models, 5, cv2.GC_INIT_WITH_RECT)
    is_front = cv2.morphologyEx(mask & 1, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)).astype(bool)
    found = _measure(is_front, small.astype(np.int16), edge=max(left, top))
    if found is None or found.touches_edge or found.fill < 0.5 or not 0.12 < is_front.mean() < 0.7:
        return None
    x1, y1, x2, y2 = found.box
    box = (x1 / scale, y1 / scale, x2 / scale, y2 / scale)
    return Foreground(box=box, touches_edge=False, skin_share=found.skin_share, fill=found.fill)


def is_alone(found: Foreground, category: str) -> bool:
    """Says whether the product stands alone and whole: nobody wears it, and the picture doesn't cut it."""
    return not found.touches_edge and (category in SKIN_COLORED or found.skin_share < SKIN_SHARE)


def trust(detections: list[Detection], category: str) -> list[Detection]:
    """Returns what a detector says of a photo on which somebody wears a product of the category, where it can be
    believed: it found the product itself with confidence. Otherwise none, and the photo is of no use.

    Source: self-training, as in Xie et al., "Self-training with Noisy Student", 2020.
    """
    if not any(d.category == category and d.confidence >= 0.6 for d in detections):
        return []
    if any(0.15 <= d.confidence < 0.4 for d in detections):
        return []  # it can't decide: neither a label nor background
    return [d for d in detections if d.confidence >= 0.4]


def _not_white(pixels: NDArray[np.int16]) -> NDArray[np.bool_] | None:
    """Returns (height, width): what isn't background. None when the background isn't white."""
    edge = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    is_white = edge.min(axis=1) >= WHITE
    if is_white.mean() < 0.7:
        return None
    background = np.median(edge[is_white], axis=0)
    mask: NDArray[np.bool_] = np.abs(pixels - background).max(axis=2) > DISTANCE
    return mask


def _measure(mask: NDArray[np.bool_], pixels: NDArray[np.int16], *, edge: int) -> Foreground | None:
    """Returns the mask's parts that are large enough, together. `edge` is how near to the border counts as touching."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    large = [part for part in range(1, count) if stats[part, cv2.CC_STAT_AREA] >= MIN_PART * mask.size]
    kept = np.isin(labels, large)
    ys, xs = np.nonzero(kept)
    if not len(xs):
        return None
    height, width = mask.shape
    x1, y1, x2, y2 = int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1
    return Foreground(
        box=(x1, y1, x2, y2),
        touches_edge=x1 <= edge or y1 <= edge or x2 >= width - edge or y2 >= height - edge,
        skin_share=float(_is_skin(pixels[kept]).mean()),
        fill=len(xs) / ((x2 - x1) * (y2 - y1)),
    )


def _is_skin(pixels: NDArray[np.int16]) -> NDArray[np.bool_]:
    """Returns (n,) for (n, 3) RGB. Source: Kovac et al., "Human skin colour clustering for face detection", 2003; and
    less colorful than a red cap."""
    r, g, b = pixels[:, 0], pixels[:, 1], pixels[:, 2]
    spread = pixels.max(axis=1) - pixels.min(axis=1)
    is_skin: NDArray[np.bool_] = (r > 95) & (g > 40) & (b > 20) & (r - g > 15) & (r > b) & (spread > 15)
    is_skin &= spread < 0.65 * r
    return is_skin
