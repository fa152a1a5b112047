"""From scores with known answers to the thresholds of the bands, and how often a threshold is reached. Pure numbers."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from catalog.bands import USUAL_CROWD, Band, Bands, Thresholds, lead
from shop_search.errors import InputError

# "Same product" on at most this share of photos of products that are not in the shop.
FALSE_SAME = 0.01
# "Similar" on at least this share of photos of which the shop has the kind, if not the product.
LEAST_SIMILAR = 0.8
# "Same photo" on this share of recompressed and resized copies, unless other products' copies reach it too.
COPIES_FOUND = 0.95
# A category with fewer photos that should not be called the same product goes by everybody's thresholds.
MIN_OF_CATEGORY = 50
# The scores that a tail is drawn from: the highest tenth, but at least ten.
_TAIL_SHARE, _TAIL_LEAST = 0.1, 10
_STEP = 1e-4  # thresholds are kept to four digits


class Kind(StrEnum):
    """What a score is between: a photo made of a product's picture, and the best picture among those named here."""

    OWN_PHOTO = "own_photo"  # the very picture it was made of: easier than a shopper's photo
    SECOND_PHOTO = "second_photo"  # the product's other pictures
    REMOVED = "removed"  # other products, as if this one were not in the shop
    CATEGORY_REMOVED = "category_removed"  # products of other categories, as if this one's were not sold
    NEVER_SOLD = "never_sold"  # any: a photo of something that is not sold here
    COPY = "copy"  # a copy of the picture with the picture itself
    COPY_REMOVED = "copy_removed"  # a copy of the picture with those of other products


_NEEDED = (Kind.REMOVED, Kind.COPY, Kind.COPY_REMOVED)


@dataclass(frozen=True, slots=True)
class Score:
    """The best score of one photo. `category` is that of the product it was reached with: bands go by it."""

    kind: Kind
    category: str
    score: float
    fold: int  # 0 or 1: thresholds that are judged on one fold were fitted to the other
    crowd: float | None = USUAL_CROWD  # around that product's picture; None: another product is nearer to the photo


@dataclass(frozen=True, slots=True)
class Rate:
    """How many of n reached something, with the 95 % interval of Clopper and Pearson."""

    reached: int
    n: int

    @property
    def share(self) -> float:
        return self.reached / self.n if self.n else 0.0

    def __add__(self, other: "Rate") -> "Rate":
        return Rate(self.reached + other.reached, self.n + other.n)

    @property
    def low(self) -> float:
        return 0.0 if self.reached == 0 else _solve(lambda p: 1 - _binomial_cdf(self.reached - 1, self.n, p) - 0.025)

    @property
    def high(self) -> float:
        return 1.0 if self.reached == self.n else _solve(lambda p: 0.025 - _binomial_cdf(self.reached, self.n, p))


def fit(scores: Sequence[Score], *, false_same: float = FALSE_SAME) -> Bands:
    """Returns thresholds for everything together, and for each category with enough photos.

    "Same photo" is fitted on everything together: copies look the same in every category.

    Raises InputError `catalog_too_alike` when hardly any photo has a product left that it could be mistaken for.
    """
    kinds = _by_kind(scores)
    short = [kind for kind in _NEEDED if len(kinds[kind]) < _TAIL_LEAST]
    if short:
        raise InputError(
            "catalog_too_alike",
            f"There are too few scores to learn from: {len(kinds[short[0]])} of {short[0]}. Do most products share a "
            "title, GTIN, item group or picture, or can their pictures not be read?",
        )
    everywhere = _thresholds(scores, false_same)
    own: dict[str, Thresholds] = {}
    for category in sorted({one.category for one in scores}):
        of_it = [one for one in scores if one.category == category]
        if sum(one.kind is Kind.REMOVED for one in of_it) >= MIN_OF_CATEGORY:
            own[category] = _thresholds(of_it, false_same, everywhere)
    return Bands(everywhere, own)


def rate(scores: Sequence[Score], bands: Bands, kind: Kind, band: Band, category: str | None = None) -> Rate:
    """Returns how many scores of a kind reach a band or a better one."""
    order = list(Band)
    chosen = [one for one in scores if one.kind is kind and category in (None, one.category)]
    bands_of = [bands.band(one.score, one.category, crowd=one.crowd) for one in chosen]
    reached = sum(order.index(of) <= order.index(band) for of in bands_of)
    return Rate(reached, len(chosen))


