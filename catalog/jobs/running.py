"""One worker's time with one job: claimed, done with its claim renewed, ended with a result or an error.

A worker that lost its claim meanwhile (it slept, its machine was cut off) writes nothing more: another has the job.
"""

import json
import logging
import os
import secrets
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.core.serializers.json import DjangoJSONEncoder
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from catalog.jobs.registry import kind_of
from catalog.jobs.renewal import Renewal
from catalog.jobs.tasks import send
from catalog.models import Job
from catalog.models.jobs import LEASE
from shop_search.errors import ShopSearchError

log = logging.getLogger("catalog.worker")

# People read progress; twice a second is as live as they notice, and costs the database little.
TELL_EVERY_S = 0.5

State = Job.State

_job: ContextVar[Job | None] = ContextVar("job", default=None)
_is_stopped: ContextVar[Callable[[], bool]] = ContextVar("is_stopped", default=lambda: False)


class JobEndedEarly(Exception):  # noqa: N818 - no error: somebody wants it so
    """Passes through a job's function to end it before it is done."""


class JobCanceled(JobEndedEarly):
    """Somebody canceled the job."""


class WorkerStops(JobEndedEarly):
    """The worker was asked to stop; another goes on with the job."""


class ClaimLostError(JobEndedEarly):
    """Another worker has the job."""


@contextmanager
def stopping_when(is_stopped: Callable[[], bool]) -> Iterator[None]:
    """Work that this thread does meanwhile ends early, and is left to others, once `is_stopped`."""
    token = _is_stopped.set(is_stopped)
    try:
        yield
    finally:
        _is_stopped.reset(token)


def must_stop() -> bool:
    """Returns whether this thread's worker was asked to stop."""
    return _is_stopped.get()()


def asker() -> User | None:
    """Returns who asked for the job that this thread does; None outside of one, and when the schedule did."""
    job = _job.get()
    return job.asked_by if job is not None else None


def here() -> str:
    """Returns what this process is called where people look for it."""
    return f"{socket.gethostname()[:100]}/{os.getpid()}"


def run(job_id: UUID) -> str:
    """Does the job if it still waits and may run now; returns the state that it is in afterwards."""
    job = _claim(job_id)
    if job is None:
        return str(Job.objects.filter(pk=job_id).values_list("state", flat=True).first() or "gone")
    log.info("Job %s: %s.", job.pk, job.kind)
    token = _job.set(job)
    try:
        with _Lease(job) as lease:
            report = _Report(job, lease)
            report.check()
            result = kind_of(job.kind).work(report, **job.arguments)
            report.check()
            _end(job, State.DONE, result=_json(result), done=report.done, total=report.total, what="")
    except JobCanceled:
        _end(job, State.CANCELED)
    except WorkerStops:
        _give_back(job)
    except ClaimLostError:
        log.warning("Job %s was taken over by another worker.", job.pk)
    except ShopSearchError as error:
        _end(job, State.FAILED, error_code=error.code[:60], error=error.message[:1000])
    except Exception:
        log.exception("Job %s (%s) failed.", job.pk, job.kind)
        _end(job, State.FAILED, error_code="internal_error", error="Something went wrong. The worker's log says what.")
    finally:
        _job.reset(token)
    job.refresh_from_db()
    log.info("Job %s: %s is %s.", job.pk, job.kind, job.state)
    return str(job.state)


def _claim(job_id: UUID) -> Job | None:
    """Takes a waiting job for this process; None when another has it, or when one runs that excludes it."""
    now = timezone.now()
    try:
        with transaction.atomic():
            taken = Job.objects.filter(pk=job_id, state=State.QUEUED).update(
                state=State.RUNNING,
                claim=secrets.token_hex(8),
                claimed_until=now + LEASE,
                worker=here(),
                attempts=F("attempts") + 1,
                started_at=now,
                done=0,
                total=0,
                what="",
            )
    except IntegrityError:  # another of those that exclude each other is running
        return None
    return Job.objects.get(pk=job_id) if taken else None


def _end(job: Job, state: State, **fields: Any) -> None:
    ended = Job.objects.held(job).update(
        state=state, finished_at=timezone.now(), claim="", claimed_until=None, **fields
    )
    if not ended:
        log.warning("Job %s was taken over by another worker.", job.pk)


def _give_back(job: Job) -> None:
    """Lets any worker begin the job anew, at once. Stopping a worker is not the job's fault."""
    with transaction.atomic():
        back = Job.objects.held(job).update(
            state=State.QUEUED, claim="", claimed_until=None, what="", done=0, attempts=F("attempts") - 1
        )
        if back:
            send(job)


def _json(result: object) -> Any:
    """Returns the result as JSON can say it."""
    return json.loads(json.dumps(result, cls=DjangoJSONEncoder, allow_nan=False)) if result is not None else None


class _Report:
    """The `Progress` that a job is given."""

    def __init__(self, job: Job, lease: "_Lease") -> None:
        self._job = job
        self._lease = lease
        self._told_at = 0.0
        self._what = ""
        self.done = 0
        self.total = 0

    def __call__(self, done: int, total: int = 0, what: str = "") -> None:
        self.done, self.total = int(done), int(total) or self.total
        is_news = bool(what) and what != self._what
        self._what = what or self._what
        self.check()
        if is_news or monotonic() - self._told_at >= TELL_EVERY_S:
            self._told_at = monotonic()
            held = Job.objects.held(self._job)
            if not held.update(done=self.done, total=self.total, what=self._what[:200]):
                raise ClaimLostError
            if held.filter(cancel_requested=True).exists():
                raise JobCanceled

    def check(self) -> None:
        """Raises JobEndedEarly when the work should end now."""
        if self._lease.is_lost:
            raise ClaimLostError
        if self._lease.is_canceled:
            raise JobCanceled
        if must_stop():
            raise WorkerStops


class _Lease:
    """A job's claim, renewed until the work ends, and what is heard with it: that it is lost, or that people cancel."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._renewal = Renewal(self._renew, lease=LEASE)
        self.is_lost = False
        self.is_canceled = job.cancel_requested

    def __enter__(self) -> "_Lease":
        self._renewal.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        self._renewal.__exit__(*exception)

    def _renew(self) -> None:
        held = Job.objects.held(self._job)
        self.is_lost = not held.update(claimed_until=timezone.now() + LEASE)
        self.is_canceled = held.filter(cancel_requested=True).exists()
