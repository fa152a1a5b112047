"""Numbers on pairs: the same queries through two versions. Pure functions; intervals are 95 %.

What differs between two queries is large, what differs between two versions on one query is small: the difference is
taken query by query, and its interval from drawing whole clusters of queries again (paired cluster bootstrap: Efron and
Tibshirani, "An Introduction to the Bootstrap", 1993; for retrieval: Sakai, SIGIR 2006).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

DRAWS = 4000
# With no query that differs there is nothing to draw: then the truth may differ in as many as the rule of three allows.
RULE_OF_THREE = 3.0


@dataclass(frozen=True, slots=True)
class Pair:
    """One query: what each version reached by one measure."""

    before: float
    after: float
    cluster: str


@dataclass(frozen=True, slots=True)
class Difference:
    """After minus before, with its interval. `p` is of the sign test on wins and losses: both as likely."""

    n: int
    clusters: int
    before: float
    after: float
    difference: float
    low: float
    high: float
    wins: int
    losses: int
    ties: int
    p: float


def difference(pairs: Sequence[Pair], *, seed: int = 0) -> Difference | None:
    """Returns how two versions differ on these queries; None without any.

    Where fewer clusters differ than a bootstrap can draw from, the interval is widened by the rule of three: of n
    clusters alike, up to 3/n of all may differ (Hanley and Lippman-Hand, 1983).
    """
    if not pairs:
        return None
    names = sorted({pair.cluster for pair in pairs})
    row_of = {name: row for row, name in enumerate(names)}
    sums, counts = np.zeros(len(names)), np.zeros(len(names))
    for pair in pairs:
        sums[row_of[pair.cluster]] += pair.after - pair.before
        counts[row_of[pair.cluster]] += 1
    mean = float(sums.sum() / counts.sum())
    low, high = _bootstrap(sums, counts, seed)
    slack = RULE_OF_THREE / len(names) / 2 if np.count_nonzero(sums) < 5 else 0.0
    wins = sum(pair.after > pair.before for pair in pairs)
    losses = sum(pair.after < pair.before for pair in pairs)
    return Difference(
        n=len(pairs),
        clusters=len(names),
        before=float(np.mean([pair.before for pair in pairs])),
        after=float(np.mean([pair.after for pair in pairs])),
        difference=mean,
        low=max(-1.0, min(low, mean) - slack),
        high=min(1.0, max(high, mean) + slack),
        wins=wins,
        losses=losses,
        ties=len(pairs) - wins - losses,
        p=sign_test(wins, losses),
    )


def _bootstrap(sums: np.ndarray, counts: np.ndarray, seed: int) -> tuple[float, float]:
    """Returns the percentiles of the mean over clusters drawn again; without a draw where all are alike."""
    if len(sums) == 1 or not np.any(sums):
        mean = float(sums.sum() / counts.sum())
        return mean, mean
    dice = np.random.default_rng(seed)
    means = np.empty(DRAWS)
    for start in range(0, DRAWS, 500):  # a block of draws at a time: memory stays small with many queries
        drawn = dice.integers(0, len(sums), (500, len(sums)))
        means[start : start + 500] = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def sign_test(wins: int, losses: int) -> float:
    """Returns the two-sided chance of so uneven a split if each were as likely: exact, ties aside."""
    n, fewer = wins + losses, min(wins, losses)
    if n == 0:
        return 1.0
    logs = [
        math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) - n * math.log(2) for k in range(fewer + 1)
    ]
    return min(1.0, 2 * math.fsum(math.exp(one) for one in logs))
