"""Weights of the score's parts, learned from pairs of results of one list: the better one should stand first.

    clicked result, all others of its list and band -> weighed by 1 / attention at its rank ─┐
    result that reviewers called better, a worse one ────────────────────────────────────────┴─> logistic loss

Weighing a click by how seldom its rank is looked at makes the loss, on average, what it would be if everybody looked at
everything. Source: Joachims et al., "Unbiased learning-to-rank with biased feedback", 2017. The weights are held near
today's, the more so the less there is to learn from, and none falls below zero.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalog.learning.attention import Attention
from catalog.learning.lists import PARTS, Shown

# Today's weights count as much as so many searches; docs/learning.md has what that does.
PRIOR_SEARCHES = 10.0
# How steep the loss is along today's weights is fitted within these.
STEEPNESS = (1.0, 300.0)
STEPS = 60

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Pairs:
    """Differences of parts, better minus worse, with weights that sum to 1."""

    differences: NDArray[np.float64]  # (pairs, 4)
    weights: Vector  # (pairs,)
    searches: int


def as_vector(weights: Mapping[str, float]) -> Vector:
    return np.array([float(weights[part]) for part in PARTS])


def as_mapping(weights: Vector) -> dict[str, float]:
    """Returns weights that sum to 1, to four places."""
    return {part: round(float(one), 4) for part, one in zip(PARTS, weights / weights.sum(), strict=True)}


def pairs_of(lists: Sequence[Shown], attention: Attention) -> Pairs | None:
    """Returns the pairs of these lists; None where there are none."""
    differences: list[NDArray[np.float64]] = []
    weights: list[Vector] = []
    for one in lists:
        found = [*_clicked_pairs(one, attention), *_judged_pairs(one)]
        differences += [difference for difference, _ in found]
        weights += [weight for _, weight in found]
    if not differences:
        return None
    heavy = np.concatenate(weights)
    searches = sum(one.teaches for one in lists)
    return Pairs(np.concatenate(differences), heavy / heavy.sum(), searches)


def fit(pairs: Pairs, today: Mapping[str, float]) -> dict[str, float]:
    """Returns the weights that put most pairs right, near today's."""
    start = as_vector(today)
    start = start / start.sum()
    steepness = _steepness(pairs, start)
    prior = PRIOR_SEARCHES / max(pairs.searches, 1)
    weights = steepness * start
    for _ in range(STEPS):
        slope, bend = _slopes(pairs, weights)
        slope = slope + 2 * prior * (weights / steepness - start) / steepness
        bend = bend + 2 * prior / steepness**2 * np.eye(len(weights))
        is_free = (weights > 0) | (slope < 0)
        if not is_free.any():
            break
        step = np.zeros_like(weights)
        step[is_free] = np.linalg.solve(bend[np.ix_(is_free, is_free)], -slope[is_free])
        moved = _descend(pairs, weights, step, prior, steepness, start)
        if np.abs(moved - weights).max() < 1e-6 * steepness:
            break
        weights = moved
    return as_mapping(weights) if weights.sum() > 0 else as_mapping(start)


def _clicked_pairs(one: Shown, attention: Attention) -> list[tuple[NDArray[np.float64], Vector]]:
    found = []
    for at in np.flatnonzero(one.clicked):
        others = one.bands == one.bands[at]
        others[at] = False
        if others.any():
            differences = one.parts[at] - one.parts[others]
            weight = 1.0 / float(attention.at(one.ranks[at : at + 1])[0])
            found.append((differences, np.full(len(differences), weight)))
    return found


def _judged_pairs(one: Shown) -> list[tuple[NDArray[np.float64], Vector]]:
    judged = np.flatnonzero(~np.isnan(one.grades))
    found = []
    for better in judged:
        worse = [at for at in judged if one.grades[at] < one.grades[better] and one.bands[at] == one.bands[better]]
        if worse:
            differences = one.parts[better] - one.parts[worse]
            found.append((differences, np.full(len(differences), 1.0)))
    return found


def _loss(pairs: Pairs, weights: Vector, prior: float, steepness: float, start: Vector) -> float:
    margins = pairs.differences @ weights
    near: float = prior * float(((weights / steepness - start) ** 2).sum())
    return float(pairs.weights @ np.logaddexp(0, -margins)) + near


def _slopes(pairs: Pairs, weights: Vector) -> tuple[Vector, NDArray[np.float64]]:
    wrong = 1 / (1 + np.exp(np.clip(pairs.differences @ weights, -30, 30)))
    slope = -(pairs.weights * wrong) @ pairs.differences
    bend = (pairs.differences * (pairs.weights * wrong * (1 - wrong))[:, None]).T @ pairs.differences
    return slope, bend + 1e-9 * np.eye(len(weights))


def _descend(pairs: Pairs, weights: Vector, step: Vector, prior: float, steepness: float, start: Vector) -> Vector:
    """Returns the first of ever shorter steps that lowers the loss; the weights themselves when none does."""
    before = _loss(pairs, weights, prior, steepness, start)
    for length in 0.5 ** np.arange(12):
        moved: Vector = np.maximum(weights + length * step, 0.0)
        if moved.sum() > 0 and _loss(pairs, moved, prior, steepness, start) < before:
            return moved
    return weights


def _steepness(pairs: Pairs, start: Vector) -> float:
    """Returns how steep the loss is along today's weights: the scale on which the others are learned."""
    along = pairs.differences @ start
    tried = np.geomspace(*STEEPNESS, 60)
    losses = [float(pairs.weights @ np.logaddexp(0, -one * along)) for one in tried]
    return float(tried[int(np.argmin(losses))])
