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
        return GateVerdict((Line("It was compared with what is live.", False),))
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
    judged = {
        name: float(found["difference"]) for name, found in groups.items() if found["n"] >= limits["category_queries"]
    }
    losing = {name: lost for name, lost in judged.items() if lost < -limits["category_loss"]}
    if not judged:
        return [Line(f"{measure}: no category has {limits['category_queries']} queries to be judged by.", True)]
    allowed = f"more than {limits['category_loss']:g} on {limits['category_queries']} queries or more"
    if not losing:
        return [Line(f"{measure}: none of {len(judged)} categories loses {allowed}.", True)]
    return [Line(f"{measure}: {name} loses {-lost:.3f}, {allowed} is refused.", False) for name, lost in losing.items()]


def _latency(report: Mapping[str, Any], limits: Mapping[str, Any]) -> list[Line]:
    times = report.get("latency_ms")
    if not times:
        return []
    ratio = times["after"]["p50"] / max(times["before"]["p50"], 1e-9)
    most = limits["latency_ratio"]
    return [Line(f"Latency: {ratio:.2f} times that of what is live; allowed is {most:g} times.", ratio <= most)]
