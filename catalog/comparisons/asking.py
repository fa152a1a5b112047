"""One query through one version, on the road of every search, and how good the answer is."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from time import perf_counter

from catalog.bands import Band
from catalog.comparisons.queries import JUDGED, Query
from catalog.search.finding import Finder
from catalog.search.questions import ALL_CATEGORIES, Question
from catalog.search.ranking import Ranked
from catalog.search.understanding import understand
from catalog.serving import Serving, pinned

DEPTH = 10
MEASURES = ("recall@1", "recall@5", "ndcg@10", "band_right")
_PROMISES = (Band.SAME_PHOTO, Band.SAME_PRODUCT)


@dataclass(frozen=True, slots=True)
class Answered:
    """The first cards, how good they are by each measure (None: unknown), and how long it took."""

    cards: tuple[Ranked, ...]
    scores: Mapping[str, float | None]
    rank: int | None  # of the product; None when it was not among them
    ms: float


def answered(query: Query, photo: bytes, served: Serving) -> Answered:
    """Returns the answer of one version, which needn't be live.

    No category narrows it, so that a wrong guess doesn't hide what appearance finds. A crop is searched with whole: it
    was chosen when it was searched. Raises InputError for a photo that can't be searched with; ServiceError when a
    model or the store fails.
    """
    with pinned(served):
        started = perf_counter()
        box = (0.0, 0.0, 1e6, 1e6) if query.source == JUDGED else None
        asked = understand(Question(image=photo, category=ALL_CATEGORIES, box=box))
        asked = replace(asked, exclude=(*asked.exclude, *query.removed))
        cards = Finder(asked).page(None, DEPTH).cards
        ms = (perf_counter() - started) * 1000
    return Answered(cards, scores_of(query, cards), _rank(query, cards), ms)


def scores_of(query: Query, cards: tuple[Ranked, ...]) -> dict[str, float | None]:
    """Returns each measure of an answer, in [0, 1], or None where the query can't tell.

    Of a judged search, products that nobody judged are left out (condensed lists: Sakai, "Alternatives to bpref",
    2007): a version that was never shown to people must not lose for what they couldn't say.
    """
    gains = [max(query.gains.get(product, -1.0) for product in (card.product_id, *card.others)) for card in cards]
    known = [gain for gain in gains if gain >= 0] if query.judged_only else [max(gain, 0.0) for gain in gains]
    rank = _rank(query, cards)
    return {
        "recall@1": float(rank == 1) if query.same else None,
        "recall@5": float(rank is not None and rank <= 5) if query.same else None,
        "ndcg@10": _ndcg(known, query) if max(query.gains.values()) > 0 else None,
        "band_right": _band_right(query, cards, gains),
    }


def _ndcg(known: list[float], query: Query) -> float:
    """Returns the gain of the answer beside the best that was possible: the product first, or all judged in order."""
    if not query.judged_only:  # listings of one product are one card
        place = next((place for place, gain in enumerate(known) if gain > 0), None)
        return 0.0 if place is None else _discounted([*[0.0] * place, 1.0])
    best = _discounted(sorted(query.gains.values(), reverse=True)[:DEPTH])
    return min(1.0, _discounted(known) / best)


def _discounted(gains: list[float]) -> float:
    return sum((2**gain - 1) / math.log2(place + 2) for place, gain in enumerate(gains))


def _band_right(query: Query, cards: tuple[Ranked, ...], gains: list[float]) -> float | None:
    """Says whether the first card is called the same product just when it is; None where nobody knows."""
    if not cards:
        return 1.0
    if query.judged_only and gains[0] < 0:
        return None
    is_same = bool(query.same & {cards[0].product_id, *cards[0].others})
    return float((cards[0].band in _PROMISES) == is_same)


def _rank(query: Query, cards: tuple[Ranked, ...]) -> int | None:
    same = query.same
    places = (place for place, card in enumerate(cards, 1) if same & {card.product_id, *card.others})
    return next(places, None)
