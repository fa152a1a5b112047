"""Which other websites may search from a browser: those that a widget's key names, and with that key only.

A browser asks beforehand (a preflight, which can't carry the key) whether a page may send the key along: yes, if any
key names the page's origin. The request itself is then held to its own key and to that key's allowance. Nothing is
opened but what a widget needs, and never with cookies.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.utils.cache import patch_vary_headers
from rest_framework.request import Request

from catalog.api.rates import Rate, count_request
from catalog.models import WidgetKey
from catalog.search.questions import Question

HEADER = "X-Widget-Key"
PREFLIGHT_LASTS_S = 600
_UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_OPEN = (
    (re.compile(r"/api/v1/search/"), "POST"),
    (re.compile(rf"/api/v1/search/{_UUID}/"), "GET"),
    (re.compile(rf"/api/v1/search/{_UUID}/feedback/"), "POST"),
)
_SENT_HEADERS = {"content-type", HEADER.lower()}


class WidgetCors:
    """Middleware. `request.widget_key` is the key of a request that was sent with one, and not there otherwise."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        method = _method_of(request.path_info)
        if method is None:
            return self._get_response(request)
        response = self._answer(request, method)
        patch_vary_headers(response, ["Origin"])
        return response

    def _answer(self, request: HttpRequest, method: str) -> HttpResponseBase:
        origin = request.headers.get("Origin", "")
        if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
            return _preflight(request, origin, method)
        sent = request.headers.get(HEADER)
        if sent is None:
            response = self._get_response(request)
            is_picture = method == "GET" and request.path_info.startswith(settings.MEDIA_URL)
            return _opened(response, origin) if is_picture and _is_named(origin) else response
        key = WidgetKey.objects.find(sent)
        if key is None:
            refusal = _refusal("widget_key_unknown", "This key does not exist, or it was revoked.")
            return _opened(refusal, origin) if _is_named(origin) else refusal
        if origin not in key.origins:
            return _refusal("origin_not_allowed", f"This key may not be used from {origin[:200]!r}.")
        rate = _counted(key, request.META.get("REMOTE_ADDR", ""))
        if rate.is_exceeded:
            response = _refusal("throttled", f"Too many searches. Try again in {rate.reset_s} seconds.", status=429)
            response.headers["Retry-After"] = str(rate.reset_s)
        else:
            request.widget_key = key  # type: ignore[attr-defined]
            response = self._get_response(request)
        for name, value in rate.headers.items():
            response.headers[name] = value
        response.headers["Access-Control-Expose-Headers"] = ", ".join([*rate.headers, "Retry-After"])
        return _opened(response, origin)


def within_key(request: Request, question: Question) -> Question:
    """Returns the question, narrowed to the merchant of the key that it was sent with, if any."""
    key: WidgetKey | None = getattr(request, "widget_key", None)
    if key is None or key.merchant is None:
        return question
    return replace(question, filters=replace(question.filters, merchants=(key.merchant.slug,)), is_bound=True)


def _counted(key: WidgetKey, address: str) -> Rate:
    """Counts a request and returns the tighter of two allowances: the key's, and one visitor's of the key.

    A visitor is told by her address. One of our own network's is a proxy's, behind which everybody is.
    """
    rates = [count_request("widget", str(key.pk))]
    try:
        if ip_address(address).is_global:
            rates.append(count_request("widget_visitor", f"{key.pk}:{address}"))
    except ValueError:  # a Unix socket has none
        pass
    return min(rates, key=lambda rate: (not rate.is_exceeded, rate.remaining))


def _method_of(path: str) -> str | None:
    """Returns what other websites may do at this path."""
    if settings.MEDIA_URL.startswith("/") and path.startswith(settings.MEDIA_URL):
        return "GET"
    return next((method for pattern, method in _OPEN if pattern.fullmatch(path)), None)


def _preflight(request: HttpRequest, origin: str, method: str) -> HttpResponseBase:
    asked = {name.strip().lower() for name in request.headers.get("Access-Control-Request-Headers", "").split(",")}
    if request.headers["Access-Control-Request-Method"] != method or asked - {""} - _SENT_HEADERS:
        return _refusal("origin_not_allowed", "Other websites may not do this.")
    if not _is_named(origin):
        return _refusal("origin_not_allowed", f"No widget's key names {origin[:200]!r}.")
    response = _opened(HttpResponse(status=204), origin)
    response.headers["Access-Control-Allow-Methods"] = method
    response.headers["Access-Control-Allow-Headers"] = ", ".join(sorted(_SENT_HEADERS))
    response.headers["Access-Control-Max-Age"] = str(PREFLIGHT_LASTS_S)
    return response


def _is_named(origin: str) -> bool:
    return bool(origin) and any(origin in key.origins for key in WidgetKey.objects.active())


def _opened(response: HttpResponseBase, origin: str) -> HttpResponseBase:
    response.headers["Access-Control-Allow-Origin"] = origin
    return response


def _refusal(code: str, message: str, *, status: int = 403) -> HttpResponseBase:
    return JsonResponse({"code": code, "message": message, "fields": {}}, status=status)
