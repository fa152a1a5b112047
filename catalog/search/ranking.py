"""From candidates to an ordered list: a documented score, and a band for each.

    score = w_appearance * appearance + w_color * color + w_attributes * attributes + w_quality * quality

`settings.RANKING_WEIGHTS` holds the weights, unless a version was promoted; docs/ranking.md says what each part is and
what it was measured to be worth. The store has found the candidates by their embeddings; the score only puts them into
an order. A surer band always comes first, so nothing that is merely similar stands above the same product. A part that
isn't known of a candidate is as good as the average of those that have it: it neither helps nor harms.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import numpy as np
from django.utils import timezone
from numpy.typing import NDArray

from catalog.bands import Band, Bands
from catalog.serving import live
from embeddings.palettes import Palette, likeness
from embeddings.types import Hit, Payload

# A product that came in this long ago is half as fresh as one of today.
FRESH_HALF_LIFE = timedelta(days=90)
_NEUTRAL = 0.5  # of a part that no candidate has
_BANDS = list(Band)


@dataclass(frozen=True, slots=True)
class Parts:
    """What the score is made of, each in [0, 1]."""

    appearance: float
    color: float
    attributes: float
    quality: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """One product, by the picture of it that is nearest to the query."""

    product_id: int
    image_id: int
    score: float  # [-1, 1], dot product of unit embeddings
    asked_score: float  # the same with what was asked, which words and likes leave alone: bands go by it
    band: Band
    payload: Payload = field(default_factory=dict)
    created_at: datetime | None = None
    clicks: int = 0
    keys: tuple[str, ...] = ()  # two candidates that share one sell the same thing


@dataclass(frozen=True, slots=True)
class Wants:
    """What is known of the thing that is looked for, beside how it is embedded."""

    palette: Palette = ()  # dominant colors; none where the shopper named a color herself
    genders: Mapping[str, float] = field(default_factory=dict)  # the index's value -> how likely, [0, 1]
    categories: Mapping[str, float] = field(default_factory=dict)  # slug -> how likely, [0, 1]
    brand: str = ""  # casefolded, of the product that was asked about
    boosts: Mapping[int, float] = field(default_factory=dict)  # product id -> factor, by an admin's rule


@dataclass(frozen=True, slots=True)
class Ranked:
    """One card of an answer: a product by its best image, with other listings of the same thing behind it."""

    product_id: int
    image_id: int
    score: float  # [-1, 1], dot product of unit embeddings
    band: Band
    parts: Parts | None = None
    others: tuple[int, ...] = ()  # product ids
    curated: str = ""  # "pin" or "boost" where an admin's rule moved it; shown to admins alone


def candidates(
    hits: Sequence[Hit], *, bands: Bands | None, asked: Mapping[int, float] | None = None
) -> list[Candidate]:
    """Returns each product once, by its best hit, by falling score; equal scores keep the store's order.

    Thresholds hold between pictures. Words lie further off: without bands, all hits are called similar. `asked` are
    scores by point with what was asked, where the hits' own are with something that likes moved: bands go by these.
    None is called the same product yet: that takes to know what lies around it (catalog.search.claims).
    """
    best: dict[int, Candidate] = {}
    for hit in hits:
        product_id = int(str(hit.payload["product"]))
        if product_id not in best or hit.score > best[product_id].score:
            category = str(hit.payload.get("category") or "")
            asked_score = (asked or {}).get(hit.id, hit.score)
            band = bands.band(asked_score, category, crowd=None) if bands else Band.SIMILAR
            best[product_id] = Candidate(product_id, hit.id, hit.score, asked_score, band, hit.payload)
    return sorted(best.values(), key=lambda one: -one.score)


def rank(found: Sequence[Candidate], wants: Wants) -> list[tuple[Candidate, Parts]]:
    """Returns the candidates by band and falling score, with the parts of each; equal ones keep their order."""
    if not found:
        return []
    columns = {
        "appearance": np.clip([one.score for one in found], 0.0, 1.0),
        "color": _filled(likeness(wants.palette, [palette_of(one.payload) for one in found])),
        "attributes": _filled(np.array([_agreement(one.payload, wants) for one in found])),
        "quality": _quality(found),
    }
    weights: Mapping[str, float] = live("ranking")
    score = sum((weights[part] * column for part, column in columns.items()), np.zeros(len(found)))
    if wants.boosts:
        score = score * np.array([wants.boosts.get(one.product_id, 1.0) for one in found])
    order = sorted(range(len(found)), key=lambda row: (_BANDS.index(found[row].band), -score[row]))
    return [
        (found[row], Parts(**{part: round(float(column[row]), 3) for part, column in columns.items()})) for row in order
    ]


def collapse(ordered: Sequence[tuple[Candidate, Parts]]) -> list[Ranked]:
    """Returns one card for each thing: the best of its listings, with the others behind it."""
    cards: list[Ranked] = []
    card_of: dict[str, int] = {}
    for candidate, parts in ordered:
        place = next((card_of[key] for key in candidate.keys if key in card_of), None)
        if place is None:
            place = len(cards)
            cards.append(Ranked(candidate.product_id, candidate.image_id, candidate.score, candidate.band, parts))
        else:
            cards[place] = replace(cards[place], others=(*cards[place].others, candidate.product_id))
        for key in candidate.keys:
            card_of.setdefault(key, place)
    return cards


def palette_of(payload: Payload) -> Palette:
    """Returns the dominant colors that the index has of a picture."""
    palette = payload.get("palette") or ()
    return tuple(tuple(color) for color in palette) if isinstance(palette, list) else ()  # type: ignore[misc]


def _agreement(payload: Payload, wants: Wants) -> float:
    """Returns the mean of what is known on both sides, in [0, 1]; NaN when nothing is."""
    known: list[float] = []
    gender, brand, category = (str(payload.get(name) or "") for name in ("gender", "brand", "category"))
    if wants.genders and gender:
        known.append(wants.genders.get(gender, 0.0))
    if wants.brand and brand:
        known.append(float(brand == wants.brand))
    if wants.categories and category:
        known.append(wants.categories.get(category, 0.0))
    return sum(known) / len(known) if known else math.nan


def _quality(found: Sequence[Candidate]) -> NDArray[np.float64]:
    """Returns in stock (a half), fresh and clicked (a quarter each): nothing of who the merchant is."""
    now = timezone.now()
    stock = np.array([1.0 if one.payload.get("in_stock", True) else 0.0 for one in found])
    fresh = np.array([math.nan if one.created_at is None else _freshness(now - one.created_at) for one in found])
    clicks = np.log1p([one.clicks for one in found])
    clicked = clicks / clicks.max() if clicks.max() else np.full(len(found), _NEUTRAL)
    return 0.5 * stock + 0.25 * _filled(fresh) + 0.25 * clicked


def _freshness(age: timedelta) -> float:
    return float(0.5 ** (max(age, timedelta()) / FRESH_HALF_LIFE))


def _filled(column: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the column with the mean of the known values in place of NaN."""
    known = ~np.isnan(column)
    return np.where(known, column, column[known].mean() if known.any() else _NEUTRAL)
