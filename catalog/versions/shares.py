"""A share of visitors with its interval."""

import math
from dataclasses import asdict, dataclass

Z = 1.959964  # the normal distribution's 97.5 %


@dataclass(frozen=True, slots=True)
class Share:
    """How many of those that were seen clicked, with Wilson's 95 % interval (1927)."""

    clicked: int
    seen: int

    @property
    def value(self) -> float:
        return self.clicked / self.seen if self.seen else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        if not self.seen:
            return 0.0, 1.0
        n, mean = self.seen, self.value
        middle = (mean + Z**2 / (2 * n)) / (1 + Z**2 / n)
        spread = Z * math.sqrt(mean * (1 - mean) / n + Z**2 / (4 * n**2)) / (1 + Z**2 / n)
        return max(0.0, middle - spread), min(1.0, middle + spread)

    def as_json(self) -> dict[str, float]:
        low, high = self.interval
        return {**asdict(self), "value": round(self.value, 5), "low": round(low, 5), "high": round(high, 5)}
