"""What is told of the running installation: workers that say they are alive, and backups that were made."""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.db import models
from django.utils import timezone

# A worker says each five seconds that it is alive; one that was silent for this long is taken to be dead.
SILENT_AFTER = timedelta(seconds=20)


class Worker(models.Model):
    """One worker process. It writes its row now and then; a row that stays old is that of a dead one."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    host = models.CharField(max_length=100)
    pid = models.PositiveIntegerField()
    started_at = models.DateTimeField(auto_now_add=True)
    seen_at = models.DateTimeField(db_index=True)
    does = models.JSONField(default=dict, blank=True, help_text="What it works at now: part -> since when.")
    storage = models.JSONField(default=dict, blank=True, help_text="What it last measured of its disk, in bytes.")

    class Meta:
        ordering = ["-seen_at"]

    def __str__(self) -> str:
        return f"{self.host}/{self.pid}"

    @property
    def is_alive(self) -> bool:
        return self.seen_at > timezone.now() - SILENT_AFTER


class Backup(models.Model):
    """A backup that was completed, and where it lies."""

    created_at = models.DateTimeField(auto_now_add=True)
    path = models.CharField(max_length=500)
    host = models.CharField(max_length=100)
    database_bytes = models.PositiveBigIntegerField()
    pictures = models.PositiveBigIntegerField(help_text="Files of pictures that were listed.")
    picture_bytes = models.PositiveBigIntegerField()
    with_pictures = models.BooleanField(default=False, help_text="The pictures were copied too, not only listed.")
    seconds = models.FloatField(default=0)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.path
