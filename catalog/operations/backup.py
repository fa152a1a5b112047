"""Backups: one folder with the database, the key that signs sessions, and a list of the pictures (or the pictures).

    <folder>/20260521-030000-000/manifest.json          what is in it, with checksums; written last
                                 shop_search.sqlite3    or database.dump, from pg_dump
                                 secret_key
                                 pictures.tsv           path, bytes, SHA-256 as the database knows it
                                 media/                 only if asked for

The database is copied in one go while the shop goes on: by SQLite's online backup, or by pg_dump. Vectors are not in
it: they are made anew from the pictures. A folder gets its name when all of it is written, so that what was cut short
is never taken for a backup.
"""

import csv
import hashlib
import json
import os
import shutil
import socket
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from django.conf import settings
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import connection
from django.utils import timezone

from catalog.models import Backup, Product, ProductImage
from catalog.pictures.disk import check_space
from shop_search.errors import InputError, ServiceError

SQLITE, DUMP = "shop_search.sqlite3", "database.dump"
MANIFEST, LIST, KEY, MEDIA = "manifest.json", "pictures.tsv", "secret_key", "media"
KEPT = 7

Progress = Callable[[int, int, str], object]


@dataclass(frozen=True, slots=True)
class Pictures:
    """What was listed."""

    files: int
    total_bytes: int


def make_backup(
    root: Path | None = None,
    *,
    with_pictures: bool = False,
    kept: int = KEPT,
    progress: Progress = lambda done, total, what: None,
) -> Backup:
    """Makes a backup in a new folder under `root` and returns its row; of older ones there the last `kept` stay.

    Raises InputError `backup_folder_unusable`, or ServiceError `disk_full` when the copy would take of the disk's
    reserve, and `backup_failed` when a tool fails.
    """
    if connection.in_atomic_block:  # SQLite would wait for this very transaction to end
        raise RuntimeError("A backup can't be made inside of a transaction.")
    root = Path(root or settings.BACKUPS_ROOT)
    started, now = monotonic(), timezone.now()
    name = f"{now:%Y%m%d-%H%M%S}-{now.microsecond // 1000:03}"
    half = root / f".{name}-{os.getpid()}"
    try:
        half.mkdir(parents=True, mode=0o700)
    except OSError as error:
        raise InputError("backup_folder_unusable", f"{root} can't be written: {error.strerror}.") from error
    try:
        progress(0, 0, "copying the database")
        check_space(root, _database_bytes())
        database = _copy_database(half)
        _copy_key(half)
        pictures = _list_pictures(half / LIST, half / MEDIA if with_pictures else None, progress)
        manifest = {
            "made_at": now.isoformat(),
            "engine": connection.vendor,
            "database": {"file": database.name, "bytes": database.stat().st_size, "sha256": sha256_of(database)},
            "pictures": {"files": pictures.files, "bytes": pictures.total_bytes, "copied": with_pictures},
            "products": Product.objects.count(),
            "migrations": _migrations(),
        }
        _write_durably(half / MANIFEST, json.dumps(manifest, indent=2).encode())
        done = _named(half, root / name)
    except (OSError, sqlite3.Error, subprocess.SubprocessError) as error:
        raise ServiceError("backup_failed", f"The backup could not be finished: {error}") from error
    finally:
        shutil.rmtree(half, ignore_errors=True)
    _forget_older(root, kept)
    return Backup.objects.create(
        path=str(done)[:500],
        host=socket.gethostname()[:100],
        database_bytes=manifest["database"]["bytes"],  # type: ignore[index]
        pictures=pictures.files,
        picture_bytes=pictures.total_bytes,
        with_pictures=with_pictures,
        seconds=round(monotonic() - started, 2),
    )


def backups_in(root: Path) -> list[Path]:
    """Returns the complete backups in a folder, the newest first."""
    return sorted((path.parent for path in root.glob(f"[0-9]*/{MANIFEST}")), reverse=True)


