"""The disk's last megabytes are kept free: with none left the database could not even note that the disk is full."""

import shutil
from pathlib import Path

from django.conf import settings

from shop_search.errors import ServiceError


def check_space(folder: Path | str, size: int = 0) -> None:
    """Raises ServiceError `disk_full` where writing `size` bytes would take of the reserve; nothing if it can't be
    known."""
    path = Path(folder)
    while not path.exists() and path != path.parent:
        path = path.parent
    try:
        free = shutil.disk_usage(path).free
    except OSError:
        return
    if free - size < settings.DISK_RESERVE_BYTES:
        raise ServiceError(
            "disk_full",
            f"The disk has {free / 2**20:.0f} MiB left, and {settings.DISK_RESERVE_BYTES / 2**20:.0f} MiB are kept "
            "free. Make room; what waits then goes on by itself.",
        )
