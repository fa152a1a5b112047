"""An address becomes the settings of a PostgreSQL database, or a sentence that says what is wrong with it."""

import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.db.backends.postgresql.base import DatabaseWrapper

from shop_search import database
from shop_search.database import postgresql
from tests.services.postgres import Postgres


def test_an_address_is_taken_apart():
    found = postgresql("postgresql://ann:p%40ss@db.example:6432/shop?sslmode=require", statement_timeout_s=7)

    names = ("NAME", "USER", "PASSWORD", "HOST", "PORT")
    assert [found[name] for name in names] == ["shop", "ann", "p@ss", "db.example", "6432"]
    assert found["OPTIONS"]["sslmode"] == "require"
    assert "statement_timeout=7000" in found["OPTIONS"]["options"]


def test_a_socket_is_named_as_libpq_does():
    found = postgresql("postgres://shop@/shop?host=%2Frun%2Fpostgresql&port=5433", statement_timeout_s=0)

    assert (found["HOST"], found["PORT"], found["USER"]) == ("/run/postgresql", "5433", "shop")
    assert "host" not in found["OPTIONS"]


@pytest.mark.parametrize("url", ["mysql://ann:secret@db/shop", "shop", "postgresql://ann:secret@db/", "postgresql://["])
def test_what_is_no_address_is_refused_without_telling_the_password(url):
    with pytest.raises(ImproperlyConfigured, match="SHOP_SEARCH_DATABASE_URL") as caught:
        postgresql(url, statement_timeout_s=1)
    assert "secret" not in str(caught.value)


def test_a_missing_driver_is_named(monkeypatch):
    monkeypatch.setattr(database, "find_spec", lambda name: None)
    with pytest.raises(ImproperlyConfigured, match=r"psycopg\[binary\].*fleet"):
        postgresql("postgresql://db/shop", statement_timeout_s=1)


def test_what_the_address_says_of_a_limit_wins(postgres: Postgres):
    url = f"{postgres.create('limits')}&options=-c%20lock_timeout%3D1234"
    shown = _in_shop(url, "SHOW statement_timeout", "SHOW lock_timeout")
    assert shown == ["2min", "1234ms"]


@pytest.mark.django_db
def test_a_connection_that_the_server_ended_is_replaced_before_the_next_request(postgres: Postgres):
    postgres.create("ended")
    known = connections["default"].settings_dict
    ended = {**known, **postgresql(postgres.url("ended"), statement_timeout_s=1)}
    connection = DatabaseWrapper(ended, "ended")
    connection.ensure_connection()
    assert postgres.end_connections("ended") == 1

    connection.close_if_unusable_or_obsolete()  # what Django does as a request begins
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)
    connection.close()


def _in_shop(url: str, *queries: str) -> list[str]:
    """Returns what a process of the shop gets for each query."""
    script = (
        "import django; django.setup()\n"
        "from django.db import connection\n"
        "cursor = connection.cursor()\n"
        f"for query in {queries!r}:\n"
        "    cursor.execute(query); print(cursor.fetchone()[0])\n"
    )
    environment = {**os.environ, "SHOP_SEARCH_DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "shop_search.settings"}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()
