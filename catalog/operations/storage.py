"""How much of the disk the shop takes, in bytes. A worker measures it now and then: walking many files takes long."""

import os
import shutil
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import connection
from django.utils import timezone


def measured() -> dict[str, Any]:
    """Returns bytes by what they are for; None where it isn't on this machine's disk."""
    home = Path(settings.SHOP_SEARCH_HOME)
    disk = shutil.disk_usage(home)
    vectors = settings.VECTOR_STORE.get("OPTIONS", {}).get("path")
    pictures = settings.MEDIA_ROOT if isinstance(default_storage, FileSystemStorage) else None
    return {
        "database": database_bytes(),
        "pictures": bytes_under(Path(pictures)) if pictures else None,
        "vectors": bytes_under(Path(vectors)) if vectors else None,
        "uploads": bytes_under(Path(settings.UPLOADS_ROOT)),
        "searched_crops": bytes_under(Path(settings.SEARCH_CROPS_ROOT)),
        "backups": bytes_under(Path(settings.BACKUPS_ROOT)),
        "free": disk.free,
        "disk": disk.total,
        "measured_at": timezone.now().isoformat(),
    }


def database_bytes() -> int | None:
    """Returns the size of the database, with what SQLite has yet to write into it; None when it doesn't say."""
    if connection.vendor == "sqlite":
        name = Path(str(connection.settings_dict["NAME"]))
        return sum(path.stat().st_size for path in name.parent.glob(f"{name.name}*") if path.is_file()) or None
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_database_size(current_database())")
            return int(cursor.fetchone()[0])
    return None


def bytes_under(folder: Path) -> int:
    """Returns the bytes of all files in a folder and below. What vanishes meanwhile counts nothing."""
    total = 0
    waiting = [folder]
    while waiting:
        try:
            entries = list(os.scandir(waiting.pop()))
        except OSError:
            continue
        for entry in entries:
            try:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(Path(entry.path))
                else:
                    total += entry.stat(follow_symlinks=False).st_size
            except OSError:
                continue
    return total
