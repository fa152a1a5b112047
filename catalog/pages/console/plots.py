"""Where bars, points and words of a plot go, for templates that write SVG. The table beside a plot says the same."""

from collections.abc import Sequence
from dataclasses import dataclass

from catalog.review.numbers import Estimate

WIDTH = 640
ROW, LABEL, VALUE = 30, 170, 80  # pixels: height of a bar's row, width of names and of numbers beside bars
HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 220, 52, 16, 14, 28
MOST_BARS = 15
MOST_NAMED = 8  # dates under a trend
_STEPS = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True, slots=True)
class Bar:
    name: str
    text: str
    y: float
    width: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Bars:
    """Horizontal bars with their intervals, all on one scale from 0."""

    bars: tuple[Bar, ...]
    height: int
    width: int = WIDTH
    left: int = LABEL


@dataclass(frozen=True, slots=True)
class Dot:
    x: float
    y: float
    low: float
    high: float
    name: str
    text: str
    is_named: bool


@dataclass(frozen=True, slots=True)
class Tick:
    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Trend:
    """Points in time with their intervals, joined by a line."""

    dots: tuple[Dot, ...]
    ticks: tuple[Tick, ...]
    line: str
    height: int = HEIGHT
    width: int = WIDTH
    left: int = LEFT
    right: int = WIDTH - RIGHT


def text_of(estimate: Estimate | None, unit: str = "") -> str:
    """Returns "82 %", "41 ms", or "n/a" where there is nothing to say."""
    if estimate is None:
        return "n/a"
    return f"{estimate.value:.0f} {unit}" if unit else f"{estimate.value * 100:.0f} %"


def range_of(estimate: Estimate | None, unit: str = "") -> str:
    """Returns "74 to 88 %"."""
    if estimate is None:
        return ""
    scale, sign = (1, unit) if unit else (100, "%")
    return f"{estimate.low * scale:.0f} to {estimate.high * scale:.0f} {sign}"


def bars(values: Sequence[tuple[str, Estimate]], unit: str = "") -> Bars | None:
    """Returns the plot of the first MOST_BARS values; None without any."""
    shown = values[:MOST_BARS]
    if not shown:
        return None
    room = WIDTH - LABEL - VALUE
    top = _top(shown, unit)
    return Bars(
        tuple(
            Bar(
                name=_short(name),
                text=text_of(one, unit),
                y=place * ROW,
                width=round(one.value / top * room, 1),
                low=round(LABEL + one.low / top * room, 1),
                high=round(LABEL + min(one.high, top) / top * room, 1),
            )
            for place, (name, one) in enumerate(shown)
        ),
        height=len(shown) * ROW,
    )


def trend(values: Sequence[tuple[str, Estimate]], unit: str = "") -> Trend | None:
    """Returns the plot of values in their order; None without any."""
    if not values:
        return None
    top = _top(values, unit)
    room, tall = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def x(place: int) -> float:
        return round(LEFT + room * (place + 0.5) / len(values), 1)

    def y(value: float) -> float:
        return round(TOP + tall * (1 - min(value, top) / top), 1)

    every = -(-len(values) // MOST_NAMED)
    dots = tuple(
        Dot(x(place), y(one.value), y(one.low), y(one.high), name, text_of(one, unit), place % every == 0)
        for place, (name, one) in enumerate(values)
    )
    ticks = tuple(
        Tick(y(top * part / 4), f"{top * part / 4 * (1 if unit else 100):.0f} {unit or '%'}") for part in range(5)
    )
    return Trend(dots, ticks, " ".join(f"{dot.x},{dot.y}" for dot in dots))


def _top(values: Sequence[tuple[str, Estimate]], unit: str) -> float:
    """Returns where the scale ends: 1 for shares, else a round number no lower than any value."""
    if not unit:
        return 1.0
    most = max([1.0, *(one.high for _, one in values)])
    power = 10.0 ** (len(str(int(most))) - 1)
    return next(step * power for step in _STEPS if step * power >= most)


def _short(name: str) -> str:
    """Returns the name without its middle where it is long: models differ at their end."""
    return name if len(name) <= 18 else f"{name[:8]}…{name[-9:]}"
