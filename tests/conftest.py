"""What every test starts from: nothing is live of an earlier test, and no database is read where none was asked for."""

from collections.abc import Iterator

import pytest

from catalog import serving

serving._kept.is_off = True  # while tests are collected
_WITH_DATABASE = {"db", "transactional_db", "live_server", "admin_client", "admin_user"}


@pytest.fixture(autouse=True)
def _versions_are_read_anew(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    has_database = bool(_WITH_DATABASE & set(request.fixturenames)) or request.node.get_closest_marker("django_db")
    monkeypatch.setattr(serving._kept, "is_off", not has_database)
    serving.forget()
    yield
    serving.forget()
