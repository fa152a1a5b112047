"""Which category a photo is about: the detector's word and the vote of the nearest products, fused.

    confidence(c) = w * detector(c) + (1 - w) * vote(c)        w = settings.CATEGORY_FUSION["detector"]

The detector has seen many photos but knows ten classes; the neighbors know all that this shop sells, but only by
likeness. Idea: Zhang et al., "Visual Search at Alibaba", KDD 2018. What each gets right alone and both together is in
docs/ranking.md; `benchmarks/category_fusion.py` measures it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from detection.crops import iou
from detection.types import Box, Detection
from embeddings.types import Hit

# A detection that covers the searched part this much speaks of it too (PASCAL VOC's match).
SAME_OBJECT_IOU = 0.5


@dataclass(frozen=True, slots=True)
class Guess:
    """Categories by falling confidence, each in [0, 1], and who said so."""

    confidences: Mapping[str, float]
    source: str  # "detector" | "neighbors" | "fused"

    @property
    def slug(self) -> str:
        return next(iter(self.confidences))

    @property
    def confidence(self) -> float:
        return self.confidences[self.slug]


def seen(detections: Sequence[Detection], box: Box) -> dict[str, float]:
    """Returns what the detector says of the part of the photo in `box`: the confidence of each class it saw there.

    One thing may have been seen as two categories; together they say no more than one sure detection could.
    """
    best: dict[str, float] = {}
    for one in detections:
        if iou(one.xyxy, box) >= SAME_OBJECT_IOU:
            best[one.category] = max(best.get(one.category, 0.0), one.confidence)
    total = sum(best.values())
    return {category: confidence / max(total, 1.0) for category, confidence in best.items()}


def vote(hits: Sequence[Hit], counts: Mapping[str, int] | None = None) -> dict[str, float]:
    """Returns each category's share of the neighbors' weight; a hit weighs its score to a power.

    The power sharpens cosines that lie close together. With `counts`, how many products of each category there are, a
    hit weighs less where there are many: among a thousand shirts, some look like anything. `settings.CATEGORY_FUSION`
    has both powers and how many neighbors vote.
    """
    options: dict[str, Any] = settings.CATEGORY_FUSION
    nearest = [(str(hit.payload.get("category") or ""), hit.score) for hit in hits[: options["neighbors"]]]
    return shares(nearest, options["power"], counts, options["balance"])


def share_of(hits: Sequence[Hit], field: str) -> dict[str, float]:
    """Returns each value's share of the neighbors' weight for any payload field; hits without one don't vote."""
    options: dict[str, Any] = settings.CATEGORY_FUSION
    nearest = hits[: options["neighbors"]]
    return shares(((str(hit.payload.get(field) or ""), hit.score) for hit in nearest), options["power"])


def fuse(
    detector: Mapping[str, float], neighbors: Mapping[str, float], *, detector_share: float | None = None
) -> Guess | None:
    """Returns the fused confidences, best first, or None when neither knows anything. Either alone stands as it is.

    `detector_share` is the w above; without one, that of the settings.
    """
    if not detector and not neighbors:
        return None
    if not neighbors:
        return Guess(_falling(detector), "detector")
    if not detector:
        return Guess(_falling(neighbors), "neighbors")
    weight: float = settings.CATEGORY_FUSION["detector"] if detector_share is None else detector_share
    both = {
        category: weight * detector.get(category, 0.0) + (1 - weight) * neighbors.get(category, 0.0)
        for category in {**detector, **neighbors}
    }
    return Guess(_falling(both), "fused")


def shares(
    scored: Iterable[tuple[str, float]], power: float, counts: Mapping[str, int] | None = None, balance: float = 0.0
) -> dict[str, float]:
    """Returns each value's share of the weight, of values with their scores; empty values don't count.

    A value weighs its count to the power of `balance` less.
    """
    weights: dict[str, float] = {}
    for value, score in scored:
        if value:
            rarity = max((counts or {}).get(value, 1), 1) ** -balance
            weights[value] = weights.get(value, 0.0) + max(score, 0.0) ** power * rarity
    total = sum(weights.values())
    return {value: weight / total for value, weight in weights.items()} if total else {}


def _falling(confidences: Mapping[str, float]) -> dict[str, float]:
    return dict(sorted(confidences.items(), key=lambda item: -item[1]))
