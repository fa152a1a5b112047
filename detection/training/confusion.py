"""What a detector takes for what: a confusion matrix whose last row and column are things that aren't there."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from detection.crops import iou
from detection.training.dataset import Label
from detection.training.evaluate import Answers
from detection.types import Detection

LEAST_IOU = 0.5  # as for AP50, precision and recall


def confusion(answers: Answers, *, least_iou: float = LEAST_IOU) -> NDArray[np.intp]:
    """Returns (categories + 1, categories + 1) counts of what is served: rows are what is there, columns what was said.

    The last column counts objects that were missed, the last row false alarms. An object is given first to a detection
    of its own category, the surest one, so that the diagonal counts what recall counts; what is left over is paired
    across categories, surest first.
    """
    place = {slug: index for index, slug in enumerate(answers.categories)}
    nothing = len(place)
    counts = np.zeros((nothing + 1, nothing + 1), np.intp)
    for found, truth in zip(answers.found, answers.truth, strict=True):
        served = sorted((d for d in found if d.confidence >= answers.confidence), key=lambda d: -d.confidence)
        labels = [label for label in truth if label.category in place]
        pairs = _paired(served, labels, least_iou)
        for detection, label in pairs.items():
            counts[place[labels[label].category], place[served[detection].category]] += 1
        for index in set(range(len(served))) - set(pairs):
            counts[nothing, place[served[index].category]] += 1
        for index in set(range(len(labels))) - set(pairs.values()):
            counts[place[labels[index].category], nothing] += 1
    return counts


def _paired(served: Sequence[Detection], labels: Sequence[Label], least_iou: float) -> dict[int, int]:
    """Returns which label each detection is about, by index: its own category's first, then any."""
    pairs: dict[int, int] = {}
    for same in (True, False):
        for index, detection in enumerate(served):
            if index in pairs:
                continue
            overlaps = {
                at: iou(detection.xyxy, label.box)
                for at, label in enumerate(labels)
                if at not in pairs.values() and (label.category == detection.category or not same)
            }
            best = max(overlaps, key=lambda at: overlaps[at], default=None)
            if best is not None and overlaps[best] >= least_iou:
                pairs[index] = best
    return pairs
