"""How measurements are summed up and shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Milliseconds over `n` measurements."""

    n: int
    p50: float
    p95: float

    @classmethod
    def of(cls, values_ms: Sequence[float]) -> "Percentiles":
        p50, p95 = np.percentile(values_ms, [50, 95])
        return cls(len(values_ms), round(float(p50), 2), round(float(p95), 2))


def table(title: str, rows: Mapping[str, Percentiles]) -> str:
    """Returns the rows as lines for a terminal."""
    lines = [f"{title:<28}{'p50':>9}{'p95':>9}  ms"]
    lines += [f"  {name:<26}{row.p50:>9.1f}{row.p95:>9.1f}" for name, row in rows.items()]
    return "\n".join(lines)
