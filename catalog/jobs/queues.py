"""Takes tasks from their queue and does them, one at a time: from the database, or from Redis where that is set up.

From the database a worker takes a task by a row lock (PostgreSQL) or an exclusive transaction (SQLite), as
`manage.py db_worker` does; that command may run beside or instead.
"""

from datetime import timedelta

from django.db import DatabaseError
from django.utils import timezone
from django_tasks_db.management.commands.db_worker import Worker
from django_tasks_db.models import DBTaskResult

from catalog.jobs.running import here
from catalog.jobs.tasks import is_in_database

# A task is a call; what came of it is on the job or the upload.
KEPT = timedelta(days=2)


def do_next_task(queue: str, *, wait_s: float = 0.0) -> bool:
    """Does the next task of a queue and returns whether there was one.

    With Redis it waits for one to come for up to `wait_s`. Raises ServiceError `redis_unavailable`, or DatabaseError.
    """
    if is_in_database():
        return _from_database(queue)
    from catalog.jobs import redis_queue

    return redis_queue.do_next_task(queue, wait_s=wait_s)


def waiting(queue: str) -> int | None:
    """Returns how many tasks wait in a queue; None when it is out of reach."""
    if not is_in_database():
        from catalog.jobs import redis_queue

        return redis_queue.waiting(queue)
    try:
        return DBTaskResult.objects.ready().filter(queue_name=queue).count()
    except DatabaseError:
        return None


def forget_done() -> int:
    """Deletes tasks of the database that were done long ago, or whose worker died over them; returns how many."""
    long_ago = timezone.now() - KEPT
    ended = DBTaskResult.objects.finished().filter(finished_at__lt=long_ago)
    died = DBTaskResult.objects.running().filter(started_at__lt=long_ago)
    return ended.delete()[0] + died.delete()[0]


def _from_database(queue: str) -> bool:
    # Looking costs nothing; taking a task locks out other writers.
    if not DBTaskResult.objects.ready().filter(queue_name=queue).exists():
        return False
    worker = Worker(
        queue_names=[queue],
        interval=0,
        batch=True,
        backend_name="default",
        startup_delay=False,
        max_tasks=1,
        worker_id=here()[:64],
        excluded_queue_names=[],
    )
    worker.run()
    return worker._run_tasks > 0
