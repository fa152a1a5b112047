"""Backups: whole or not there, and what was lost comes back."""

import json
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from catalog.jobs.registry import kinds
from catalog.models import Backup
from catalog.operations import backup as module
from catalog.operations.backup import backups_in, make_backup, read_manifest
from shop_search.errors import InputError, ServiceError

# A backup waits for no open transaction of its own.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def root(transactional_db, settings, tmp_path) -> Path:
    settings.BACKUPS_ROOT = tmp_path / "backups"
    settings.MEDIA_ROOT = tmp_path / "media"
    return Path(settings.BACKUPS_ROOT)


@pytest.fixture
def stocked(shelf, root):
    shelf.put("P1", 1)
    shelf.put("P2", 2, 3)
    return shelf


def rows(database: Path, query: str) -> list[tuple]:
    with closing(sqlite3.connect(database)) as copy:
        return copy.execute(query).fetchall()


def test_a_backup_holds_the_database_and_names_every_picture(stocked, root):
    made = make_backup()

    folder = Path(made.path)
    assert rows(folder / "shop_search.sqlite3", "SELECT sku FROM catalog_product ORDER BY sku") == [("P1",), ("P2",)]
    lines = (folder / "pictures.tsv").read_text().splitlines()
    assert lines[0] == "path\tbytes\tsha256"
    assert len(lines) == 4
    assert all(len(line.split("\t")[2]) == 64 for line in lines[1:])
    assert (made.pictures, made.with_pictures) == (3, False)
    assert not (folder / "media").exists()
    manifest = read_manifest(folder)
    assert manifest["products"] == 2
    assert manifest["migrations"]["catalog"]
    assert folder.stat().st_mode & 0o077 == 0, "others may not read what is in it"


def test_pictures_are_copied_where_that_was_asked_for(stocked, root, settings):
    folder = Path(make_backup(with_pictures=True).path)
    kept = sorted(path.relative_to(folder / "media") for path in (folder / "media").rglob("*.png"))
    assert kept == sorted(path.relative_to(settings.MEDIA_ROOT) for path in Path(settings.MEDIA_ROOT).rglob("*.png"))
    assert len(kept) == 3


def test_the_last_few_are_kept(stocked, root):
    paths = [Path(make_backup(kept=2).path) for _ in range(4)]
    assert sorted(backups_in(root)) == sorted(paths[2:])
    assert len({path.name for path in paths}) == 4, "each has a name of its own"


def test_a_backup_that_fails_leaves_nothing_that_looks_like_one(stocked, root, monkeypatch):
    make_backup()

    def fail(path: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "_write_durably", fail)
    with pytest.raises(ServiceError, match="No space left"):
        make_backup()
    assert len(backups_in(root)) == 1
    assert len(list(root.iterdir())) == 1
    assert Backup.objects.count() == 1


def test_a_backup_does_not_take_the_last_of_the_disk(stocked, root, settings):
    settings.DISK_RESERVE_BYTES = 2**60
    with pytest.raises(ServiceError, match="kept free"):
        make_backup()
    assert list(root.iterdir()) == []


def test_a_night_needs_a_backup_unless_one_was_just_made(stocked, root):
    is_due = kinds()["backup"].nightly
    assert is_due is not None
    assert is_due()
    make_backup()
    assert not is_due()
    Backup.objects.update(created_at=timezone.now() - timedelta(hours=13))
    assert is_due()


def test_a_damaged_backup_is_recognized(stocked, root):
    folder = Path(make_backup().path)
    with (folder / "shop_search.sqlite3").open("r+b") as stream:
        stream.seek(5000)
        stream.write(b"damage")
    with pytest.raises(InputError, match="not what its manifest says"):
        read_manifest(folder)


def test_a_folder_that_is_no_backup_is_refused(root, tmp_path):
    with pytest.raises(CommandError, match="no complete backup"):
        call_command("restore_backup", str(tmp_path), "--yes")


def test_a_folder_that_can_not_be_written_says_so(stocked, root, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="can't be written"):
        make_backup(tmp_path / "file")


def test_the_command_says_what_it_did(stocked, root, capsys):
    call_command("backup", "--json")
    document = json.loads(capsys.readouterr().out)
    assert document["pictures"] == 3
    assert Path(document["path"]).parent == root
    with pytest.raises(CommandError, match="at least 1"):
        call_command("backup", "--keep", "0")
