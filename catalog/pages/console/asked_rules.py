"""What the form of a curation rule says: read once, with a sentence for each field that can't be read."""

from datetime import datetime
from uuid import UUID

from django.http import QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from catalog.curation.curating import Draft
from shop_search.errors import InputError


def draft_of(form: QueryDict) -> Draft:
    """Returns the rule that a form asks for. Raises InputError `curation_invalid` with what can't be read."""
    fields: dict[str, str] = {}
    where = form.get("where", "category")
    draft = Draft(
        kind=form.get("kind", ""),
        product=_whole(form, "product", fields) or 0,
        category=form.get("category", "") if where == "category" else "",
        search=_search(form.get("search", "")) if where == "cluster" else None,
        rank=_whole(form, "rank", fields) if form.get("kind") == "pin" else None,
        factor=_number(form, "factor", fields) if form.get("kind") == "boost" else None,
        least_score=_number(form, "least_score", fields) if where == "cluster" else None,
        starts_at=_time(form, "starts_at", fields),
        ends_at=_time(form, "ends_at", fields),
        why=form.get("why", ""),
    )
    if fields:
        raise InputError("curation_invalid", "Some fields can't be used: see `fields`.", fields=fields)
    return draft


def _whole(form: QueryDict, name: str, fields: dict[str, str]) -> int | None:
    text = form.get(name, "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 18):
        fields[name] = f"{text[:40]!r} is no whole number."
        return None
    return int(text)


def _number(form: QueryDict, name: str, fields: dict[str, str]) -> float | None:
    text = form.get(name, "").strip()
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        fields[name] = f"{text[:40]!r} is no number."
        return None


def _time(form: QueryDict, name: str, fields: dict[str, str]) -> datetime | None:
    text = form.get(name, "").strip()
    if not text:
        return None
    try:
        found = parse_datetime(text)
    except ValueError:
        found = None
    if found is None:
        fields[name] = f"{text[:40]!r} is no date and time."
        return None
    return timezone.make_aware(found) if timezone.is_naive(found) else found


def _search(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
