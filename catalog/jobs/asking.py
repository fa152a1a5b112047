"""Asking for a job and canceling one. What is asked for is a row and a task in Django's tasks backend."""

import hashlib
import json
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import IntegrityError, transaction
from django.utils import timezone

from catalog.jobs.registry import kind_of
from catalog.jobs.tasks import send
from catalog.models import Job

# Finished jobs of each kind that are kept.
KEPT = 50


def ask(kind: str, *, by: AbstractBaseUser | AnonymousUser | None = None, **arguments: Any) -> Job:
    """Returns the job that will do this: the one that waits or runs already, or else a new one.

    `by` is who asked; None stands for the schedule. Arguments must be JSON. Raises InputError `job_unknown`.
    """
    registered = kind_of(kind)
    key = hashlib.sha256(json.dumps([kind, arguments], sort_keys=True).encode()).hexdigest()
    person = by if by is not None and by.is_authenticated else None
    tries = 3  # the same may be asked for, and done, at the same moment
    while True:
        found = Job.objects.unfinished().filter(key=key).first()
        if found is not None:
            return found
        try:
            with transaction.atomic():
                made = Job.objects.create(
                    kind=kind,
                    arguments=arguments,
                    key=key,
                    alone=registered.alone,
                    asked_by_id=person.pk if person else None,
                    asked_by_name=person.get_username()[:150] if person else "",
                )
                send(made)
        except IntegrityError:
            tries -= 1
            if not tries:
                raise
        else:
            return made


def cancel(job: Job) -> Job:
    """Cancels the job and returns it: at once when nobody has it, else when it next tells how far it is."""
    now = timezone.now()
    Job.objects.unfinished().filter(pk=job.pk).update(cancel_requested=True)
    Job.objects.filter(pk=job.pk, state=Job.State.QUEUED).update(state=Job.State.CANCELED, finished_at=now)
    job.refresh_from_db()
    return job


def forget_old() -> int:
    """Deletes finished jobs but for the last of each kind; returns how many."""
    gone = 0
    for kind in Job.objects.order_by().values_list("kind", flat=True).distinct():
        finished = Job.objects.filter(kind=kind).exclude(finished_at=None)
        kept = list(finished.order_by("-created_at").values_list("pk", flat=True)[:KEPT])
        gone += finished.exclude(pk__in=kept).delete()[0]
    return gone
