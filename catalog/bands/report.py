"""What bands reach on products that they were not fitted to, as JSON and as a table for a terminal.

Thresholds fitted to one half of the products are judged on the other, and the other way round, so that every product
is judged once; those that are kept are then fitted to all.
"""

from collections.abc import Sequence
from typing import Any

from catalog.bands import Band, Bands
from catalog.bands.thresholds import FALSE_SAME, Kind, Rate, Score, fit, rate

Judged = tuple[Sequence[Score], Bands]
ALL = "all"
REACHED = (Band.SAME_PHOTO, Band.SAME_PRODUCT, Band.SIMILAR)
_WORDS = {
    Kind.COPY: "copy of the picture",
    Kind.OWN_PHOTO: "photo made of the only picture",
    Kind.SECOND_PHOTO: "photo made of another picture",
    Kind.REMOVED: "product taken out of the shop",
    Kind.CATEGORY_REMOVED: "its category taken out of the shop",
    Kind.NEVER_SOLD: "thing that is not sold here",
    Kind.COPY_REMOVED: "copy of a removed product's picture",
}


def cross_report(scores: Sequence[Score], bands: Bands, *, false_same: float = FALSE_SAME) -> dict[str, Any]:
    """Returns what thresholds reach that were fitted like `bands`, each to the fold that it is not judged on.

    Raises InputError as `fit` does.
    """
    judged: list[Judged] = []
    for fold in (0, 1):
        fitted = fit([one for one in scores if one.fold != fold], false_same=false_same)
        judged.append(([one for one in scores if one.fold == fold], fitted))
    return _report(judged, bands)


def report(scores: Sequence[Score], bands: Bands) -> dict[str, Any]:
    """Returns, by category slug and kind of score, how many of n reach each of these bands or a better one.

    `all` has every category, each by its own thresholds; the others are those that have thresholds of their own.
    """
    return _report([(scores, bands)], bands)


def table(document: dict[str, Any]) -> list[str]:
    """Returns lines that say the thresholds and what they reach; `document` is what the command prints as JSON."""
    lines = []
    for category, kinds in document["report"].items():
        thresholds = document["thresholds"]["" if category == ALL else category]
        named = ", ".join(f"{band} {thresholds[band]:.3f}" for band in map(str, REACHED))
        title = "All together; those without thresholds of their own" if category == ALL else category
        lines.append(f"{title}: {named}")
        lines.append(f"  {'':37}{'n':>5}" + "".join(f"{band.replace('_', ' '):>24}" for band in REACHED))
        for kind, reached in kinds.items():
            cells = "".join(f"{_cell(reached[str(band)]):>24}" for band in REACHED)
            lines.append(f"  {_WORDS[Kind(kind)]:37}{reached['n']:>5}{cells}")
        lines.append("")
    return lines


def _report(judged: Sequence[Judged], bands: Bands) -> dict[str, Any]:
    return {category or ALL: _of(judged, category) for category in (None, *bands.by_category)}


def _of(judged: Sequence[Judged], category: str | None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for kind in _WORDS:
        rates = {
            band: sum((rate(scores, bands, kind, band, category) for scores, bands in judged), Rate(0, 0))
            for band in REACHED
        }
        n = rates[Band.SIMILAR].n
        if n:
            found[str(kind)] = {"n": n, **{str(band): _numbers(one) for band, one in rates.items()}}
    return found


def _numbers(one: Rate) -> dict[str, Any]:
    return {
        "reached": one.reached,
        "share": round(one.share, 4),
        "low": round(one.low, 4),
        "high": round(one.high, 4),
    }


def _cell(numbers: dict[str, Any]) -> str:
    return f"{numbers['share']:.1%} ({numbers['low']:.1%}-{numbers['high']:.1%})"
