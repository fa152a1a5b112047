"""What a page may load and run: our own files and nothing else."""

from collections.abc import Callable
from functools import wraps
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.cache import patch_cache_control

View = Callable[..., HttpResponseBase]


def page(view: View) -> View:
    """A view whose answer is a page: it gets the content security policy and is asked for again on each visit."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        response.headers["Content-Security-Policy"] = policy()
        response.headers["Permissions-Policy"] = "geolocation=(), microphone=(), payment=(), usb=()"
        patch_cache_control(response, private=True, no_cache=True)
        return response

    return wrapped


def policy() -> str:
    """Returns the Content-Security-Policy. No inline script or style anywhere; pictures may also come from MEDIA_URL.

    `blob:` shows the shopper her own photo, which never leaves the page that way.
    """
    static, media = _origin(settings.STATIC_URL), _origin(settings.MEDIA_URL)
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src 'self'{static}",
            f"style-src 'self'{static}",
            f"img-src 'self' blob:{static}{media}",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ]
    )


class AdminPolicy:
    """Middleware that gives Django's admin a policy of its own: its theme evaluates what its templates' attributes say
    (Alpine.js), and so does nothing that a shopper meets. All of it still comes from this site."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._get_response(request)
        if request.path.startswith(reverse("admin:index")):
            response.headers.setdefault("Content-Security-Policy", admin_policy())
        return response


def admin_policy() -> str:
    """Returns the Content-Security-Policy of Django's admin."""
    static, media = _origin(settings.STATIC_URL), _origin(settings.MEDIA_URL)
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src 'self' 'unsafe-eval'{static}",
            f"style-src 'self' 'unsafe-inline'{static}",
            f"font-src 'self'{static}",
            f"img-src 'self' data:{static}{media}",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ]
    )


def _origin(url: str) -> str:
    """Returns " https://host" when files live on another host, else nothing."""
    parts = urlsplit(url)
    return f" {parts.scheme}://{parts.netloc}" if parts.netloc else ""
