"""From the address of a database to Django's settings for it: SQLite in the home, or PostgreSQL for a fleet.

    postgresql://user:password@host:5432/name?sslmode=require        over the network
    postgresql://user@/name?host=/run/postgresql                     over a socket

What follows the question mark are libpq's own parameters. Each thread keeps one connection, looked at before each
request and each piece of a worker's work: one that the server dropped is replaced, and no request meets it.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

SCHEMES = ("postgresql", "postgres")
# A thread's connection is replaced by a new one after this time, so that those to a server that was moved end.
KEPT_S = 600
# Writers wait this long for each other's rows, as they do on SQLite for its one lock.
LOCK_TIMEOUT_S = 20
# A transaction whose process hangs gives back its locks. A batch of an upload writes for well under a second.
IDLE_IN_TRANSACTION_S = 60
CONNECT_TIMEOUT_S = 5


def sqlite(path: Path) -> dict[str, Any]:
    """Returns the settings of the embedded database."""
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        # Opening one for each request costs 1 ms, and closing the last one writes the log back into the file.
        "CONN_MAX_AGE": KEPT_S,
        "OPTIONS": {
            # Writers queue instead of failing when web, worker and a command write at once.
            "timeout": LOCK_TIMEOUT_S,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-16000;",
        },
    }


def postgresql(url: str, *, statement_timeout_s: int) -> dict[str, Any]:
    """Returns the settings of a PostgreSQL database; a statement that takes longer is ended, 0 for never.

    Raises ImproperlyConfigured when the address is none or the driver isn't installed. No message shows the password.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ImproperlyConfigured(f"SHOP_SEARCH_DATABASE_URL is no address: {error}.") from error
    name = unquote(parts.path.lstrip("/"))
    if parts.scheme not in SCHEMES or not name:
        raise ImproperlyConfigured(
            "SHOP_SEARCH_DATABASE_URL must look like postgresql://user:password@host:5432/name, "
            f"not {parts.scheme or '?'}://.../{name}. Unset it to use SQLite in the home."
        )
    if find_spec("psycopg") is None:
        raise ImproperlyConfigured(
            "SHOP_SEARCH_DATABASE_URL names a PostgreSQL server, and its driver isn't installed: "
            'pip install "psycopg[binary]~=3.2" (the extra `fleet` of pyproject.toml).'
        )
    given = dict(parse_qsl(parts.query))
    limits = {
        "statement_timeout": statement_timeout_s,
        "lock_timeout": LOCK_TIMEOUT_S,
        "idle_in_transaction_session_timeout": IDLE_IN_TRANSACTION_S,
    }
    ours = " ".join(f"-c {limit}={seconds * 1000}" for limit, seconds in limits.items())
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": given.pop("host", None) or unquote(parts.hostname or ""),
        "PORT": str(port or given.pop("port", "")),
        "CONN_MAX_AGE": KEPT_S,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "connect_timeout": CONNECT_TIMEOUT_S,
            "application_name": "shop_search",
            **given,
            # What the address says comes last, so it wins.
            "options": f"{ours} {given.get('options', '')}".strip(),
        },
    }
