"""A backup as a job."""

from typing import Any

from catalog.jobs import Progress, job
from catalog.operations.backup import make_backup


@job(
    "backup",
    title="Back up",
    about="Copies the database while the shop goes on, and lists the pictures. The last seven are kept.",
)
def backup(report: Progress, *, with_pictures: bool = False) -> dict[str, Any]:
    """Makes a backup in the folder for backups."""
    made = make_backup(with_pictures=with_pictures, progress=report)
    return {"path": made.path, "database_bytes": made.database_bytes, "pictures": made.pictures}
