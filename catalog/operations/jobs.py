"""A backup as a job: when somebody asks, and every night that has none yet."""

import shutil
from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from catalog.jobs import Progress, job
from catalog.models import Backup
from catalog.operations.backup import make_backup

# A backup as young as this is the night's: made by cron, or by hand late in the evening.
FRESH = timedelta(hours=12)


def is_due() -> bool:
    """Says whether tonight needs a backup, and one can be made here: PostgreSQL's needs its client tools."""
    if connection.vendor != "sqlite" and shutil.which("pg_dump") is None:
        return False
    return not Backup.objects.filter(created_at__gt=timezone.now() - FRESH).exists()


@job(
    "backup",
    title="Back up",
    about="Copies the database while the shop goes on, and lists the pictures. The last seven are kept.",
    nightly=is_due,
)
def backup(report: Progress, *, with_pictures: bool = False) -> dict[str, Any]:
    """Makes a backup in the folder for backups."""
    made = make_backup(with_pictures=with_pictures, progress=report)
    return {"path": made.path, "database_bytes": made.database_bytes, "pictures": made.pictures}
