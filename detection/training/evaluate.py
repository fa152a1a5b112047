"""How good a detector is, measured on what it would serve: average precision per category, and precision and recall at
the card's own confidence.

Average precision is the area under the monotone precision-recall curve at 101 points, as in COCO and ultralytics.
Source: Lin et al., "Microsoft COCO", 2014, and its evaluation code.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image
from tqdm import tqdm

from detection.crops import iou
from detection.images import decode
from detection.training.dataset import Label, read
from detection.types import Box, Detection, Detector
from shop_search.errors import InputError

IOUS = np.linspace(0.5, 0.95, 10)  # of COCO's mAP50-95


@dataclass(frozen=True, slots=True)
class CategoryScore:
    """One category's measures, all in [0, 1]. Without objects there is nothing to measure: None."""

    n: int  # objects
    ap50: float | None
    ap50_95: float | None
    precision: float | None  # at the card's confidence and IoU .5; None without detections
    recall: float | None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A detector's measures on a set of pictures."""

    images: int
    objects: int
    confidence: float  # at which precision and recall were read
    categories: dict[str, CategoryScore]
    empty_images: int  # pictures with nothing on them
    empty_images_alarmed: int  # of these, with a detection at that confidence

    @property
    def map50(self) -> float | None:
        """Returns the mean AP at IoU .5 over the categories that have objects."""
        return _mean([score.ap50 for score in self.categories.values()])

    @property
    def map50_95(self) -> float | None:
        """Returns the mean AP over IoU .5 to .95."""
        return _mean([score.ap50_95 for score in self.categories.values()])

    def as_dict(self) -> dict[str, Any]:
        """Returns a document for JSON and for the card, rounded to four digits."""
        return {
            "images": self.images,
            "objects": self.objects,
            "map50": _rounded(self.map50),
            "map50_95": _rounded(self.map50_95),
            "confidence": self.confidence,
            "empty_images": self.empty_images,
            "empty_images_alarmed": self.empty_images_alarmed,
            "categories": {
                slug: {
                    "n": score.n,
                    "ap50": _rounded(score.ap50),
                    "ap50_95": _rounded(score.ap50_95),
                    "precision": _rounded(score.precision),
                    "recall": _rounded(score.recall),
                }
                for slug, score in self.categories.items()
            },
        }


LEAST_CONFIDENCE = 0.001  # what ultralytics evaluates at: nearly every box that the head gives


@dataclass(frozen=True, slots=True)
class Answers:
    """What a detector found and what is there, by picture, with boxes in the same pixels."""

    found: tuple[tuple[Detection, ...], ...]
    truth: tuple[tuple[Label, ...], ...]
    categories: tuple[str, ...]
    confidence: float  # the card's: where precision, recall and false alarms are read

    def scored(self) -> Evaluation:
        """Returns the measures of these answers."""
        return score(self.found, self.truth, categories=self.categories, confidence=self.confidence)


def measure(detector: Detector, data: Path, *, split: str = "val", only: str = "*") -> Evaluation:
    """Returns the detector's measures on one split of a data.yaml; see `answers`."""
    return answers(detector, data, split=split, only=only).scored()


def answers(detector: Detector, data: Path, *, split: str = "val", only: str = "*") -> Answers:
    """Returns what the detector finds on one split of a data.yaml, or on its images whose names match a pattern.

    It must give detections down to LEAST_CONFIDENCE, or AP comes out too low. Shows progress on standard error.
    Raises InputError when the data can't be read or there are no such images.
    """
    return _answers(detector, data, split, only, lambda image, _: detector.detect([image])[0])


def answers_when_told(detector: Detector, data: Path, *, split: str = "val", only: str = "*") -> Answers:
    """Returns what the detector finds when it is told the categories that each picture's labels name, otherwise as
    `answers`. Only these categories are in it: compare it with `of_known`.
    """

    def told(image: Image, categories: Sequence[str]) -> list[Detection]:
        found = detector.detect([image] * len(categories), list(categories))
        return [one for name, of in zip(categories, found, strict=True) for one in of if one.category == name]

    return _answers(detector, data, split, only, told)


def of_known(found: Answers) -> Answers:
    """Returns the answers without categories that a picture's labels don't name: what isn't there counts no more."""
    there = [{label.category for label in labels} for labels in found.truth]
    kept = (tuple(one for one in of if one.category in names) for of, names in zip(found.found, there, strict=True))
    return replace(found, found=tuple(kept))


