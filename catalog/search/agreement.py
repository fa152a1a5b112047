"""Whether this shopper agreed that shops may learn what she looked for in vain: her choice, off unless she makes it.

    choice on the page -> a random number in a cookie of this shop's own -> its hash beside each search she makes

The number is readable by no script, sent along from no other site, and ends with the choice: then what was kept by it
is forgotten too. Without the cookie nothing is kept of who searched.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from contextvars import ContextVar

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from catalog.models import AgreedSearch, SearchRecord

COOKIE = "shop_search_agreed"
COOKIE_AGE_S = 365 * 24 * 3600
_NUMBER = re.compile(r"[0-9a-f]{32}")

_searcher: ContextVar[str] = ContextVar("searcher", default="")


class Agreement:
    """Middleware: searches of this request are the searcher's who agreed, if she did."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        token = _searcher.set(searcher_of(request))
        try:
            return self._get_response(request)
        finally:
            _searcher.reset(token)


def searcher_of(request: HttpRequest) -> str:
    """Returns the pseudonym of a shopper who agreed, "" for all others."""
    number = request.COOKIES.get(COOKIE, "")
    if not _NUMBER.fullmatch(number):
        return ""
    return hmac.new(settings.SECRET_KEY.encode(), f"agreed:{number}".encode(), hashlib.sha256).hexdigest()[:32]


def has_agreed() -> bool:
    """Returns whether the shopper of this request did."""
    return bool(_searcher.get())


def note_agreement(record: SearchRecord) -> None:
    """Keeps the search among those that may be counted, if its shopper agreed. Call it in the record's transaction."""
    searcher = _searcher.get()
    if searcher:
        AgreedSearch.objects.create(search=record, searcher=searcher)


def agree(request: HttpRequest, response: HttpResponseBase) -> None:
    """Gives the shopper's device the number that says she agreed; one that has it keeps it."""
    number = request.COOKIES.get(COOKIE, "")
    response.set_cookie(
        COOKIE,
        number if _NUMBER.fullmatch(number) else secrets.token_hex(16),
        max_age=COOKIE_AGE_S,
        httponly=True,
        samesite="Lax",
        secure=request.is_secure(),
    )


def take_back(request: HttpRequest, response: HttpResponseBase) -> None:
    """Forgets that the shopper agreed, and which of her searches were kept by it."""
    searcher = searcher_of(request)
    if searcher:
        AgreedSearch.objects.filter(searcher=searcher).delete()
    response.delete_cookie(COOKIE, samesite="Lax")
