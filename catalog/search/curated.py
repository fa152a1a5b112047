"""What curation rules do to the cards of a search: pinned ones stand where they were put, under their honest band.

A pin never says more of a product than its score does, and never breaks a filter that the shopper set.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from catalog.bands import Band, Bands
from catalog.curation.rules import Applied
from catalog.indexing.points import VECTOR, payload_of
from catalog.models import ProductImage
from catalog.search.ranking import Candidate, Ranked
from embeddings import vector_store
from embeddings.types import Payload, Scalar, Where

PIN, BOOST = "pin", "boost"


def without_hidden(found: Sequence[Candidate], applied: Applied) -> list[Candidate]:
    """Returns the candidates that no rule hides."""
    return [one for one in found if one.product_id not in applied.hidden]


def missing_pins(
    found: Sequence[Candidate],
    applied: Applied,
    *,
    collection: str,
    embedding: NDArray[np.float32],
    where: Where,
    bands: Bands | None,
) -> list[Candidate]:
    """Returns pinned products that the store didn't name among the nearest, as candidates with their own score.

    One that the shopper's filters leave out stays out; only its category doesn't matter, for that is what a pin is for.
    """
    there = {one.product_id for one in found}
    wanted = [product for product in applied.pins if product not in there]
    if not wanted:
        return []
    rows = ProductImage.objects.indexable().filter(product__in=wanted, state=ProductImage.State.INDEXED)
    images = {
        row.pk: row
        for row in rows.select_related("product__merchant", "product__category")
        if row.pk not in where.exclude
    }
    vectors = vector_store().retrieve(collection, sorted(images), using=VECTOR) if images else {}
    best: dict[int, Candidate] = {}
    for pk, vector in vectors.items():
        image = images[pk]
        payload = payload_of(
            image.product,
            palette=image.palette,
            seen_colors=image.seen_colors,
            seen_attributes=image.seen_attributes,
        )
        score = float(vector @ embedding)
        if not _allows(where, payload) or (image.product_id in best and best[image.product_id].score >= score):
            continue
        band = bands.band(score, str(payload["category"]), crowd=None) if bands else Band.SIMILAR
        best[image.product_id] = Candidate(image.product_id, pk, score, score, band, payload)
    return list(best.values())


def placed(cards: Sequence[Ranked], applied: Applied) -> list[Ranked]:
    """Returns the cards with the pinned ones at their ranks, and each touched one marked with what touched it."""
    if not applied:
        return list(cards)
    marked = [replace(card, curated=_mark(card.product_id, applied)) for card in cards]
    pinned = {card.product_id: card for card in marked if card.curated == PIN}
    out = [card for card in marked if card.curated != PIN]
    for product, rank in applied.pins.items():  # by rising rank: each finds its place and keeps it
        if product in pinned:
            out.insert(min(rank - 1, len(out)), pinned[product])
    return out


def _mark(product: int, applied: Applied) -> str:
    return PIN if product in applied.pins else BOOST if product in applied.boosts else ""


def _allows(where: Where, payload: Payload) -> bool:
    if not all(_has_one_of(payload, name, values) for name, values in where.match.items() if name != "category"):
        return False
    if any(_has_one_of(payload, name, values) for name, values in where.reject.items()):
        return False
    return all(_is_within(payload.get(name), low, high) for name, (low, high) in where.within.items())


def _is_within(value: object, low: float | None, high: float | None) -> bool:
    if low is None and high is None:
        return True
    if not isinstance(value, int | float):
        return False
    return (low is None or value >= low) and (high is None or value <= high)


def _has_one_of(payload: Payload, name: str, values: Sequence[Scalar]) -> bool:
    held = payload.get(name)
    several: Mapping[object, None] = dict.fromkeys(held if isinstance(held, list) else [held])
    return any(value in several for value in values)
