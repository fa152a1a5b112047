"""Calls workers to an upload that has come, through Django's tasks API.

The call only saves waiting: with Redis a worker on any machine wakes at once. Uploads are claimed in the database
whoever was called, and workers look for uploads by themselves too, so a lost call loses nothing.
"""

import logging

from django.db import transaction
from django_tasks import task

from catalog.jobs.running import must_stop

log = logging.getLogger("catalog.worker")

QUEUE = "uploads"


@task(queue_name=QUEUE)
def take_uploads() -> int:
    """Does the uploads that wait; returns how many were taken."""
    from catalog.uploads.work import do_next_upload

    taken = 0
    while not must_stop() and do_next_upload(must_stop):
        taken += 1
    return taken


def call_worker() -> None:
    """Calls a worker once the transaction in hand is committed. A queue that is out of reach only costs time."""
    transaction.on_commit(_call, robust=True)


def _call() -> None:
    try:
        take_uploads.enqueue()
    except Exception as error:  # whatever a backend's client raises when its server is away
        log.warning("No worker can be called through the queue now: %s.", error)
