"""Indexes whatever becomes due, until it is stopped."""

import logging
import signal
import threading
from argparse import ArgumentParser
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand
from django.db import OperationalError, close_old_connections

from catalog.indexing import BATCH, IndexReport, index_all
from shop_search.errors import ServiceError

log = logging.getLogger("catalog.worker")

IDLE_S = 1.0
FIRST_BACKOFF_S = 1.0
LONGEST_BACKOFF_S = 30.0


class Command(BaseCommand):
    help = "Indexes pending pictures until SIGTERM or Ctrl-C, then finishes the batch in hand. Any number may run."

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
            log.info("Waiting for pictures.")
            work(stopped, batch=max(1, batch), is_burst=burst)
            log.info("Stopped.")
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def work(stopped: threading.Event, *, batch: int = BATCH, is_burst: bool = False) -> IndexReport:
    """Indexes until `stopped` is set, or in a burst until nothing is due; returns what was done.

    Models are loaded when the first picture comes. When a model, the store, the disk or the database fails, nothing is
    lost: it tries again, at first soon and then each half minute.
    """
    total, backoff = IndexReport(), FIRST_BACKOFF_S
    while not stopped.is_set():
        close_old_connections()  # a database that was restarted is connected to again
        try:
            done = index_all(batch=batch, is_stopped=stopped.is_set, progress=_tell)
        except (ServiceError, OperationalError) as error:
            code = error.code if isinstance(error, ServiceError) else "database_unavailable"
            log.warning("%s: %s Trying again in %.0f s.", code, error, backoff)
            stopped.wait(backoff)
            backoff = min(backoff * 2, LONGEST_BACKOFF_S)
            continue
        total, backoff = total + done, FIRST_BACKOFF_S
        if done.is_empty:
            if is_burst:
                break
            stopped.wait(IDLE_S)
    return total


def _tell(report: IndexReport) -> None:
    words = {
        "indexed": report.indexed,
        "failed": report.failed,
        "payloads replaced": report.retold,
        "points deleted": report.deleted,
    }
    log.info("%s.", ", ".join(f"{count} {word}" for word, count in words.items() if count))
