"""Long work that people start from a page, and the nights on which the schedule started some.

    queued ──claim──> running ──> done | failed
       │  ^              │
       │  └─worker died──┘ (or was stopped: another takes it over)
       └──────cancel─────┴──> canceled

A worker holds a job by `claim`, which it renews while it works; only the holder of a claim that still holds can write
progress or a result.
"""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

# The worker that holds a job says so each third of this time; a job whose worker died is taken over after it.
LEASE = timedelta(seconds=30)


class JobQuerySet(models.QuerySet["Job"]):
    def unfinished(self) -> JobQuerySet:
        return self.filter(finished_at=None)

    def held(self, job: Job) -> JobQuerySet:
        """This job, if the claim that `job` was taken with still holds."""
        return self.filter(pk=job.pk, claim=job.claim, state=Job.State.RUNNING)

    def abandoned(self) -> JobQuerySet:
        """Jobs whose worker stopped renewing its claim."""
        return self.filter(state=Job.State.RUNNING, claimed_until__lt=timezone.now())


class Job(models.Model):
    """One run of a registered kind of work (catalog/jobs/registry.py), as people see it."""

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"
        CANCELED = "canceled"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=60)
    arguments = models.JSONField(default=dict, blank=True)
    key = models.CharField(max_length=64, help_text="SHA-256 of kind and arguments.")
    alone = models.CharField(max_length=60, blank=True, help_text="Of jobs with the same word one runs at a time.")
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    asked_by_name = models.CharField(max_length=150, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    done = models.PositiveBigIntegerField(default=0)
    total = models.PositiveBigIntegerField(default=0, help_text="0: not known yet.")
    what = models.CharField(max_length=200, blank=True, help_text="What is done now, for people.")
    result = models.JSONField(null=True, blank=True)
    error_code = models.CharField(max_length=60, blank=True)
    error = models.CharField(max_length=1000, blank=True)
    cancel_requested = models.BooleanField(default=False)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="How often a worker began it.")
    task_id = models.CharField(max_length=64, blank=True, help_text="In the tasks backend.")
    claim = models.CharField(max_length=16, blank=True)
    claimed_until = models.DateTimeField(null=True, blank=True)
    worker = models.CharField(max_length=120, blank=True, help_text="Host and process that has it, or had it last.")
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        permissions = [("operate", "Can operate the shop: run jobs, promote models, curate")]
        constraints = [
            models.UniqueConstraint(
                fields=["key"], condition=Q(finished_at=None), name="one_unfinished_job_of_a_kind_and_arguments"
            ),
            models.UniqueConstraint(
                fields=["alone"], condition=Q(state="running") & ~Q(alone=""), name="one_running_job_of_those_alone"
            ),
        ]
        indexes = [
            models.Index(fields=["state", "claimed_until"], name="jobs_by_state"),
            models.Index(fields=["kind", "-created_at"], name="latest_jobs_of_a_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} ({self.state})"

    @property
    def is_finished(self) -> bool:
        return self.finished_at is not None


class Night(models.Model):
    """A day on which the nightly jobs were asked for. Whichever worker writes the row asks for them."""

    day = models.DateField(unique=True)
    asked_at = models.DateTimeField(auto_now_add=True)
    jobs = models.JSONField(default=list, blank=True, help_text="Kinds that were asked for.")

    class Meta:
        ordering = ["-day"]

    def __str__(self) -> str:
        return str(self.day)
