"""`kill -9` of the worker in the middle of an upload, again and again: nothing lost, nothing doubled, counts add up."""

import random
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from catalog.uploads.imports import BATCH_ROWS
from tests.journeys.test_crashes import PATIENCE_S, Home, kill, stock, wait_until

ROWS = 5 * BATCH_ROWS
BAD = 20
SEND = """
from pathlib import Path
from catalog.models import Merchant
from catalog.uploads.accept import UploadOptions, accept_upload
merchant, _ = Merchant.objects.get_or_create(slug="atelier", defaults={{"name": "Atelier"}})
accept_upload(merchant, "feed.zip", [Path({path!r}).read_bytes()], UploadOptions(on_error={on_error!r}))
"""


def send(home: Home, folder: Path, on_error: str) -> None:
    path = folder / "feed.zip"
    path.write_bytes(home.feed.zip())
    home.run("shell", "-v", "0", "-c", SEND.format(path=str(path), on_error=on_error))


def let_claims_run_out(home: Home) -> None:
    home.let_claims_run_out()
    with closing(sqlite3.connect(home.path / "shop_search.sqlite3", timeout=20)) as database, database:
        database.execute("UPDATE catalog_upload SET claimed_until = '2000-01-01' WHERE claimed_until NOT NULL")


@pytest.mark.parametrize("on_error", ["keep_good", "reject_all"])
def test_an_upload_whose_workers_are_killed_one_after_another_is_done_once(home, tmp_path, on_error):
    stock(home, ROWS, pictures=20)
    bad = set(range(0, ROWS, ROWS // BAD)) if on_error == "keep_good" else set[int]()
    for n in bad:
        home.feed.rows[n]["price"] = "cheap"
    send(home, tmp_path, on_error)
    chance = random.Random(5)
    kills = 0
    for _ in range(6):
        if home.ask("SELECT status FROM catalog_upload") == "done":
            break
        before = home.ask("SELECT rows_done FROM catalog_upload")
        worker = home.start("worker", "--batch", "8")
        wait_until(lambda before=before: home.ask("SELECT rows_done FROM catalog_upload") != before, worker)  # type: ignore[misc]
        try:
            worker.wait(timeout=chance.random() * 0.05)  # a batch of rows takes longer
        except subprocess.TimeoutExpired:
            kill(worker)
        kills += 1
        let_claims_run_out(home)

    home.run("worker", "--burst")

    assert kills > 2
    upload = {
        name: home.ask(f"SELECT {name} FROM catalog_upload")
        for name in ("status", "rows_done", "rows_total", "rows_failed", "added", "changed", "unchanged")
    }
    assert upload == {
        "status": "done",
        "rows_done": ROWS,
        "rows_total": ROWS,
        "rows_failed": len(bad),
        "added": ROWS - len(bad),
        "changed": 0,
        "unchanged": 0,
    }
    assert home.count("product") == home.ask("SELECT COUNT(DISTINCT sku) FROM catalog_product") == ROWS - len(bad)
    assert home.count("productimage") == ROWS - len(bad)
    assert home.count("uploaderror") == home.ask("SELECT COUNT(DISTINCT row) FROM catalog_uploaderror") == len(bad)
    assert not list((home.path / "uploads").iterdir())
    final = home.check()
    assert final["agrees"]
    assert (final["points"], final["pending"], final["failed"]) == (ROWS - len(bad), 0, 0)


def test_two_workers_share_uploads_and_double_nothing(home, tmp_path):
    stock(home, 2 * BATCH_ROWS, pictures=20)
    for _ in range(3):
        send(home, tmp_path, "keep_good")

    workers = [home.start("worker", "--batch", "8", "--burst") for _ in range(2)]
    for worker in workers:
        worker.communicate(timeout=PATIENCE_S)
        assert worker.returncode == 0
    home.run("worker", "--burst")

    assert home.count("upload", "status = 'done'") == 3
    assert home.ask("SELECT SUM(added) FROM catalog_upload") == 2 * BATCH_ROWS
    assert home.ask("SELECT SUM(unchanged) FROM catalog_upload") == 4 * BATCH_ROWS
    assert home.count("product") == 2 * BATCH_ROWS
    assert home.check()["agrees"]
