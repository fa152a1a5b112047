"""From store hits to an ordered list of products: one entry per product, a band for each, by falling score."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from catalog.bands import Band, Bands
from embeddings.types import Hit


@dataclass(frozen=True, slots=True)
class Ranked:
    """One product of an answer, by its best image."""

    product_id: int
    image_id: int
    score: float  # [-1, 1], dot product of unit embeddings
    band: Band


@dataclass(frozen=True, slots=True)
class Vote:
    """A category and the share of the neighbors' weight behind it."""

    category: str
    confidence: float  # [0, 1]


def rank(hits: Iterable[Hit], *, bands: Bands | None) -> list[Ranked]:
    """Returns each product once, by its best hit, by falling score; equal scores keep the store's order.

    Thresholds hold between pictures. Words lie further off: without bands, all hits are called similar.
    """
    best: dict[int, Ranked] = {}
    for hit in hits:
        product_id = int(str(hit.payload["product"]))
        if product_id not in best or hit.score > best[product_id].score:
            category = str(hit.payload.get("category") or "")
            band = bands.band(hit.score, category) if bands else Band.SIMILAR
            best[product_id] = Ranked(product_id, hit.id, hit.score, band)
    return sorted(best.values(), key=lambda ranked: -ranked.score)


def vote(hits: Sequence[Hit]) -> Vote | None:
    """Returns the neighbors' category, each hit weighing its score to the eighth, or None without neighbors.

    The power sharpens cosines that lie close together. Idea: Zhang et al., "Visual Search at Alibaba", KDD 2018.
    """
    weights: dict[str, float] = {}
    for hit in hits:
        category = str(hit.payload.get("category") or "")
        if category:
            weights[category] = weights.get(category, 0.0) + max(hit.score, 0.0) ** 8
    total = sum(weights.values())
    if not total:
        return None
    winner = max(weights, key=lambda category: weights[category])
    return Vote(winner, weights[winner] / total)
