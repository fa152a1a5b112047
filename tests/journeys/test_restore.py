"""What was lost comes back from a backup, as docs/operations.md says, on SQLite and the real store."""

import json
from pathlib import Path

from tests.journeys.test_crashes import PATIENCE_S, Home, stock

PRODUCTS = 12


def test_a_shop_is_restored_from_its_backup(home: Home, tmp_path: Path) -> None:
    stock(home, PRODUCTS, pictures=PRODUCTS)
    home.import_feed()
    home.run("worker", "--burst")
    made = json.loads(home.run("backup", "--pictures", "--to", str(tmp_path / "backups"), "--json"))
    assert (made["pictures"], made["with_pictures"]) == (PRODUCTS, True)

    home.run("shell", "-v", "0", "-c", "from catalog.models import Product; Product.objects.all().delete()")
    for path in (home.path / "media").rglob("*.png"):
        path.unlink()
    home.run("worker", "--burst")
    assert home.count("product") == 0

    said = home.run("restore_backup", made["path"], "--yes")
    assert f"Restored {PRODUCTS} products" in said
    home.run("reindex_catalog", "--check")

    assert home.count("product") == home.indexed() == PRODUCTS
    final = home.check()
    assert (final["agrees"], final["points"]) == (True, PRODUCTS)
    assert list(home.path.glob("shop_search.before-*.sqlite3")), "the lost one is kept beside"
    assert home.ask("PRAGMA journal_mode") == "wal"


def test_a_restore_is_refused_while_serve_runs(home: Home, tmp_path: Path) -> None:
    made = json.loads(home.run("backup", "--to", str(tmp_path / "backups"), "--json"))
    holder = home.start(
        "shell", "-v", "0", "-c",
        "import time; from django.conf import settings; from shop_search.instance import HomeLock; "
        "lock = HomeLock(settings.SHOP_SEARCH_HOME); lock.take('http://localhost:8000/'); print('held', flush=True); "
        "time.sleep(600)",
    )  # fmt: skip
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"

    refused = home.start("restore_backup", made["path"], "--yes")
    refused.communicate(timeout=PATIENCE_S)

    assert refused.returncode != 0
    assert not list(home.path.glob("shop_search.before-*"))
