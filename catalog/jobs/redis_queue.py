"""Tasks that wait in Redis, taken by rq's own machinery but in a thread of our worker instead of a forked process.

A forked child would load the models anew for each task. Without one there is nobody to end a task that takes too long:
jobs have no time limit, and people can cancel them.
"""

import threading
from typing import Any

import django_rq
from django_tasks_rq.backend import Job as RqJob
from redis.exceptions import RedisError
from rq.exceptions import DequeueTimeout
from rq.timeouts import TimerDeathPenalty
from rq.worker import SimpleWorker

from shop_search.errors import ServiceError

_here = threading.local()


class ThreadWorker(SimpleWorker):
    """An rq worker for a thread: signals are the main thread's."""

    death_penalty_class = TimerDeathPenalty

    def procline(self, message: str) -> None:
        """The process has other parts too; its title is not this one's."""


def do_next_task(queue: str, *, wait_s: float) -> bool:
    """Does the next task and returns whether one came within `wait_s`. Raises ServiceError `redis_unavailable`."""
    worker = _worker(queue)
    try:
        found = worker.queue_class.dequeue_any(
            worker.queues,
            max(1, round(wait_s)) if wait_s else None,
            connection=worker.connection,
            job_class=RqJob,
            serializer=worker.serializer,
            death_penalty_class=worker.death_penalty_class,
        )
        if found is None:
            return False
        job, origin = found
        worker.execute_job(job, origin)
    except DequeueTimeout:
        return False
    except RedisError as error:
        raise ServiceError("redis_unavailable", f"Redis can't be reached: {error}.") from error
    return True


def waiting(queue: str) -> int | None:
    """Returns how many tasks wait in a queue; None when Redis can't be reached."""
    try:
        return int(django_rq.get_queue(queue).count)
    except RedisError:
        return None


def _worker(queue: str) -> Any:
    """Returns this thread's worker of a queue."""
    workers: dict[str, Any] = _here.__dict__.setdefault("workers", {})
    if queue not in workers:
        try:
            queues = django_rq.queues.get_queues(queue, job_class=RqJob)
            made = ThreadWorker(queues, connection=queues[0].connection, job_class=RqJob, queue_class=type(queues[0]))
        except RedisError as error:
            raise ServiceError("redis_unavailable", f"Redis can't be reached: {error}.") from error
        workers[queue] = made
    return workers[queue]