def sha256_of(path: Path) -> str:
    """Returns the file's SHA-256 as 64 hex digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _database_bytes() -> int:
    """Returns how much the copy will take; 0 where only the server knows."""
    path = Path(str(connection.settings_dict["NAME"]))
    return path.stat().st_size if connection.vendor == "sqlite" and path.is_file() else 0


def _copy_database(folder: Path) -> Path:
    if connection.vendor == "sqlite":
        return _copy_sqlite(str(connection.settings_dict["NAME"]), folder / SQLITE)
    if connection.vendor == "postgresql":
        return _dump_postgresql(folder / DUMP)
    raise InputError("backup_engine_unknown", f"There is no backup for {connection.vendor}; use its own tools.")


def _copy_sqlite(name: str, path: Path) -> Path:
    """Copies the database as it is at one moment. Writers go on: in WAL mode a reader keeps nobody waiting."""
    with closing(sqlite3.connect(path)) as copy:
        if "mode=memory" in name:  # a test's database, which only this process has
            connection.ensure_connection()
            connection.connection.backup(copy)
        else:
            with closing(sqlite3.connect(name, timeout=60)) as source:
                source.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, with nothing beside it
        (verdict,) = copy.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise ServiceError("backup_failed", f"The copy of the database is damaged: {verdict}. So may be the original.")
    _sync(path)
    return path


def _dump_postgresql(path: Path) -> Path:
    options = connection.get_connection_params()
    known = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD", "dbname": "PGDATABASE"}
    given = {variable: str(options[name]) for name, variable in known.items() if options.get(name)}
    try:
        subprocess.run(
            ["pg_dump", "--format=custom", "--no-owner", f"--file={path}"],
            env={**os.environ, **given},
            check=True,
            capture_output=True,
            text=True,
        )
    except FileNotFoundError as error:
        raise ServiceError("backup_failed", "There is no pg_dump here. Install PostgreSQL's client tools.") from error
    except subprocess.CalledProcessError as error:
        raise ServiceError("backup_failed", f"pg_dump failed: {str(error.stderr).strip()[-500:]}") from error
    _sync(path)
    return path


def _copy_key(folder: Path) -> None:
    key = Path(settings.SHOP_SEARCH_HOME) / KEY
    if key.is_file():
        shutil.copyfile(key, folder / KEY)
        (folder / KEY).chmod(0o600)


def _list_pictures(path: Path, media: Path | None, progress: Progress) -> Pictures:
    if not isinstance(default_storage, FileSystemStorage):
        if media is not None:
            raise InputError("backup_pictures_elsewhere", "Pictures are not on this machine's disk to be copied.")
        return _list_known(path)
    root = Path(settings.MEDIA_ROOT)
    known = dict(ProductImage.objects.exclude(sha256="").values_list("file", "sha256"))
    files = total = 0
    with path.open("w", encoding="utf-8", newline="") as stream:
        rows = csv.writer(stream, delimiter="\t")
        rows.writerow(["path", "bytes", "sha256"])
        for found in _files_under(root):
            name = found.relative_to(root).as_posix()
            try:
                size = found.stat().st_size
                if media is not None:
                    (media / name).parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(found, media / name)
            except FileNotFoundError:  # a product that was withdrawn meanwhile
                continue
            rows.writerow([name, size, known.get(name, "")])
            files, total = files + 1, total + size
            if files % 200 == 0:
                progress(files, max(files, len(known)), "copying pictures" if media else "listing pictures")
    return Pictures(files, total)


def _list_known(path: Path) -> Pictures:
    files = 0
    with path.open("w", encoding="utf-8", newline="") as stream:
        rows = csv.writer(stream, delimiter="\t")
        rows.writerow(["path", "bytes", "sha256"])
        for name, sha256 in ProductImage.objects.values_list("file", "sha256").iterator():
            rows.writerow([name, "", sha256])
            files += 1
    return Pictures(files, 0)


def _files_under(folder: Path) -> Iterator[Path]:
    for where, folders, names in os.walk(folder):
        folders.sort()
        yield from (Path(where) / name for name in sorted(names))


def _migrations() -> dict[str, str]:
    """Returns the last migration of each app, so that whoever restores knows which version wrote this."""
    from django.db.migrations.recorder import MigrationRecorder

    return dict(sorted(MigrationRecorder(connection).applied_migrations()))


def _named(half: Path, path: Path) -> Path:
    """Gives the finished backup its name; two that began in the same second get two."""
    tries = 0
    while path.exists():
        tries += 1
        path = path.with_name(f"{path.name.split('.')[0]}.{tries}")
    half.rename(path)
    return path


def _forget_older(root: Path, kept: int) -> None:
    for path in backups_in(root)[max(1, kept) :]:
        shutil.rmtree(path, ignore_errors=True)


def _write_durably(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    _sync(path)


def _sync(path: Path) -> None:
    with path.open("rb") as stream:
        os.fsync(stream.fileno())


def read_manifest(folder: Path) -> dict[str, Any]:
    """Returns what a backup says of itself. Raises InputError `backup_unreadable` or `backup_damaged`."""
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        database = folder / manifest["database"]["file"]
        if sha256_of(database) != manifest["database"]["sha256"]:
            raise InputError("backup_damaged", f"{database} is not what its manifest says.")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError("backup_unreadable", f"{folder} is no complete backup: {error}") from error
    return manifest
