"""What a version must have shown before it goes live. The limits are `settings.VERSION_GATE`.

The gate reads the version's latest comparison with what is live now: one with anything else says nothing.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from django.conf import settings

from catalog.models import Comparison, LiveVersion, Version

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Line:
    """One condition, and what was measured."""

    text: str
    passes: bool


@dataclass(frozen=True, slots=True)
class GateVerdict:
    """All conditions; it opens when all of them pass."""

    lines: tuple[Line, ...]
    comparison: Comparison | None = None

    @property
    def passes(self) -> bool:
        return all(line.passes for line in self.lines)

    @property
    def failing(self) -> tuple[Line, ...]:
        return tuple(line for line in self.lines if not line.passes)

    def as_json(self) -> list[Json]:
        return [asdict(line) for line in self.lines]


def gate(version: Version) -> GateVerdict:
    """Returns what the gate says of this version today."""
    live = LiveVersion.objects.filter(pk=version.kind).values_list("version", flat=True).first()
    latest = version.comparisons.filter(against=live).defer("outcomes").first()
    if latest is None:
        return GateVerdict((Line("It was not yet compared with what is live now.", False),))
    return GateVerdict(lines_of(latest.report, version.kind), latest)


def lines_of(report: Mapping[str, Any], kind: str) -> tuple[Line, ...]:
    """Returns the conditions for a report, in the order in which people read them."""
    limits: Mapping[str, Any] = settings.VERSION_GATE
    wanted: Mapping[str, float] = limits["measures"][kind]
    lines: list[Line] = []
    for measure, least in wanted.items():
        found = report["measures"].get(measure, {}).get("all")
        n = 0 if found is None else int(found["n"])
        lines.append(Line(f"{measure}: {n} queries, at least {limits['queries']}.", n >= limits["queries"]))
        if found is not None:
            low = float(found["low"])
            lines.append(
                Line(
                    f"{measure}: difference {found['difference']:+.3f}, at worst {low:+.3f}; allowed is {least:+.3f}.",
                    low >= least,
                )
            )
            lines += _categories(measure, report["measures"][measure].get("categories", {}), limits)
    lines += _latency(report, limits)
    return tuple(lines)


def _categories(measure: str, groups: Mapping[str, Any], limits: Mapping[str, Any]) -> list[Line]:
    """A condition on each category with enough queries; those that pass are told together."""
    most, enough = limits["category_loss"], limits["category_queries"]
    judged = {name: found for name, found in groups.items() if found["n"] >= enough}
    if not judged:
        return [Line(f"{measure}: no category has {enough} queries to be judged by.", True)]
    losing = {name: found for name, found in judged.items() if found["difference"] < -most}
    if not losing:
        return [
            Line(f"{measure}: of {len(judged)} categories with {enough} queries none loses more than {most:g}.", True)
        ]
    return [
        Line(f"{measure}: {name} loses {-found['difference']:.3f} on {found['n']} queries; allowed is {most:g}.", False)
        for name, found in losing.items()
    ]


def _latency(report: Mapping[str, Any], limits: Mapping[str, Any]) -> list[Line]:
    times = report.get("latency_ms")
    if not times:
        return []
    ratio = times["after"]["p50"] / max(times["before"]["p50"], 1e-9)
    most = limits["latency_ratio"]
    return [Line(f"Latency: {ratio:.2f} times that of what is live; allowed is {most:g} times.", ratio <= most)]
