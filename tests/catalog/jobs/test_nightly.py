"""The jobs of the night: once, by whoever comes first, and only when it is time."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from catalog.jobs import registry
from catalog.jobs.nightly import ask_for_the_night, time_of
from catalog.models import Job, Night
from shop_search.errors import ServiceError

pytestmark = pytest.mark.django_db


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 5, day, hour, minute, tzinfo=UTC)


@pytest.fixture(autouse=True)
def three(settings, kinds):
    settings.NIGHTLY = "03:00"


def asked(now: datetime) -> list[str]:
    return [job.kind for job in ask_for_the_night(now)]


def test_the_jobs_that_are_due_are_asked_for_once_a_night():
    assert asked(at(1, 3)) == ["count"]
    assert asked(at(1, 3)) == []
    assert asked(at(1, 4)) == []
    assert Night.objects.get().jobs == ["count"]
    Job.objects.all().delete()
    assert asked(at(2, 3, 1)) == ["count"]


@pytest.mark.parametrize("now", [at(1, 2, 59), at(1, 6, 1), at(1, 14)])
def test_nothing_is_asked_for_at_another_time(now):
    assert asked(now) == []
    assert not Night.objects.exists()


def test_a_night_that_begins_before_midnight_goes_on_after_it(settings):
    settings.NIGHTLY = "23:30"
    assert asked(at(2, 0, 30)) == ["count"]
    assert str(Night.objects.get().day) == "2026-05-01"


def test_off_is_never(settings):
    settings.NIGHTLY = "off"
    assert asked(at(1, 3)) == []


def test_two_workers_at_the_same_moment_ask_once(monkeypatch):
    """The second sees no row yet, as if both had looked before either wrote."""
    assert asked(at(1, 3)) == ["count"]
    monkeypatch.setattr(Night.objects, "filter", lambda **of: Night.objects.none())
    assert asked(at(1, 3)) == []
    assert Job.objects.count() == 1


def test_a_kind_that_can_not_say_whether_it_is_due_keeps_no_other_back(kinds, monkeypatch):
    def unsure() -> bool:
        raise ServiceError("vector_store_unavailable", "It is down.")

    registered = registry.kinds()
    monkeypatch.setitem(registered, "recount", replace(registered["recount"], nightly=unsure))
    assert asked(at(1, 3)) == ["count"]


@pytest.mark.parametrize(("setting", "hour"), [("03:00", 3), ("4", 4), (" 23:59 ", 23)])
def test_a_time_of_day_is_read(setting, hour):
    assert time_of(setting).hour == hour


@pytest.mark.parametrize("setting", ["noon", "25:00", "3:77", "3h"])
def test_what_is_no_time_of_day_is_refused_and_told_by_the_checks(settings, setting):
    from catalog.checks import check_nightly

    settings.NIGHTLY = setting
    with pytest.raises(ValueError):  # noqa: PT011 - what int() and time() say is for the check's hint
        time_of(setting)
    assert [found.id for found in check_nightly(None)] == ["catalog.E003"]
