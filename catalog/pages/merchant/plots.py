"""Bars over days, as numbers for an SVG. Numbers are texts: no language may respell them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

HEIGHT = 100
_GAP = 0.25  # of a day's width


@dataclass(frozen=True, slots=True)
class Bar:
    day: date
    value: int
    x: str
    y: str
    width: str
    height: str


@dataclass(frozen=True, slots=True)
class Plot:
    """Bars in a picture as many units wide as there are days, and HEIGHT high."""

    bars: Sequence[Bar]
    width: str
    most: int
    total: int


def plot(values: Sequence[tuple[date, int]]) -> Plot:
    """Returns a bar for each day; the largest is HEIGHT high, and what is there is seen."""
    most = max((value for _, value in values), default=0)
    bars = []
    for number, (day, value) in enumerate(values):
        height = max(1.0, HEIGHT * value / most) if value else 0.0
        x = number + _GAP / 2
        bars.append(Bar(day, value, f"{x:.3f}", f"{HEIGHT - height:.1f}", f"{1 - _GAP:.3f}", f"{height:.1f}"))
    return Plot(bars, str(max(len(bars), 1)), most, sum(value for _, value in values))


def share(count: int, most: int) -> str:
    """Returns the length, of 100, of a bar that lies beside others; what is there is seen."""
    return f"{max(1.0, 100 * count / most):.1f}" if count and most else "0"
