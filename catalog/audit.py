"""Notes who changed what shoppers see: in the same transaction as the change, so that neither is there alone."""

from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

from catalog.models import AuditEntry

# What acted where no person did: the nightly schedule, or a command in a terminal.
SCHEDULE = "the schedule"


def note(
    by: AbstractBaseUser | AnonymousUser | None,
    action: str,
    subject: str,
    *,
    why: str = "",
    details: dict[str, Any] | None = None,
    by_name: str = SCHEDULE,
) -> AuditEntry:
    """Returns the entry that was written.

    `action` is a stable word like `promote`, `subject` what it was done to, for people. `by_name` says who acted where
    there is no account: a schedule or a command.
    """
    person = by if by is not None and by.is_authenticated else None
    return AuditEntry.objects.create(
        by_id=person.pk if person else None,
        by_name=(person.get_username() if person else by_name)[:150],
        action=action[:60],
        subject=subject[:200],
        why=why.strip()[:1000],
        details=details or {},
    )
