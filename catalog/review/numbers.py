"""Numbers with the doubt that belongs to them: shares by Wilson's interval, percentiles by order statistics, kappa.

Pure functions. Intervals are 95 %.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

Z = 1.959964  # the normal distribution's 97.5 %


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its interval. `n` counts what it was read from: searches, results or pairs."""

    value: float
    low: float
    high: float
    n: int


def share(values: Sequence[float], weights: Sequence[float] | None = None) -> Estimate | None:
    """Returns the weighted mean of values in [0, 1]; None without values.

    The interval is Wilson's on the effective number of values (Kish): for a mean of anything in [0, 1] it is never too
    narrow, because nothing there varies more than yes and no do. Source: Wilson, 1927; Kish, "Survey Sampling", 1965.
    """
    if not values:
        return None
    heavy = list(weights) if weights is not None else [1.0] * len(values)
    total = sum(heavy)
    mean = sum(value * weight for value, weight in zip(values, heavy, strict=True)) / total
    effective = total**2 / sum(weight**2 for weight in heavy)
    low, high = wilson(mean, effective)
    return Estimate(mean, low, high, len(values))


def wilson(mean: float, n: float) -> tuple[float, float]:
    """Returns the interval of a share that was read off `n` values."""
    spread = Z * math.sqrt(max(0.0, mean * (1 - mean)) / n + Z**2 / (4 * n**2))
    middle = mean + Z**2 / (2 * n)
    scale = 1 + Z**2 / n
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)


def percentile(values: Sequence[float], at: float) -> Estimate | None:
    """Returns a percentile (`at` in (0, 1)); its interval ends at values whose rank is so far from it by chance."""
    if not values:
        return None
    ordered = sorted(values)
    n = len(ordered)
    spread = Z * math.sqrt(n * at * (1 - at))
    low, middle, high = (
        ordered[min(n - 1, max(0, math.ceil(place) - 1))] for place in (n * at - spread, n * at, n * at + spread + 1)
    )
    return Estimate(middle, low, high, n)


def ndcg(gains: Sequence[float]) -> float | None:
    """Returns the discounted gain of results in their order beside that of their best order; None where none is good.

    Source: Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques", 2002, with 2^gain - 1.
    """
    best = _discounted(sorted(gains, reverse=True))
    return _discounted(gains) / best if best else None


def _discounted(gains: Sequence[float]) -> float:
    return sum((2**gain - 1) / math.log2(place + 2) for place, gain in enumerate(gains))


def kappa(pairs: Sequence[tuple[str, str]]) -> Estimate | None:
    """Returns Cohen's kappa of two reviewers' words on the same results: 1 agree always, 0 as often as by chance.

    None without pairs, and where both only ever said one and the same, which tells nothing. The interval is the normal
    approximation. Source: Cohen, "A coefficient of agreement for nominal scales", 1960.
    """
    n = len(pairs)
    if n == 0:
        return None
    agreed = sum(first == second for first, second in pairs) / n
    firsts, seconds = Counter(first for first, _ in pairs), Counter(second for _, second in pairs)
    chance = sum(firsts[word] * seconds[word] for word in firsts) / n**2
    if chance == 1:
        return None
    value = (agreed - chance) / (1 - chance)
    spread = Z * math.sqrt(agreed * (1 - agreed) / n) / (1 - chance)
    return Estimate(value, max(-1.0, value - spread), min(1.0, value + spread), n)
