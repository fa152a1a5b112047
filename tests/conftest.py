"""What every test starts from: nothing is live of an earlier test, and no database is read where none was asked for;
and servers that some tests need: started once, when the first of them asks, and thrown away."""

import os
from collections.abc import Iterator

import pytest
from django.db.backends.base.base import BaseDatabaseWrapper

from catalog import serving, taxonomy
from tests.services import postgres as postgres_service
from tests.services import redis as redis_service
from tests.services.postgres import Postgres
from tests.services.redis import Redis
from tests.sharing import pytest_collection_modifyitems, pytest_xdist_make_scheduler

__all__ = ["pytest_collection_modifyitems", "pytest_xdist_make_scheduler"]  # hooks of pytest

serving._kept.is_off = True  # while tests are collected
_WITH_DATABASE = {"db", "transactional_db", "live_server", "admin_client", "admin_user"}


@pytest.fixture(autouse=True)
def _versions_are_read_anew(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    has_database = bool(_WITH_DATABASE & set(request.fixturenames)) or request.node.get_closest_marker("django_db")
    monkeypatch.setattr(serving._kept, "is_off", not has_database)
    monkeypatch.setattr(serving._kept, "is_followed", False)
    monkeypatch.setattr(taxonomy._kept, "is_off", not has_database)
    serving.forget()
    taxonomy.forget()
    yield
    serving.forget()
    taxonomy.forget()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server of this run's own."""
    if postgres_service.program("initdb") is None:
        _missing("PostgreSQL")
    server = Postgres()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def redis() -> Iterator[Redis]:
    """A Redis server of this run's own."""
    if redis_service.program() is None:
        _missing("redis-server")
    server = Redis()
    yield server
    server.stop()


def _missing(name: str) -> None:
    """Skips, and fails on CI, where it must be there."""
    message = f"No {name} here: .ci/system.py says what to install."
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(autouse=True)
def _keeps_its_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keeps what closes old connections, as workers do, from closing the one that a test's transaction is on.

    SQLite in memory never closes it, and Django's own test client sees to it in the same way.
    """
    close = BaseDatabaseWrapper.close_if_unusable_or_obsolete

    def close_outside_of_transactions(connection: BaseDatabaseWrapper) -> None:
        if not connection.in_atomic_block:
            close(connection)

    monkeypatch.setattr(BaseDatabaseWrapper, "close_if_unusable_or_obsolete", close_outside_of_transactions)
