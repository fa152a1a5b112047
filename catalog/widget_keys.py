"""Keys that a shop's own pages carry to search from there: everyone may read them, so they open little.

A key searches one merchant's products (or all), and only from the pages of its origins.
"""

from collections.abc import Iterable
from urllib.parse import urlsplit

from catalog.models import Merchant, WidgetKey
from shop_search.errors import InputError

_DEFAULT_PORTS = {"http": 80, "https": 443}
MAX_ORIGINS = 20


def issue_widget_key(merchant: Merchant | None, *, origins: Iterable[str], name: str = "") -> WidgetKey:
    """Returns a new key; without a merchant it searches every merchant's products.

    Raises InputError `origin_invalid` or `origins_missing`.
    """
    clean = list(dict.fromkeys(clean_origin(origin) for origin in origins))
    if not 1 <= len(clean) <= MAX_ORIGINS:
        raise InputError("origins_missing", f"A key needs 1 to {MAX_ORIGINS} origins, not {len(clean)}.")
    return WidgetKey.objects.create(merchant=merchant, origins=clean, name=name, key=WidgetKey.new_key())


def clean_origin(text: str) -> str:
    """Returns an origin as browsers send it: scheme, host, and the port unless it is the usual one.

    Raises InputError `origin_invalid` for anything else, wildcards among it.
    """
    refusal = InputError(
        "origin_invalid", f"{text!r} is no origin. It looks like https://shop.example, without a path."
    )
    try:
        parts = urlsplit(text.strip())
        host, port = parts.hostname or "", parts.port
        host = host.encode("idna").decode() if not host.isascii() else host
    except (ValueError, UnicodeError) as error:
        raise refusal from error
    has_more = parts.path not in ("", "/") or parts.query or parts.fragment or "@" in parts.netloc
    if parts.scheme not in _DEFAULT_PORTS or not host or has_more or set(host) & set("*%\\ \t<>\"'"):
        raise refusal
    if ":" in host:
        host = f"[{host}]"
    return f"{parts.scheme}://{host}" + ("" if port in (None, _DEFAULT_PORTS[parts.scheme]) else f":{port}")
