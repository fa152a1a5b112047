"""A worker says every few seconds that it is alive and what it works at, for the operations page."""

import os
import socket
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from django.utils import timezone

from catalog.jobs.asking import forget_old
from catalog.jobs.queues import forget_done
from catalog.models import Worker
from catalog.operations.storage import measured

BEAT_S = 5.0
STORAGE_EVERY_S = 600.0
TIDY_EVERY_S = 3600.0
# Parts look for work all the time; what takes longer than that is work.
WORKS_AFTER_S = 3.0
FORGOTTEN_AFTER = timedelta(days=1)


class Heartbeat:
    """One worker's row, and what its parts do now."""

    def __init__(self) -> None:
        self._id = uuid4()
        self._lock = threading.Lock()
        self._since: dict[str, float] = {}
        self._beat_at = self._measured_at = self._tidied_at = float("-inf")

    def watched(self, part: str, do: Callable[[], Any]) -> Callable[[], Any]:
        """Returns `do`, but so that the heartbeat knows how long it has been at it."""

        def watched() -> Any:
            with self._lock:
                self._since[part] = time.time()
            try:
                return do()
            finally:
                with self._lock:
                    self._since.pop(part, None)

        return watched

    def beat(self) -> bool:
        """Writes the row when it is time; always returns False: there is never more to do at once."""
        if time.monotonic() - self._beat_at < BEAT_S:
            return False
        now = timezone.now()
        if not Worker.objects.filter(pk=self._id).update(seen_at=now, does=self.does()):
            Worker.objects.create(pk=self._id, host=socket.gethostname()[:100], pid=os.getpid(), seen_at=now)
        self._beat_at = time.monotonic()
        return False

    def keep_house(self) -> bool:
        """Measures the disk and forgets what is old, when it is time; always returns False."""
        now = time.monotonic()
        if now - self._measured_at >= STORAGE_EVERY_S:
            if not Worker.objects.filter(pk=self._id).exists():
                return False  # the first beat is on its way
            Worker.objects.filter(pk=self._id).update(storage=measured())
            self._measured_at = now
        if now - self._tidied_at >= TIDY_EVERY_S:
            forget_old()
            forget_done()
            Worker.objects.filter(seen_at__lt=timezone.now() - FORGOTTEN_AFTER).delete()
            self._tidied_at = now
        return False

    def does(self) -> dict[str, str]:
        """Returns the parts that are at work, and since when."""
        now = time.time()
        with self._lock:
            since = dict(self._since)
        return {
            part: datetime.fromtimestamp(begun, tz=UTC).isoformat()
            for part, begun in since.items()
            if now - begun >= WORKS_AFTER_S
        }

    def end(self) -> None:
        """Takes the row away: a worker that was stopped is not one that died."""
        Worker.objects.filter(pk=self._id).delete()
