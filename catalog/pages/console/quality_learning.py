"""What nightly learning did, for the quality page."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from catalog.models import LearningRun
from catalog.pages.console.plots import WIDTH

SHOWN_RUNS = 8
# The plot of attention: height, and room for words at its left, top and bottom, in pixels.
HEIGHT, LEFT, TOP, BOTTOM = 180, 52, 14, 28


@dataclass(frozen=True, slots=True)
class Bar:
    name: str
    text: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Learning:
    """The latest run, its weights, and what runs before it came to."""

    run: LearningRun
    weights: tuple[tuple[str, str, str], ...]  # part, today, learned
    gains: tuple[tuple[str, str], ...]
    decay: str
    bars: tuple[Bar, ...]
    runs: tuple[LearningRun, ...]
    width: int = WIDTH
    height: int = HEIGHT


def latest_learning(*, is_simulated: bool) -> Learning | None:
    """Returns the latest run that learned from such shoppers; None without one."""
    runs = tuple(LearningRun.objects.filter(is_simulated=is_simulated)[:SHOWN_RUNS])
    if not runs:
        return None
    run = runs[0]
    report: Mapping[str, Any] = run.report
    looked: Mapping[str, Any] = report.get("attention") or {}
    return Learning(
        run=run,
        weights=tuple((part, f"{run.before[part]:.3f}", f"{run.after[part]:.3f}") for part in run.before),
        gains=tuple(
            (label, _gain(report.get(name)))
            for name, label in (("clicks", "Clicks, by their new ranks"), ("verdicts", "nDCG@10 of verdicts"))
        ),
        decay=_decay(looked),
        bars=_bars(looked.get("at") or []),
        runs=runs,
    )


def _gain(gain: Mapping[str, Any] | None) -> str:
    if not gain:
        return "nothing to read it from"
    return f"{gain['value']:+.4f} (99 %: {gain['low']:+.4f} to {gain['high']:+.4f}), n={gain['n']}"


def _decay(looked: Mapping[str, Any]) -> str:
    if not looked or looked.get("low") is None:
        return ""
    return f"{looked['decay']:.2f} ({looked['low']:.2f} to {looked['high']:.2f})"


def _bars(at: list[list[float]]) -> tuple[Bar, ...]:
    if not at:
        return ()
    step = (WIDTH - LEFT) / len(at)
    tall = HEIGHT - TOP - BOTTOM
    return tuple(
        Bar(
            f"{rank:.0f}",
            f"{value * 100:.0f} %",
            round(LEFT + place * step + step * 0.15, 1),
            round(TOP + tall * (1 - value), 1),
            round(step * 0.7, 1),
            round(tall * value, 1),
        )
        for place, (rank, value) in enumerate(at)
    )
