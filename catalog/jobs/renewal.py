"""Says now and then that a worker still has what it claimed, from a thread: one step may take longer than the claim."""

import logging
import threading
from collections.abc import Callable
from datetime import timedelta

from django.db import DatabaseError, InterfaceError, connection

log = logging.getLogger("catalog.worker")

# Of a claim's time: two of three may fail.
SHARE = 3


class Renewal:
    """Calls `renew` three times within `lease` until it is left. What the database refuses is tried again."""

    def __init__(self, renew: Callable[[], None], *, lease: timedelta) -> None:
        self._renew = renew
        self._pause_s = lease.total_seconds() / SHARE
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="renewal", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *exception: object) -> None:
        self._ended.set()
        self._thread.join()

    def _beat(self) -> None:
        try:
            while not self._ended.wait(self._pause_s):
                try:
                    self._renew()
                except (DatabaseError, InterfaceError) as error:
                    log.warning("A claim could not be renewed: %s.", error)
                    connection.close()  # the next try makes a new one
        finally:
            connection.close()
