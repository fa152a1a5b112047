"""A worker that says it is alive, what it does, and how full its disk is."""

import os
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from catalog.models import Worker
from catalog.operations import heartbeat
from catalog.operations.heartbeat import Heartbeat
from catalog.operations.storage import bytes_under, measured

pytestmark = pytest.mark.django_db


def test_a_beating_worker_is_alive_and_a_silent_one_is_not():
    heart = Heartbeat()
    heart.beat()
    worker = Worker.objects.get()
    assert (worker.pid, worker.is_alive) == (os.getpid(), True)

    Worker.objects.update(seen_at=timezone.now() - timedelta(seconds=30))
    assert not Worker.objects.get().is_alive

    heart.end()
    assert not Worker.objects.exists()


def test_a_row_that_was_deleted_is_written_again(monkeypatch):
    monkeypatch.setattr(heartbeat, "BEAT_S", 0.0)
    heart = Heartbeat()
    heart.beat()
    Worker.objects.all().delete()
    heart.beat()
    assert Worker.objects.count() == 1


def test_only_what_takes_long_is_called_work(monkeypatch):
    monkeypatch.setattr(heartbeat, "WORKS_AFTER_S", 0.0)
    heart = Heartbeat()
    assert heart.watched("uploads", heart.does)().keys() == {"uploads"}
    assert heart.does() == {}

    monkeypatch.setattr(heartbeat, "WORKS_AFTER_S", 60.0)
    assert heart.watched("uploads", heart.does)() == {}


def test_a_part_that_fails_is_not_at_work_any_more(monkeypatch):
    monkeypatch.setattr(heartbeat, "WORKS_AFTER_S", 0.0)
    heart = Heartbeat()

    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        heart.watched("uploads", fail)()
    time.sleep(0.01)
    assert heart.does() == {}


def test_the_disk_is_measured_and_the_dead_are_forgotten(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one.jpg").write_bytes(b"x" * 1000)
    Worker.objects.create(host="old", pid=1, seen_at=timezone.now() - timedelta(days=2))
    heart = Heartbeat()
    heart.beat()

    heart.keep_house()

    (worker,) = Worker.objects.all()
    assert worker.storage["pictures"] == 1000
    assert 0 < worker.storage["free"] <= worker.storage["disk"]


def test_what_is_not_on_this_disk_is_left_open(settings):
    settings.VECTOR_STORE = {"BACKEND": "embeddings.stores.qdrant.QdrantStore", "OPTIONS": {"url": "http://x:6333"}}
    assert measured()["vectors"] is None
    assert bytes_under(Path("/nowhere at all")) == 0
