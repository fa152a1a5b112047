"""Does whatever becomes due, until it is stopped: takes in uploads, fetches pictures, indexes them, does jobs.

These go on side by side, so that a new product is found while a large upload comes in. Any number of workers may
run, and each may die at any time: what they hold is claimed for a while and then taken over.
"""

import logging
import signal
import threading
from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any, Self

from django.core.management.base import BaseCommand, CommandError
from django.db import InterfaceError, OperationalError, close_old_connections, connections

from catalog.doctor.checkup import examine_some
from catalog.indexing.index import BATCH, IndexReport, index_all
from catalog.jobs import queues
from catalog.jobs.nightly import ask_for_the_night
from catalog.jobs.running import stopping_when
from catalog.jobs.tasks import QUEUE as JOBS
from catalog.jobs.tasks import send_lost
from catalog.operations.heartbeat import Heartbeat
from catalog.pictures.searched_crops import tidy
from catalog.uploads.accept import sweep
from catalog.uploads.deliveries import deliver_due
from catalog.uploads.remote_pictures import fetch_due
from catalog.uploads.tasks import QUEUE as UPLOADS
from catalog.uploads.work import do_next_upload
from catalog.versions.beside import standby
from catalog.versions.trials import look_sometimes
from shop_search.errors import ServiceError
from shop_search.priority import step_back

log = logging.getLogger("catalog.worker")

Watched = Callable[[str, Callable[[], Any]], Callable[[], Any]]

IDLE_S = 1.0
FIRST_BACKOFF_S = 1.0
LONGEST_BACKOFF_S = 30.0
# What passes by itself. A driver calls a connection that the server ended one or the other.
DOWN = (ServiceError, OperationalError, InterfaceError)
# With Redis a part waits so long for a call before it looks whether it should stop.
CALLED_WITHIN_S = 2.0


class Command(BaseCommand):
    help = (
        "Takes in uploads, fetches their pictures, indexes them and does jobs until SIGTERM or Ctrl-C, then ends the "
        "batch in hand and leaves the job in hand to another. Any number may run."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--batch", type=int, default=BATCH, metavar="N", help=f"pictures a batch (default: {BATCH})"
        )
        parser.add_argument("--burst", action="store_true", help="stop when nothing is due")

    def handle(self, *args: Any, batch: int, burst: bool, **options: Any) -> None:
        stopped = threading.Event()

        def stop(number: int, frame: FrameType | None) -> None:
            stopped.set()

        before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            if burst:
                while _burst(stopped, max(1, batch)) and not stopped.is_set():
                    pass
                return
            step_back()  # a shopper waits for her answer, nobody for the worker's next picture
            heart = Heartbeat()
            beside_indexing: dict[str, Callable[[], object]] = {
                "uploads": _take_upload(stopped, wait_s=CALLED_WITHIN_S),
                "jobs": _do_job(stopped, wait_s=CALLED_WITHIN_S),
                "schedule": _look_after_jobs,
                "pictures": fetch_due,
                "webhooks": deliver_due,
                "crops": tidy,
                "doctor": examine_some,
                "versions": standby,
                "trials": look_sometimes,
            }
            parts = {name: heart.watched(name, do) for name, do in beside_indexing.items()}
            parts |= {"heartbeat": heart.beat, "house": heart.keep_house}
            with _Beside(stopped, parts) as beside:
                log.info("Waiting for uploads, pictures and jobs.")
                sweep()
                work(stopped, batch=max(1, batch), watched=heart.watched)
            heart.end()
            if beside.crashed:
                raise CommandError("A part of the worker failed; see above.")
            log.info("Stopped.")
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _take_upload(stopped: threading.Event, *, wait_s: float = 0.0) -> Callable[[], bool]:
    """Uploads are looked for in the database first: their queue only calls."""

    def take() -> bool:
        if do_next_upload(stopped.is_set):
            return True
        with stopping_when(stopped.is_set):
            return queues.do_next_task(UPLOADS, wait_s=wait_s)

    return take


def _do_job(stopped: threading.Event, *, wait_s: float = 0.0) -> Callable[[], bool]:
    def do() -> bool:
        with stopping_when(stopped.is_set):
            return queues.do_next_task(JOBS, wait_s=wait_s)

    return do


def _look_after_jobs() -> bool:
    """Sends what was lost with its worker or its queue, and asks for the night's jobs."""
    send_lost()
    ask_for_the_night()
    return False


def _burst(stopped: threading.Event, batch: int) -> bool:
    """Does what is due in each part and returns whether anything was."""
    did = False
    send_lost()
    for do in (_take_upload(stopped), _do_job(stopped), fetch_due, deliver_due, examine_some):
        while not stopped.is_set() and do():
            did = True
    return not work(stopped, batch=batch, is_burst=True).is_empty or did


class _Beside:
    """Threads that do the worker's other parts while it indexes. One that fails unforeseen ends the worker."""

    def __init__(self, stopped: threading.Event, parts: Mapping[str, Callable[[], object]]) -> None:
        self.crashed = False
        self._stopped = stopped
        self._threads = [threading.Thread(target=self._run, args=(do,), name=name) for name, do in parts.items()]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def _run(self, do: Callable[[], object]) -> None:
        try:
            keep_doing(self._stopped, do)
        except Exception:
            log.exception("The worker stops.")
            self.crashed = True
            self._stopped.set()
        finally:
            connections.close_all()


def keep_doing(stopped: threading.Event, do: Callable[[], object]) -> None:
    """Does it again and again until `stopped` is set, at once while there was something to do. While a part of the
    service is down it tries again, at first soon and then each half minute."""
    backoff = FIRST_BACKOFF_S
    while not stopped.is_set():
        close_old_connections()  # a database that was restarted is connected to again
        try:
            pause = 0.0 if do() else IDLE_S
            backoff = FIRST_BACKOFF_S
        except DOWN as error:
            _warn(error, backoff)
            pause, backoff = backoff, min(backoff * 2, LONGEST_BACKOFF_S)
        if pause:
            stopped.wait(pause)


def work(
    stopped: threading.Event, *, batch: int = BATCH, is_burst: bool = False, watched: Watched = lambda part, do: do
) -> IndexReport:
    """Indexes until `stopped` is set, or in a burst until nothing is due; returns what was done.

    Models are loaded when the first picture comes. When a model, the store, the disk or the database fails, nothing is
    lost: it tries again, at first soon and then each half minute.
    """
    index = watched("indexing", lambda: index_all(batch=batch, is_stopped=stopped.is_set, progress=_tell))
    total, backoff = IndexReport(), FIRST_BACKOFF_S
    while not stopped.is_set():
        close_old_connections()  # a database that was restarted is connected to again
        try:
            done: IndexReport = index()
        except DOWN as error:
            _warn(error, backoff)
            stopped.wait(backoff)
            backoff = min(backoff * 2, LONGEST_BACKOFF_S)
            continue
        total, backoff = total + done, FIRST_BACKOFF_S
        if done.is_empty:
            if is_burst:
                break
            stopped.wait(IDLE_S)
    return total


def _warn(error: Exception, backoff: float) -> None:
    code = error.code if isinstance(error, ServiceError) else "database_unavailable"
    log.warning("%s: %s Trying again in %.0f s.", code, error, backoff)


def _tell(report: IndexReport) -> None:
    words = {
        "indexed": report.indexed,
        "failed": report.failed,
        "payloads replaced": report.retold,
        "points deleted": report.deleted,
    }
    log.info("%s.", ", ".join(f"{count} {word}" for word, count in words.items() if count))
