"""What a worker waits for: a full disk, a store that is down. Written while it waits, gone when it goes on."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import DatabaseError, models
from django.utils import timezone

from shop_search.errors import ServiceError

log = logging.getLogger("catalog.worker")

# A worker that waits tries again each half minute at the latest; a note that is older is that of one that died.
NOTED_FOR = timedelta(seconds=90)
_noted: set[str] = set()  # by this process: others' notes aren't ours to take back


class PauseQuerySet(models.QuerySet["Pause"]):
    def current(self) -> PauseQuerySet:
        """Pauses that a living worker has told of."""
        return self.filter(seen_at__gt=timezone.now() - NOTED_FOR)

    def note(self, part: str, error: ServiceError) -> None:
        """Says that a part waits, and for what. A database that can't take this down is no further trouble."""
        now = timezone.now()
        told = {"code": error.code, "message": error.message[:500], "seen_at": now}
        try:
            old = self.filter(part=part).first()
            is_same = old is not None and old.code == error.code and old.seen_at > now - NOTED_FOR
            since = old.since if old is not None and is_same else now
            self.update_or_create(part=part, defaults={**told, "since": since})
            _noted.add(part)
        except DatabaseError as failure:
            log.warning("The pause of %s can't be noted: %s", part, failure)

    def clear(self, part: str) -> None:
        """Says that a part goes on, where this process had said that it waits."""
        if part in _noted:
            self.filter(part=part).delete()
            _noted.discard(part)


class Pause(models.Model):
    """A part of the worker (uploads, pictures, indexing) that waits for something of ours to work again."""

    part = models.CharField(max_length=20, unique=True)
    code = models.CharField(max_length=60)
    message = models.CharField(max_length=500)
    since = models.DateTimeField()
    seen_at = models.DateTimeField()

    objects = PauseQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.part}: {self.code}"


@contextmanager
def noting_pauses(part: str) -> Iterator[None]:
    """Notes a ServiceError on its way out as a pause of this part, and takes the note back where all went well."""
    try:
        yield
    except ServiceError as error:
        Pause.objects.note(part, error)
        raise
    Pause.objects.clear(part)
