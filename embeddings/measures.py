"""Measures of retrieval, in numpy: recall@k and mean average precision, with bootstrap intervals.

They start from ranks: for each query, the places (0 is first) of its relevant answers in the ranking.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 1000  # intervals move by less than .005 beyond that, for n of 60 to 600
KS = (1, 5, 10, 20)


@dataclass(frozen=True, slots=True)
class Measure:
    """A mean over n queries, in [0, 1], with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}] (n={self.n})"


def ranks(
    queries: NDArray[np.float32], catalog: NDArray[np.float32], relevant: NDArray[np.bool_], *, block: int = 256
) -> list[NDArray[np.intp]]:
    """Returns, for each query, the rising places of its relevant catalog rows by falling dot product.

    `queries` (q, dim), `catalog` (c, dim), `relevant` (q, c). Ties count against us: an equal score that is not
    relevant stands before one that is.
    """
    found: list[NDArray[np.intp]] = []
    for start in range(0, len(queries), block):
        scores = queries[start : start + block] @ catalog.T
        for row, wanted in zip(scores, relevant[start : start + block], strict=True):
            order = np.lexsort((wanted, -row))
            found.append(np.flatnonzero(wanted[order]))
    return found


def recall_at(places: Sequence[NDArray[np.intp]], k: int) -> Measure:
    """Returns the share of queries with a relevant answer among the first k; a query without one counts as a miss."""
    return mean([float(len(of) > 0 and of[0] < k) for of in places])


def mean_average_precision(places: Sequence[NDArray[np.intp]]) -> Measure:
    """Returns the mean over queries of the precision at each relevant answer."""
    return mean([float(np.mean(np.arange(1, len(of) + 1) / (of + 1))) if len(of) else 0.0 for of in places])


def retrieval(places: Sequence[NDArray[np.intp]]) -> dict[str, Measure]:
    """Returns recall@1, 5, 10 and 20 and mAP, by name."""
    measured = {f"recall@{k}": recall_at(places, k) for k in KS}
    return {**measured, "mAP": mean_average_precision(places)}


def mean(values: Sequence[float]) -> Measure:
    """Returns the values' mean with its interval; zeros without values."""
    data = np.asarray(values, np.float64)
    if data.size == 0:
        return Measure(0.0, 0.0, 0.0, 0)
    dice = np.random.default_rng(0)
    means = data[dice.integers(data.size, size=(RESAMPLES, data.size))].mean(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return Measure(float(data.mean()), float(low), float(high), int(data.size))
