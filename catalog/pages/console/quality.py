"""The measures as tiles, plots and tables, and as a CSV for a spreadsheet."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from catalog.models import Measurement
from catalog.pages.console.access import READ, REVIEW, console
from catalog.pages.console.plots import Bars, Trend, bars, range_of, text_of, trend
from catalog.pages.console.quality_filters import View, selects, view_of
from catalog.pages.console.quality_learning import latest_learning
from catalog.pages.console.quality_tables import matrix_of
from catalog.review.asked import SIMULATED, Asked, find
from catalog.review.confusion import Confusion, confusion
from catalog.review.numbers import Estimate
from catalog.review.quality import GROUPS, MEASURES, Measure, Row, agreements, coverage, measured
from catalog.review.quality import grouped as grouped_by

TITLES = {
    "week": "By week",
    "category": "By category",
    "merchant": "By merchant",
    "encoder": "By encoder",
    "detector": "By detector",
    "version": "By promoted version",
}
# With one group they say what the tiles say.
ONLY_WHERE_SEVERAL = ("merchant", "detector", "version")
CSV_COLUMNS = ("by", "group", "measure", "value", "low", "high", "n", "unit")


@dataclass(frozen=True, slots=True)
class Cell:
    text: str
    range: str
    n: int


@dataclass(frozen=True, slots=True)
class Section:
    """One way to group, with the plot of the chosen measure and the table of all."""

    by: str
    title: str
    plot: Bars | Trend | None
    is_trend: bool
    rows: list[tuple[str, list[Cell]]]


@console(REVIEW, READ)
@require_safe
def home(request: HttpRequest) -> HttpResponseBase:
    """All measures of the searches that the address names. `?measure=` is the one that is drawn."""
    view = view_of(request.GET)
    found = find(view.part)
    asked = found.asked
    return render(
        request,
        "console/quality.html",
        {
            "here": "quality",
            "view": view,
            "selects": selects(view),
            "is_simulated": view.part.traffic == SIMULATED,
            "measures": MEASURES,
            "chosen": view.measure,
            "tiles": list(zip(MEASURES, _cells(measured(asked)), strict=True)),
            "sections": _sections(asked, view),
            "matrix": matrix_of(confusion(asked)),
            "searches": found.total,
            "sampled": found.sampled,
            "judged": sum(one.is_judged for one in asked),
            "verdicts": sum(len(one.said) for one in asked),
            "coverage": round(coverage(asked) * 100),
            "agreements": [(one, f"{one.kappa.value:.2f}", _kappa_range(one.kappa)) for one in agreements(asked)],
            "measurement": _measurement(),
            "learning": latest_learning(is_simulated=view.part.traffic == SIMULATED),
        },
    )


@console(REVIEW, READ)
@require_safe
def as_csv(request: HttpRequest) -> HttpResponseBase:
    """Every measure of every group: one number a row, so that a spreadsheet can turn it as it likes."""
    asked = find(view_of(request.GET).part).asked
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="match-quality.csv"'
    response.write("\ufeff")  # or spreadsheets read it in another encoding
    writer = csv.writer(response)
    writer.writerow(CSV_COLUMNS)
    for by, rows in [("all", [measured(asked)]), *((by, grouped_by(asked, by)) for by in GROUPS)]:
        for row in rows:
            for measure, one in zip(MEASURES, row.estimates, strict=True):
                if one is not None:
                    numbers = [f"{value:.4f}" for value in (one.value, one.low, one.high)]
                    writer.writerow([by, _harmless(row.group), measure.key, *numbers, one.n, measure.unit or "share"])
    writer.writerows(_agreement_rows(asked))
    writer.writerows(_confusion_rows(confusion(asked)))
    return response


def _sections(asked: Sequence[Asked], view: View) -> list[Section]:
    sections = []
    for by in GROUPS:
        rows = grouped_by(asked, by)
        if len(rows) > 1 or by not in ONLY_WHERE_SEVERAL:
            sections.append(_section(by, rows, view.measure))
    return sections


def _section(by: str, rows: Sequence[Row], chosen: Measure) -> Section:
    place = MEASURES.index(chosen)
    values = [(row.group, one) for row in rows if (one := row.estimates[place]) is not None]
    draw = trend if by == "week" else bars
    return Section(by, TITLES[by], draw(values, chosen.unit), by == "week", [(row.group, _cells(row)) for row in rows])


def _cells(row: Row) -> list[Cell]:
    return [_cell(one, measure.unit) for measure, one in zip(MEASURES, row.estimates, strict=True)]


def _cell(one: Estimate | None, unit: str = "") -> Cell:
    return Cell(text_of(one, unit), range_of(one, unit), one.n if one else 0)


def _kappa_range(one: Estimate) -> str:
    return f"{one.low:.2f} to {one.high:.2f}"


def _measurement() -> dict[str, Any] | None:
    """Returns the latest run of measure_catalog: a row for each category, a column for each kind of query."""
    latest = Measurement.objects.first()
    if latest is None:
        return None
    report = latest.report
    categories = dict.fromkeys(category for measures in report.values() for category in measures)
    rows = [(category, [_recalls(measures.get(category)) for measures in report.values()]) for category in categories]
    return {"run": latest, "kinds": [kind.replace("_", " ").capitalize() for kind in report], "rows": rows}


def _recalls(measures: dict[str, Any] | None) -> tuple[Cell, Cell, Cell] | None:
    """Returns recall@1, @5 and @10; None where nothing was asked."""
    if measures is None:
        return None
    first, five, ten = (Estimate(**measures[f"recall@{k}"]) for k in (1, 5, 10))
    return _cell(first), _cell(five), _cell(ten)


def _agreement_rows(asked: Sequence[Asked]) -> list[list[Any]]:
    return [
        ["reviewers", _harmless(f"{one.first}, {one.second}"), "kappa", *_numbers(one.kappa), one.kappa.n, "kappa"]
        for one in agreements(asked)
    ]


def _numbers(one: Estimate) -> list[str]:
    return [f"{value:.4f}" for value in (one.value, one.low, one.high)]


def _confusion_rows(found: Confusion | None) -> list[list[Any]]:
    """A row for each cell: how many searches that were taken for one category are of another."""
    if found is None:
        return []
    return [
        ["confusion", _harmless(name), _harmless(f"is {actual}"), count, "", "", found.n, "searches"]
        for name, row in zip(found.names, found.cells, strict=True)
        for actual, count in zip(found.actual_names, row, strict=True)
        if count
    ]


def _harmless(cell: str) -> str:
    """A cell that begins like a formula gets an apostrophe: spreadsheets show it and calculate nothing."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
