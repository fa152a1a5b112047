"""How likely a shopper looks at a result, by its rank: estimated from clicks alone.

    P(click at rank k on x) = k^-decay * attraction(x)

The attraction of a result is a logistic function of what its score is made of and how it stands out of its list. What
tells the two apart is that results just as attractive stood at different ranks in different searches. Both are fitted
together by maximum likelihood: for each decay the best attraction, and of these the likeliest. Source: the
position-based model of Craswell et al., 2008, with attraction by features as in Wang et al., "Position bias estimation
for unbiased learning to rank in personal search", 2018. Attention for each rank by itself was tried: its lower ranks
came out several times too high, because how far a result stands out tells its rank. What it finds on shoppers whose
attention is known: docs/learning.md.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalog.learning.lists import Shown

# From attention that doesn't fall to attention that nothing but the first few results get.
DECAYS = (0.0, 2.5)
COARSE, FINE = 0.25, 0.05
# A rank that is seen by fewer gets no more weight than this: its few clicks would drown out all others.
LEAST = 0.04
# Ranks that pages and reports name.
NAMED = (1, 2, 3, 4, 5, 8, 12, 16, 24)
_STEPS = 8
_RIDGE = 1e-2

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Attention:
    """Attention falls as rank^-decay; the first result gets 1."""

    decay: float
    low: float = math.nan  # 95 %
    high: float = math.nan

    def at(self, ranks: NDArray[np.int64]) -> Vector:
        """Returns the attention at these ranks, at least LEAST."""
        found: Vector = np.maximum(ranks.astype(float) ** -self.decay, LEAST)
        return found

    def table(self) -> list[tuple[int, float]]:
        """Returns it at some ranks."""
        return [(rank, float(rank**-self.decay)) for rank in NAMED]


EVEN = Attention(0.0)  # as if everybody looked at everything: what is naive


def attention(lists: Sequence[Shown]) -> Attention:
    """Returns the attention that these lists tell of, with its interval; even without a click."""
    clicks = np.concatenate([one.clicked for one in lists]).astype(float) if lists else np.zeros(0)
    if not clicks.any():
        return EVEN
    fit = _Fit(_features(lists), np.concatenate([one.ranks for one in lists]).astype(float), clicks)
    tried = {float(decay): fit.likelihood(decay) for decay in np.arange(DECAYS[0], DECAYS[1] + 1e-9, COARSE)}
    best = max(tried, key=lambda decay: tried[decay])
    for decay in np.arange(max(DECAYS[0], best - COARSE + FINE), min(DECAYS[1], best + COARSE), FINE):
        tried.setdefault(round(float(decay), 6), fit.likelihood(decay))
    best = max(tried, key=lambda decay: tried[decay])
    return _peak(best, *(fit.likelihood(best + step) for step in (-FINE, 0.0, FINE)))


def _peak(at: float, before: float, here: float, after: float) -> Attention:
    """Returns where the parabola through three likelihoods has its top, and how wide it is there."""
    bend = (before - 2 * here + after) / FINE**2
    if bend >= 0:  # flat, or the end of what is tried: nothing is known
        return Attention(at, *DECAYS)
    decay = at - (after - before) / (2 * FINE) / bend
    decay = float(np.clip(decay, max(DECAYS[0], at - FINE), min(DECAYS[1], at + FINE)))
    spread = 1.96 / math.sqrt(-bend)
    return Attention(decay, max(DECAYS[0], decay - spread), min(DECAYS[1], decay + spread))


class _Fit:
    """The best attraction for a given decay; each begins where the one before ended."""

    def __init__(self, features: NDArray[np.float64], ranks: Vector, clicks: Vector) -> None:
        self._features, self._ranks, self._clicks = features, ranks, clicks
        self._weights = np.zeros(features.shape[1])
        self._weights[0] = -1.0

    def likelihood(self, decay: float) -> float:
        """Returns the log-likelihood with the best attraction, by Fisher's scoring."""
        looked = self._ranks ** -max(decay, 0.0)
        now = self._value(looked, self._weights)
        for _ in range(_STEPS):
            attraction = _sigmoid(self._features @ self._weights)
            clicked = looked * attraction
            missed = np.maximum(1 - clicked, 1e-9)
            slope = self._clicks * (1 - attraction) - (1 - self._clicks) * clicked * (1 - attraction) / missed
            heavy = clicked * (1 - attraction) ** 2 / missed
            bend = (self._features * heavy[:, None]).T @ self._features + _RIDGE * np.eye(len(self._weights))
            step = np.linalg.solve(bend, self._features.T @ slope - _RIDGE * self._weights)
            before = now
            for length in (1.0, 0.5, 0.25, 0.1, 0.02):
                moved = self._weights + length * step
                if (value := self._value(looked, moved)) > now:
                    self._weights, now = moved, value
                    break
            if now - before < 1e-4:
                break
        return now

    def _value(self, looked: Vector, weights: Vector) -> float:
        clicked = np.clip(looked * _sigmoid(self._features @ weights), 1e-12, 1 - 1e-9)
        likely = self._clicks * np.log(clicked) + (1 - self._clicks) * np.log(1 - clicked)
        return float(likely.sum() - _RIDGE / 2 * weights @ weights)


def _features(lists: Sequence[Shown]) -> NDArray[np.float64]:
    """(results, features): one, the parts, how each stands out of its list, the squares of both, which bands."""
    parts = np.concatenate([one.parts for one in lists])
    apart = np.concatenate([one.parts - one.parts.mean(axis=0) for one in lists])
    bands = np.concatenate([one.bands for one in lists])
    scaled = [(part - part.mean(axis=0)) / np.maximum(part.std(axis=0), 1e-6) for part in (parts, apart)]
    of_band = [(bands == band).astype(float) for band in np.unique(bands)[1:]]
    return np.column_stack([np.ones(len(parts)), *scaled, *(part**2 for part in scaled), *of_band])


def _sigmoid(values: Vector) -> Vector:
    found: Vector = 1 / (1 + np.exp(-np.clip(values, -30, 30)))
    return found
