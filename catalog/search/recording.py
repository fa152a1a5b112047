"""Records searches after they are answered: nobody waits for the disk to be told that something was written down.

    answer -> record_soon: a place in the queue ──> (thread) one commit
    link, feedback -> settle: waits for the record, if it is still on its way

A process that is killed loses the few records that wait. With `SEARCH_RECORDS_LATER` off the answer waits, which is
what several web processes behind one address need: a link may lead to another than the one that has the record.
"""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from uuid import UUID

from django.conf import settings
from django.db import close_old_connections

log = logging.getLogger(__name__)

# An answer that waits holds its products. Where so many wait, the database is slow, and searches wait with it.
MOST_WAITING = 64
# Longer than any commit of ours; somebody who follows a link sooner than it is written waits no longer than this.
PATIENCE_S = 5.0

_writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="records")
_waiting: dict[UUID, Future[None]] = {}
_lock = threading.Lock()


def record_soon(search: UUID, write: Callable[[], None]) -> None:
    """Has the search written down by `write`: soon, or at once where too many wait or the settings say so.

    Written at once, its errors are raised; later, they are logged and the search has no link.
    """
    with _lock:
        is_later = settings.SEARCH_RECORDS_LATER and len(_waiting) < MOST_WAITING
        if is_later:
            _waiting[search] = _writer.submit(_run, search, write)
    if not is_later:
        write()


def settle(search: UUID) -> None:
    """Returns when the search's record is written, if it was on its way."""
    with _lock:
        writing = _waiting.get(search)
    if writing is not None:
        try:
            writing.result(timeout=PATIENCE_S)
        except TimeoutError:
            log.warning("Search %s is not written down after %s s.", search, PATIENCE_S)


def _run(search: UUID, write: Callable[[], None]) -> None:
    close_old_connections()
    try:
        write()
    except Exception:
        log.exception("Search %s was answered but not written down.", search)
    finally:
        close_old_connections()
        with _lock:
            _waiting.pop(search, None)
