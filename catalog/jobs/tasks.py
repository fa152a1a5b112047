"""The tasks that Django's tasks API carries: "do this job". A task is only a call to come and look.

What may be done, and by whom, is decided by claims in the database: a task that comes twice finds its work taken, and
one that is lost, with its queue or with the worker that had it, is sent anew (`send_lost`).
"""

import logging
from datetime import timedelta
from uuid import UUID

from django.db import DatabaseError, transaction
from django.utils import timezone
from django_tasks import TaskResultStatus, task
from django_tasks.exceptions import TaskResultDoesNotExist

from catalog.models import Job

log = logging.getLogger("catalog.worker")

QUEUE = "jobs"
# After so many workers died of it, a job is taken to be what kills them.
MOST_ATTEMPTS = 3
# A task may be on its way between two processes for so long before it is looked for.
_ON_ITS_WAY = timedelta(seconds=5)


@task(queue_name=QUEUE)
def run_job(job_id: str) -> str:
    """Does one job, if it still waits for a worker; returns the state that it is in afterwards."""
    from catalog.jobs.running import run

    return run(UUID(job_id))


def send(job: Job) -> None:
    """Calls a worker for this job: in the transaction in hand where tasks are rows, else once it is committed."""
    if is_in_database():
        _send(job.pk)
    else:
        transaction.on_commit(lambda: _send(job.pk))


def send_lost() -> int:
    """Sends anew the jobs whose worker died or whose task was lost; returns how many. Any number may call it at once.

    A job that may not run yet, because one that excludes it is running, is left waiting.
    """
    sent = sum(_take_from_the_dead(job) for job in Job.objects.abandoned())
    waiting = Job.objects.filter(state=Job.State.QUEUED, created_at__lt=timezone.now() - _ON_ITS_WAY)
    if not waiting.exists():
        return sent
    busy = set(Job.objects.filter(state=Job.State.RUNNING).exclude(alone="").values_list("alone", flat=True))
    for job in waiting.order_by("created_at"):
        if job.alone not in busy and not _is_waiting(job.task_id):
            _send(job.pk)
            sent += 1
    return sent


def _take_from_the_dead(job: Job) -> bool:
    """Puts a job back into the queue, or ends it when it was begun too often; returns whether it was sent."""
    # Of many that look at the same time one gets it: the claim that it had is taken away with it.
    found = Job.objects.abandoned().filter(pk=job.pk, claim=job.claim)
    if job.cancel_requested:
        found.update(state=Job.State.CANCELED, finished_at=timezone.now(), claim="", claimed_until=None)
        return False
    if job.attempts >= MOST_ATTEMPTS:
        found.update(
            state=Job.State.FAILED,
            error_code="worker_died",
            error=f"The worker died {job.attempts} times while it did this. Its log says more.",
            finished_at=timezone.now(),
            claim="",
            claimed_until=None,
        )
        return False
    if not found.update(state=Job.State.QUEUED, claim="", claimed_until=None, what="", done=0):
        return False
    log.warning("Job %s (%s): its worker %s died; another takes it over.", job.pk, job.kind, job.worker)
    _send(job.pk)
    return True


def _send(job_id: UUID) -> None:
    """A queue that is out of reach delays the job: `send_lost` tries again."""
    try:
        result = run_job.enqueue(str(job_id))
    except DatabaseError:
        raise
    except Exception as error:  # whatever a backend's client raises when its server is away
        log.warning("Job %s can't be sent to its queue now: %s.", job_id, error)
        return
    Job.objects.filter(pk=job_id).update(task_id=str(result.id)[:64])


def _is_waiting(task_id: str) -> bool:
    """Returns whether the task is still in its queue."""
    if not task_id:
        return False
    try:
        return bool(run_job.get_result(task_id).status == TaskResultStatus.READY)
    except TaskResultDoesNotExist:
        return False
    except DatabaseError:
        raise
    except Exception as error:  # whatever a backend's client raises when its server is away
        log.warning("The queue of jobs is out of reach: %s.", error)
        return True  # nothing can be sent now either


def is_in_database() -> bool:
    """Returns whether tasks are rows of the database, and not of a server of their own."""
    return type(run_job.get_backend()).__module__.partition(".")[0] == "django_tasks_db"
