"""The audit page: who changed what shoppers see, when and why; by who, what and when, and as CSV."""

import csv
import json
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_safe

from catalog.models import AuditEntry
from catalog.pages.console.access import OPERATE, console

EACH_PAGE = 50
COLUMNS = ("at", "by", "action", "subject", "why", "details")
_FIELDS = ("who", "what", "about", "since", "until")


@console(OPERATE)
@require_safe
def home(request: HttpRequest) -> HttpResponseBase:
    """The entries, the newest first. `?who= &what= &about= &since= &until=` narrow them."""
    asked = _asked(request)
    pages = Paginator(_found(asked), EACH_PAGE)
    shown = pages.get_page(request.GET.get("page"))
    names = AuditEntry.objects.order_by()
    query = request.GET.copy()
    query.pop("page", None)
    return render(
        request,
        "console/audit.html",
        {
            "here": "audit",
            "page": shown,
            "total": pages.count,
            "asked": asked,
            "is_narrowed": any(asked.values()),
            "people": sorted(names.values_list("by_name", flat=True).distinct()),
            "actions": sorted(names.values_list("action", flat=True).distinct()),
            "query": query.urlencode(),
        },
    )


@console(OPERATE)
@require_safe
def as_csv(request: HttpRequest) -> HttpResponseBase:
    """The same entries, all of them, one a row."""
    response = StreamingHttpResponse(_rows(_found(_asked(request))), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="audit.csv"'
    return response


def _asked(request: HttpRequest) -> dict[str, str]:
    return {name: request.GET.get(name, "").strip()[:200].replace("\x00", "") for name in _FIELDS}


def _found(asked: dict[str, str]) -> QuerySet[AuditEntry]:
    found = AuditEntry.objects.all()
    if asked["who"]:
        found = found.filter(by_name=asked["who"])
    if asked["what"]:
        found = found.filter(action=asked["what"])
    if asked["about"]:
        found = found.filter(subject__icontains=asked["about"])
    if since := _day(asked["since"]):
        found = found.filter(created_at__gte=since)
    if until := _day(asked["until"]):
        found = found.filter(created_at__lt=until + timedelta(days=1))
    return found


def _day(text: str) -> datetime | None:
    """Returns the beginning of a day; None for what is none."""
    try:
        day = parse_date(text)
        return datetime.combine(day, time(), UTC) if day and day.year < 9999 else None
    except ValueError:
        return None


class _Line:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text


def _rows(found: QuerySet[AuditEntry]) -> Iterator[str]:
    writer: Any = csv.writer(_Line())
    yield "\ufeff"  # or spreadsheets read it in another encoding
    yield writer.writerow(COLUMNS)
    for one in found.iterator(chunk_size=500):
        details = json.dumps(one.details, ensure_ascii=False) if one.details else ""
        cells = [one.by_name, one.action, one.subject, one.why, details]
        yield writer.writerow([one.created_at.isoformat(), *map(_harmless, cells)])


def _harmless(cell: str) -> str:
    """A cell that begins like a formula gets an apostrophe: spreadsheets show it and calculate nothing."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
