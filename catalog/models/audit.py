"""Who changed what shoppers see, when and why. Entries are written once and never changed."""

from __future__ import annotations

from typing import Any, NoReturn

from django.conf import settings
from django.db import models


class AuditEntryQuerySet(models.QuerySet["AuditEntry"]):
    """Entries can be added and read. Python code that would change them fails."""

    def update(self, **fields: Any) -> NoReturn:
        raise TypeError("Audit entries are never changed.")

    def delete(self) -> NoReturn:
        raise TypeError("Audit entries are never deleted.")


class AuditEntry(models.Model):
    """One act of one person, or of a schedule (`by_name` is then "the schedule" or a command's name)."""

    created_at = models.DateTimeField(auto_now_add=True, db_index=True)
    # An account that is deleted leaves its name here.
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.DO_NOTHING, null=True, blank=True, db_constraint=False
    )
    by_name = models.CharField(max_length=150, help_text="As it was when this happened.")
    action = models.CharField(max_length=60, db_index=True, help_text="A stable word for programs, like promote.")
    subject = models.CharField(max_length=200, help_text="What it was done to.")
    why = models.CharField(max_length=1000, blank=True)
    details = models.JSONField(default=dict, blank=True)

    objects = AuditEntryQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name_plural = "audit entries"

    def __str__(self) -> str:
        return f"{self.by_name}: {self.action} {self.subject}"

    def save(self, *args: Any, **options: Any) -> None:
        if not self._state.adding:
            raise TypeError("Audit entries are never changed.")
        super().save(*args, **options)

    def delete(self, *args: Any, **options: Any) -> NoReturn:
        raise TypeError("Audit entries are never deleted.")