def tail_threshold(scores: NDArray[np.float64], share: float) -> float:
    """Returns a score that no more than `share` of these and of their like reach.

    Of 50 scores the best is reached by one in fifty, so counting can't tell where one in a hundred lies. Beyond the
    highest tenth the tail is taken to fall exponentially (peaks over threshold), which for cosines is careful: theirs
    falls faster. Where counting says more, it wins.
    """
    falling = np.sort(scores)[::-1]
    counted = float(falling[math.floor(share * len(falling))]) + _STEP
    tail = min(max(math.ceil(_TAIL_SHARE * len(falling)), _TAIL_LEAST), len(falling) - 1)
    if tail < 1 or tail / len(falling) <= share:
        return min(counted, 1.0)
    start = float(falling[tail])
    drawn = start + float((falling[:tail] - start).mean()) * math.log(tail / len(falling) / share)
    return min(max(counted, drawn), 1.0)


def _thresholds(scores: Sequence[Score], false_same: float, everywhere: Thresholds | None = None) -> dict[Band, float]:
    kinds, removed, never_sold = _by_kind(scores), _leads(scores, Kind.REMOVED), _leads(scores, Kind.NEVER_SOLD)
    same_product = tail_threshold(removed, false_same)
    if len(never_sold) >= MIN_OF_CATEGORY:
        same_product = max(same_product, tail_threshold(never_sold, false_same))
    if everywhere is not None:  # a category is stricter or the same: what fewer photos allow, they don't show
        same_photo = everywhere[Band.SAME_PHOTO]
        same_product = max(same_product, everywhere[Band.SAME_PRODUCT])
    else:
        same_photo = float(np.quantile(kinds[Kind.COPY], 1 - COPIES_FOUND))
        same_photo = max(same_photo, tail_threshold(kinds[Kind.COPY_REMOVED], false_same))
    nothing = np.concatenate([kinds[Kind.CATEGORY_REMOVED], kinds[Kind.NEVER_SOLD]])
    similar = _similar(kinds[Kind.REMOVED], nothing)
    return {
        Band.SAME_PHOTO: _rounded(max(same_photo, same_product)),
        Band.SAME_PRODUCT: _rounded(same_product),
        Band.SIMILAR: _rounded(min(similar, same_product)),
    }


def _similar(of_its_kind: NDArray[np.float64], of_nothing: NDArray[np.float64]) -> float:
    """Returns the score that tells the two apart best (Youden's J) and that `LEAST_SIMILAR` of the first reach."""
    candidates = np.quantile(of_its_kind, np.linspace(0, 1 - LEAST_SIMILAR, 41))
    if not len(of_nothing):
        return float(candidates[-1])
    gains = [(of_its_kind >= score).mean() - (of_nothing >= score).mean() for score in candidates]
    return float(candidates[int(np.argmax(gains))])


def _by_kind(scores: Sequence[Score]) -> dict[Kind, NDArray[np.float64]]:
    return {kind: np.array([one.score for one in scores if one.kind is kind], np.float64) for kind in Kind}


def _leads(scores: Sequence[Score], kind: Kind) -> NDArray[np.float64]:
    """Those that could be called the same product: a photo's nearest product only."""
    return np.array([lead(one.score, one.crowd) for one in scores if one.kind is kind and one.crowd is not None])


def _rounded(score: float) -> float:
    return round(score, 4)


def _binomial_cdf(most: int, n: int, p: float) -> float:
    """Returns the chance of at most `most` of n, each with chance p in (0, 1)."""
    logs = [
        math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) + k * math.log(p) + (n - k) * math.log1p(-p)
        for k in range(most + 1)
    ]
    top = max(logs)
    return math.exp(top) * sum(math.exp(one - top) for one in logs)


def _solve(rising: Callable[[float], float]) -> float:
    """Returns where a rising function of a chance crosses 0."""
    low, high = 1e-12, 1 - 1e-12
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < 0 else (low, middle)
    return (low + high) / 2
