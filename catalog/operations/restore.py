"""Puts a backup's database and pictures in the place of the shop's. What was there is kept beside."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, connections
from django.utils import timezone

from catalog.operations.backup import KEY, MEDIA, read_manifest
from shop_search.errors import InputError, ServiceError


def restore(folder: Path) -> dict[str, Any]:
    """Restores a backup and returns its manifest. Nothing may run on this home meanwhile.

    Raises InputError `backup_unreadable`, `backup_damaged` or `backup_engine_differs`, ServiceError `restore_failed`.
    """
    manifest = read_manifest(folder)
    if manifest["engine"] != connection.vendor:
        raise InputError(
            "backup_engine_differs",
            f"The backup is of {manifest['engine']}, this shop runs on {connection.vendor}.",
        )
    database = folder / manifest["database"]["file"]
    try:
        if connection.vendor == "sqlite":
            _replace_sqlite(database, Path(str(connection.settings_dict["NAME"])))
        else:
            _load_dump(database)
        if (folder / MEDIA).is_dir():
            shutil.copytree(folder / MEDIA, settings.MEDIA_ROOT, dirs_exist_ok=True)
        if (folder / KEY).is_file():
            shutil.copyfile(folder / KEY, Path(settings.SHOP_SEARCH_HOME) / KEY)
    except OSError as error:
        raise ServiceError("restore_failed", f"The backup could not be restored: {error}") from error
    return manifest


def _replace_sqlite(backup: Path, path: Path) -> None:
    connections.close_all()
    aside = timezone.now().strftime("%Y%m%d-%H%M%S")
    fresh = path.with_name(f"{path.name}.restored")
    shutil.copyfile(backup, fresh)
    with fresh.open("rb") as stream:
        os.fsync(stream.fileno())
    # The write-ahead log belongs to the old file: left in place, SQLite would play it into the new one.
    for suffix in ("", "-wal", "-shm"):
        old = path.with_name(f"{path.name}{suffix}")
        if old.exists():
            old.rename(path.with_name(f"{path.stem}.before-{aside}{path.suffix}{suffix}"))
    fresh.rename(path)


def _load_dump(dump: Path) -> None:
    options = connection.get_connection_params()
    connections.close_all()
    known = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD"}
    given = {variable: str(options[name]) for name, variable in known.items() if options.get(name)}
    command = ["pg_restore", "--clean", "--if-exists", "--no-owner", "--single-transaction"]
    try:
        subprocess.run(
            [*command, f"--dbname={options['dbname']}", str(dump)],
            env={**os.environ, **given},
            check=True,
            capture_output=True,
            text=True,
        )
    except FileNotFoundError as error:
        raise ServiceError("restore_failed", "There is no pg_restore here. Install PostgreSQL's tools.") from error
    except subprocess.CalledProcessError as error:
        raise ServiceError("restore_failed", f"pg_restore failed: {str(error.stderr).strip()[-500:]}") from error
