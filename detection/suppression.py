"""Turns a YOLO head's raw output into a few boxes: threshold, then non-maximum suppression per class."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MAX_CANDIDATES = 3000  # the head of a 416 px model gives 3,549 boxes; only evaluation at a tiny confidence sees many


@dataclass(frozen=True, slots=True)
class Kept:
    """Boxes that survived, by falling confidence."""

    boxes: NDArray[np.float32]  # (n, 4) xyxy, pixels of the model's input
    classes: NDArray[np.int64]  # (n,)
    confidences: NDArray[np.float32]  # (n,) in [0, 1]


@dataclass(frozen=True, slots=True)
class Known:
    """A class that the picture is known to show, and the confidence from which a box of it is believed."""

    index: int
    confidence: float


def suppress(
    raw: NDArray[np.float32], *, confidence: float, iou: float, max_detections: int, known: Known | None = None
) -> Kept:
    """Returns what is left of one picture's raw output of a YOLOv8 head.

    `raw` is (4 + classes, n) float32: center x, center y, width, height in pixels, then a score per class.
    A box has its best class, or the known one where that is sure enough too: what may be a jacket or a top is the top
    that it is known to be. Where no box is sure to be the known thing, the likeliest is, if it reaches that confidence.
    A box is dropped when a surer one of the same class overlaps it by more than `iou`.
    """
    scores = raw[4:]
    best = scores.argmax(axis=0)
    confidences = scores[best, np.arange(raw.shape[1])]
    is_sure = confidences > confidence
    if known is not None:
        is_known = scores[known.index] > confidence
        if not is_known.any() and raw.shape[1]:
            is_known = np.zeros_like(is_known)
            likeliest = scores[known.index].argmax()
            is_known[likeliest] = scores[known.index, likeliest] > known.confidence
        best = np.where(is_known, known.index, best)
        confidences = np.where(is_known, scores[known.index], confidences)
        is_sure |= is_known
    candidates = np.flatnonzero(is_sure)
    order = candidates[np.argsort(-confidences[candidates], kind="stable")][:MAX_CANDIDATES]
    x, y, width, height = raw[:4, order]
    boxes = np.stack([x - width / 2, y - height / 2, x + width / 2, y + height / 2], axis=1)
    kept = _nms(boxes, best[order], iou=iou, limit=max_detections)
    return Kept(boxes=boxes[kept], classes=best[order][kept], confidences=confidences[order][kept])


def _nms(boxes: NDArray[np.float32], classes: NDArray[np.int64], *, iou: float, limit: int) -> NDArray[np.int64]:
    """Returns the indices to keep of boxes that come by falling confidence, greedily."""
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    waiting = np.arange(len(boxes))
    kept: list[int] = []
    while len(waiting) and len(kept) < limit:
        first, rest = waiting[0], waiting[1:]
        kept.append(int(first))
        top_left = np.maximum(boxes[first, :2], boxes[rest, :2])
        bottom_right = np.minimum(boxes[first, 2:], boxes[rest, 2:])
        overlap = np.prod(np.clip(bottom_right - top_left, 0, None), axis=1)
        union = areas[first] + areas[rest] - overlap
        is_same = (overlap > iou * union) & (classes[rest] == classes[first])
        waiting = rest[~is_same]
    return np.array(kept, np.int64)
