"""Who is answered by which side of a live A/B: by a hash of the visitor, the same side at each of her searches.

The visitor is a random number in a cookie of this shop's own, set by the first search while a trial runs: not readable
by scripts, not sent along from other sites, worth nothing elsewhere. What is kept is its hash with the trial's number,
so visits of two trials can't be joined. Programs, and widgets on other sites, carry no cookie: they take no part.
"""

import hashlib
import re
import secrets
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from functools import wraps
from typing import ParamSpec
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

from catalog.models import Feedback, SearchRecord, TrialVisit
from catalog.serving import RunningTrial, pinned, serving
from catalog.versions.trials import COUNTED_AFTER

P = ParamSpec("P")
View = Callable[..., HttpResponseBase]

COOKIE = "shop_search_visitor"
COOKIE_AGE_S = 30 * 24 * 3600
_NUMBER = re.compile(r"[0-9a-f]{32}")


@dataclass(slots=True)
class Visit:
    """A visitor of a trial, during one request. `is_noted` once a search of hers is to be recorded."""

    trial: int
    visitor: str  # hash
    is_challenger: bool
    is_noted: bool = False


_visit: ContextVar[Visit | None] = ContextVar("visit", default=None)


def side_of(trial: RunningTrial, number: str) -> Visit:
    """Returns on which side of the trial a visitor is: it depends on nothing but the two."""
    hashed = hashlib.sha256(f"{trial.pk}:{number}".encode()).hexdigest()[:32]
    return Visit(trial.pk, hashed, int(hashed[:8], 16) / 2**32 < trial.share)


def by_visitor(view: View) -> View:
    """A view whose searches are answered by the visitor's side while a trial runs."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        now = serving()
        if now.trial is None or not _is_of_a_page_of_ours(request):
            return view(request, *args, **kwargs)
        number = request.COOKIES.get(COOKIE, "")
        is_known = _NUMBER.fullmatch(number) is not None
        number = number if is_known else secrets.token_hex(16)
        visit = side_of(now.trial, number)
        token = _visit.set(visit)
        try:
            with pinned(now.with_version(now.trial.challenger) if visit.is_challenger else now):
                response = view(request, *args, **kwargs)
        finally:
            _visit.reset(token)
        if visit.is_noted and not is_known and hasattr(response, "set_cookie"):
            response.set_cookie(
                COOKIE, number, max_age=COOKIE_AGE_S, httponly=True, samesite="Lax", secure=request.is_secure()
            )
        return response

    return wrapped


def expect_visit() -> None:
    """Tells that a search of this visitor will be recorded: then she gets her cookie with the answer."""
    visit = _visit.get()
    if visit is not None:
        visit.is_noted = True


def note_visit() -> int | None:
    """Returns the id of this visitor's visit for the search that is being recorded; None outside of a trial."""
    visit = _visit.get()
    if visit is None:
        return None
    row, _ = TrialVisit.objects.get_or_create(
        trial_id=visit.trial,
        visitor=visit.visitor,
        defaults={"is_challenger": visit.is_challenger, "first_at": timezone.now()},
    )
    return row.pk


def note_click(feedback: Feedback) -> None:
    """Counts a click for the visit that the search belongs to, if it came in time."""
    if feedback.verdict != Feedback.Verdict.CLICK:
        return
    visits = SearchRecord.objects.filter(pk=feedback.search_id).values("visit")
    since = timezone.now() - COUNTED_AFTER
    TrialVisit.objects.filter(pk__in=visits, first_at__gt=since, has_clicked=False).update(has_clicked=True)


def _is_of_a_page_of_ours(request: HttpRequest) -> bool:
    """Says whether a browser asks from a page of this site, or for the page itself.

    Programs and pages of other sites send no cookie of ours back: each search of theirs would be a new visitor.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("Origin", "")  # browsers leave the other away where the site has no https
    return origin != "" and urlsplit(origin).netloc == request.get_host()
