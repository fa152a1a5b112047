"""Whether learned weights are better than today's, on searches that they were not learned from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalog.learning.attention import Attention
from catalog.learning.lists import Shown
from catalog.learning.weights import as_vector
from catalog.review.numbers import ndcg

# Each night asks anew whether it is better, so chance gets many tries: one in two hundred a night passes.
CONFIDENCE = 0.99
RESAMPLES = 2000
SEED = 20
DEPTH = 10

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Gain:
    """The mean difference a search, new minus today's, with its bootstrap interval; `n` searches."""

    value: float
    low: float
    high: float
    n: int
    before: float  # the mean with today's weights


def click_gain(
    lists: Sequence[Shown], attention: Attention, before: Mapping[str, float], after: Mapping[str, float]
) -> Gain | None:
    """Returns the gain in the discounted rank of clicked results, each click weighed by 1 / attention; None without."""

    def worth(one: Shown, places: NDArray[np.int64]) -> float:
        weights = 1 / attention.at(one.ranks[one.clicked])
        return float((weights / np.log2(places[one.clicked] + 1.0)).sum())

    return _gain([one for one in lists if one.clicked.any()], before, after, worth)


def verdict_gain(lists: Sequence[Shown], before: Mapping[str, float], after: Mapping[str, float]) -> Gain | None:
    """Returns the gain in nDCG@10 over what reviewers judged; None where nothing they judged differs."""

    def worth(one: Shown, places: NDArray[np.int64]) -> float:
        judged = ~np.isnan(one.grades)
        return ndcg(list(one.grades[judged][np.argsort(places[judged])][:DEPTH])) or 0.0

    return _gain([one for one in lists if _differs(one)], before, after, worth)


def places_of(one: Shown, weights: Vector) -> NDArray[np.int64]:
    """Returns where each result stands under these weights, from 1 on: by band, then by score."""
    order = np.lexsort((one.ranks, -(one.parts @ weights), one.bands))
    places = np.empty(len(order), np.int64)
    places[order] = np.arange(1, len(order) + 1)
    return places


def _differs(one: Shown) -> bool:
    known = one.grades[~np.isnan(one.grades)]
    return len(known) > 1 and known.min() < known.max()


def _gain(
    lists: Sequence[Shown],
    before: Mapping[str, float],
    after: Mapping[str, float],
    worth: Callable[[Shown, NDArray[np.int64]], float],
) -> Gain | None:
    if not lists:
        return None
    old, new = as_vector(before), as_vector(after)
    was = np.array([worth(one, places_of(one, old)) for one in lists])
    gained = np.array([worth(one, places_of(one, new)) for one in lists]) - was
    dice = np.random.default_rng(SEED)
    means = np.array([gained[dice.integers(len(gained), size=len(gained))].mean() for _ in range(RESAMPLES)])
    low, high = np.quantile(means, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Gain(float(gained.mean()), float(low), float(high), len(lists), float(was.mean()))
