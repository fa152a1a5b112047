"""How a detector does on packshots: whether it names the product's category, and how near its box is to the product.

Nobody drew the boxes: the foreground on the plain background is the truth, of photos on which nothing else is. Only
photos of titles that `label_products` keeps for validation count.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from detection.categories import category_of
from detection.crops import iou
from detection.training.labeling import Row
from detection.training.packshots import find_on_white, is_alone
from detection.types import Box, Detection, Detector
from shop_search.errors import InputError

NEAR = 0.8  # IoU from which a box shows the product and little else


@dataclass(frozen=True, slots=True)
class Packshot:
    """A photo of one product alone on white."""

    path: Path
    category: str
    box: Box  # of the foreground, in pixels


@dataclass(frozen=True, slots=True)
class PackshotScore:
    """Shares of `n` photos. Nothing found is wrong in all of them."""

    n: int
    category: float  # the surest detection is of the right category
    near: float  # and its box lies on the foreground at IoU .8
    iou: float  # of the surest detection's box, whatever its category: the median


def packshots(rows: Iterable[Row]) -> list[Packshot]:
    """Returns the held-out photos of products alone on white. Raises InputError when there are none."""
    found = []
    for row in rows:
        category = category_of(row.word)
        if row.split != "val" or category is None:
            continue
        with Image.open(row.image) as image:
            front = find_on_white(image.convert("RGB"))
        if front is not None and is_alone(front, category):
            found.append(Packshot(row.image, category, front.box))
    if not found:
        raise InputError("dataset_unreadable", "None of these photos is held out and shows a product alone on white.")
    return found


def surest(detector: Detector, shots: Sequence[Packshot], *, told: bool) -> list[Detection | None]:
    """Returns what the detector is surest of on each photo, told its category or not."""
    made = []
    for shot in shots:
        with Image.open(shot.path) as image:
            found = detector.detect([image.convert("RGB")], [shot.category] if told else None)[0]
        same = [one for one in found if told and one.category == shot.category]
        made.append(max(same or found, key=lambda one: one.confidence, default=None))
    return made


def score(shots: Sequence[Packshot], found: Sequence[Detection | None]) -> PackshotScore:
    """Returns how near the detections are to the photos' products."""
    overlaps = [0.0 if one is None else iou(one.xyxy, shot.box) for shot, one in zip(shots, found, strict=True)]
    right = [one is not None and one.category == shot.category for shot, one in zip(shots, found, strict=True)]
    near = [is_right and overlap >= NEAR for is_right, overlap in zip(right, overlaps, strict=True)]
    return PackshotScore(len(shots), float(np.mean(right)), float(np.mean(near)), float(np.median(overlaps)))