def _answers(
    detector: Detector, data: Path, split: str, only: str, look: Callable[[Image, Sequence[str]], Sequence[Detection]]
) -> Answers:
    samples = [sample for sample in read(data).samples(split) if fnmatch(sample.image.name, only)]
    if not samples:
        raise InputError("dataset_unreadable", f"{data} has no images named {only!r} in its split {split!r}.")
    found: list[tuple[Detection, ...]] = []
    truth: list[tuple[Label, ...]] = []
    for sample in tqdm(samples, unit="image", file=sys.stderr):
        photo = decode(sample.image.read_bytes())
        width, height = photo.image.size
        found.append(tuple(look(photo.image, sorted({label.category for label in sample.labels}))))
        truth.append(tuple(Label(label.category, _scaled(label.box, width, height)) for label in sample.labels))
    confidence = float(detector.card.preprocessing["confidence"])
    return Answers(tuple(found), tuple(truth), detector.card.classes, confidence)


def score(
    found: Sequence[Sequence[Detection]],
    truth: Sequence[Sequence[Label]],
    *,
    categories: Sequence[str],
    confidence: float,
) -> Evaluation:
    """Returns the measures of detections against labels, both by picture and with boxes in the same pixels."""
    empty = [i for i, labels in enumerate(truth) if not labels]
    return Evaluation(
        images=len(truth),
        objects=sum(len(labels) for labels in truth),
        confidence=confidence,
        categories={slug: _score_category(slug, found, truth, confidence) for slug in categories},
        empty_images=len(empty),
        empty_images_alarmed=sum(any(d.confidence >= confidence for d in found[i]) for i in empty),
    )


@dataclass(frozen=True, slots=True)
class Ranked:
    """One category's detections over all pictures, by falling confidence."""

    n: int  # objects
    confidences: NDArray[np.float64]  # (detections,)
    right: NDArray[np.bool_]  # (detections, IoUs): whether each found an object of its own


def ranked(slug: str, found: Sequence[Sequence[Detection]], truth: Sequence[Sequence[Label]]) -> Ranked:
    """Returns one category's detections, matched within their own pictures."""
    confidences: list[float] = []
    hits: list[NDArray[np.bool_]] = []
    n = 0
    for detections, labels in zip(found, truth, strict=True):
        boxes = [label.box for label in labels if label.category == slug]
        mine = sorted((d for d in detections if d.category == slug), key=lambda d: -d.confidence)
        n += len(boxes)
        confidences += [d.confidence for d in mine]
        hits += _match(mine, boxes)
    order = np.argsort(-np.array(confidences), kind="stable")
    return Ranked(n, np.array(confidences)[order], np.array(hits, bool).reshape(-1, len(IOUS))[order])


def _score_category(
    slug: str, found: Sequence[Sequence[Detection]], truth: Sequence[Sequence[Label]], confidence: float
) -> CategoryScore:
    mine = ranked(slug, found, truth)
    served = int(np.sum(mine.confidences >= confidence))
    correct = int(mine.right[:served, 0].sum())
    if mine.n == 0:
        return CategoryScore(n=0, ap50=None, ap50_95=None, precision=None if not served else 0.0, recall=None)
    precisions = [average_precision(mine.right[:, k], mine.n) for k in range(len(IOUS))]
    return CategoryScore(
        n=mine.n,
        ap50=precisions[0],
        ap50_95=float(np.mean(precisions)),
        precision=correct / served if served else None,
        recall=correct / mine.n,
    )


def _match(detections: Sequence[Detection], boxes: Sequence[Box]) -> list[NDArray[np.bool_]]:
    """Returns for each detection, surest first, at which IoUs it is right: each box is found once, by the surest."""
    taken = np.zeros((len(boxes), len(IOUS)), bool)
    result = []
    for detection in detections:
        overlaps = np.array([iou(detection.xyxy, box) for box in boxes])
        right = np.zeros(len(IOUS), bool)
        for k, least in enumerate(IOUS):
            free = np.where(taken[:, k], 0.0, overlaps) if len(boxes) else overlaps
            if len(free) and free.max() >= least:
                taken[int(free.argmax()), k] = True
                right[k] = True
        result.append(right)
    return result


def average_precision(hits: NDArray[np.bool_], n: int) -> float:
    """Returns the area under the precision-recall curve of detections by falling confidence, for n > 0 objects."""
    return float(np.mean(precision_at_recall(hits, n)))


def precision_at_recall(hits: NDArray[np.bool_], n: int) -> NDArray[np.float64]:
    """Returns the best precision that reaches each of 101 recalls from 0 to 1; 0 where none does."""
    if not len(hits):
        return np.zeros(101)
    right = np.cumsum(hits)
    recall = right / n
    precision = right / np.arange(1, len(hits) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    at = np.searchsorted(recall, np.linspace(0, 1, 101), side="left")
    return np.where(at < len(envelope), np.append(envelope, 0.0)[np.minimum(at, len(envelope))], 0.0)


def _scaled(box: Box, width: int, height: int) -> Box:
    return (box[0] * width, box[1] * height, box[2] * width, box[3] * height)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
