import signal
import threading

import pytest
from django.core.management import call_command
from django.db import OperationalError

from catalog.indexing.index import index_all
from catalog.management.commands import worker
from catalog.management.commands.worker import work
from catalog.models import ProductImage
from shop_search.errors import ServiceError
from tests.catalog.shop import Shop, open_shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(settings, tmp_path, monkeypatch) -> Shop:
    monkeypatch.setattr(worker, "close_old_connections", lambda: None)  # it would end the test's transaction
    shop = open_shop(settings, tmp_path)
    shop.feed.add_many(5)
    shop.upload()
    return shop


class Waits(threading.Event):
    """An event that nobody waits for: it notes how long they would have, and is set after so many waits."""

    def __init__(self, last: int) -> None:
        super().__init__()
        self.waits: list[float | None] = []
        self._last = last

    def wait(self, timeout: float | None = None) -> bool:
        self.waits.append(timeout)
        if len(self.waits) >= self._last:
            self.set()
        return self.is_set()


def test_a_burst_indexes_all_that_is_due_and_ends(shop):
    assert work(threading.Event(), batch=2, is_burst=True).indexed == 5
    assert len(shop.points()) == 5


def test_a_worker_rests_when_nothing_is_due(shop):
    stopped = Waits(last=3)

    work(stopped)

    assert ProductImage.objects.filter(state="indexed").count() == 5
    assert stopped.waits == [worker.IDLE_S] * 3


@pytest.mark.parametrize("error", [ServiceError("vector_store_unavailable", "It is down."), OperationalError("gone")])
def test_a_worker_backs_off_while_a_part_is_down_and_loses_nothing(shop, monkeypatch, error):
    stopped = Waits(last=7)

    def fail(**options):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(worker, "index_all", fail)
        work(stopped)

    assert stopped.waits == [1, 2, 4, 8, 16, 30, 30]
    assert work(threading.Event(), is_burst=True).indexed == 5


def test_after_a_success_the_backoff_starts_anew(shop, monkeypatch):
    stopped = Waits(last=4)
    errors = iter([True, True, False, True, True])

    def fail_sometimes(**options):
        if next(errors):
            raise ServiceError("vector_store_unavailable", "It is down.")
        return index_all(**options)

    monkeypatch.setattr(worker, "index_all", fail_sometimes)
    work(stopped)

    assert stopped.waits == [1, 2, 1, 2]


def test_sigterm_ends_the_worker_after_the_batch_in_hand(shop, monkeypatch):
    def be_stopped(report):
        """As the signal would: sent to this process, one that comes too late would end all of its tests."""
        handler = signal.getsignal(signal.SIGTERM)
        assert callable(handler)
        handler(signal.SIGTERM, None)

    monkeypatch.setattr(worker, "_tell", be_stopped)
    stepped = []
    monkeypatch.setattr(worker, "step_back", lambda: stepped.append(True))  # other tests are waited for
    before = signal.getsignal(signal.SIGTERM)

    call_command("worker", "--batch", "2")

    assert stepped == [True]
    assert ProductImage.objects.filter(state="indexed").count() == 4
    assert not ProductImage.objects.exclude(claimed_until=None).exists()
    assert signal.getsignal(signal.SIGTERM) == before
