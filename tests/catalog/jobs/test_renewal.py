"""Renewing a claim, without a database: what is renewed is the caller's."""

import threading
from datetime import timedelta

import pytest
from django.db import OperationalError

from catalog.jobs.renewal import Renewal

SOON = timedelta(seconds=0.03)
WAITS_S = 10.0


def test_a_claim_is_renewed_again_and_again_while_the_work_lasts():
    renewed = threading.Semaphore(0)

    with Renewal(renewed.release, lease=SOON):
        assert all(renewed.acquire(timeout=WAITS_S) for _ in range(3))


def test_nothing_is_renewed_after_the_work():
    beats: list[int] = []
    first = threading.Event()

    def renew() -> None:
        beats.append(1)
        first.set()

    renewal = Renewal(renew, lease=SOON)
    with renewal:
        assert first.wait(WAITS_S)
    count = len(beats)

    assert not any(thread.name == "renewal" for thread in threading.enumerate())
    assert len(beats) == count


def test_a_database_that_is_away_for_a_moment_is_asked_again():
    troubles = [OperationalError("the connection is lost"), OperationalError("the server starts")]
    renewed = threading.Event()

    def renew() -> None:
        if troubles:
            raise troubles.pop()
        renewed.set()

    with Renewal(renew, lease=SOON):
        assert renewed.wait(WAITS_S)


def test_work_that_is_done_at_once_waits_for_no_beat():
    beats: list[int] = []

    with Renewal(lambda: beats.append(1), lease=timedelta(hours=1)):
        pass

    assert beats == []


def test_what_the_work_raises_comes_through_and_the_renewal_ends():
    with pytest.raises(ValueError, match="broken"), Renewal(lambda: None, lease=SOON):
        raise ValueError("broken")

    assert not any(thread.name == "renewal" for thread in threading.enumerate())
