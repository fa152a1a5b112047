"""What `kill -9` may cost: time, never an acknowledged row, and never the agreement of index and database.

Each test runs the product's own commands as processes in a home of its own, and kills one of them in mid-work.
"""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings

from catalog.uploads.imports import BATCH_ROWS
from embeddings.stores.edge import EdgeStore
from tests.feed_folder import FeedFolder

PATIENCE_S = 300.0  # for what must happen: costs nothing where it does, and a busy machine is slow


@dataclass
class Home:
    """An instance of the shop, and the processes that this test started in it."""

    path: Path
    feed: FeedFolder
    processes: list[subprocess.Popen[str]] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)  # beside what each process gets

    @property
    def store(self) -> EdgeStore:
        return EdgeStore(self.path / "vectors")

    def start(self, *arguments: str, delay_s: float = 0.0) -> subprocess.Popen[str]:
        environment = {name: value for name, value in os.environ.items() if name != "QDRANT_URL"}
        environment |= {
            "SHOP_SEARCH_HOME": str(self.path),
            "DJANGO_SETTINGS_MODULE": "tests.journeys.crash_settings",
            "FAKE_ENCODER_DELAY_S": str(delay_s),
            **self.environment,
        }
        log = (self.path / "log").open("a")
        process = subprocess.Popen(
            [sys.executable, "manage.py", *arguments],
            cwd=settings.BASE_DIR,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=log,
        )
        log.close()
        self.processes.append(process)
        return process

    def stop(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()
        self.store.stop()

    def run(self, *arguments: str) -> str:
        """Returns what the command printed; it must succeed."""
        process = self.start(*arguments)
        out, _ = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0, f"{arguments} ended with {process.returncode}: {out}"
        return out

    def import_feed(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.run(*self.import_arguments, "--json"))
        return document

    @property
    def import_arguments(self) -> tuple[str, ...]:
        return ("import_catalog", str(self.feed.path), "--merchant", "atelier", "--no-index")

    def check(self) -> dict[str, Any]:
        """Returns how database and index differ, and mends nothing."""
        process = self.start("reindex_catalog", "--check", "--no-repair", "--json")
        out, _ = process.communicate(timeout=PATIENCE_S)
        before: dict[str, Any] = json.loads(out)["before"]
        return before

    def ask(self, query: str) -> Any:
        with closing(sqlite3.connect(self.path / "shop_search.sqlite3", timeout=20)) as database:
            return database.execute(query).fetchone()[0]

    def count(self, table: str, where: str = "TRUE") -> int:
        return int(self.ask(f"SELECT COUNT(*) FROM catalog_{table} WHERE {where}"))

    @property
    def log(self) -> str:
        """What the processes said on standard error."""
        return (self.path / "log").read_text(encoding="utf-8")

    def indexed(self) -> int:
        return self.count("productimage", "state = 'indexed'")

    def let_claims_run_out(self) -> None:
        """Two minutes later."""
        with closing(sqlite3.connect(self.path / "shop_search.sqlite3", timeout=20)) as database, database:
            database.execute(
                "UPDATE catalog_productimage SET claimed_until = '2000-01-01' WHERE claimed_until NOT NULL"
            )


def wait_until(happened: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not happened():
        assert process.poll() is None, f"The process ended with {process.returncode} before its time."
        assert time.monotonic() < deadline, "It never happened."
        time.sleep(0.01)


def kill(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()


def stock(home: Home, products: int, *, pictures: int) -> None:
    """Writes a feed of products that share a few small pictures."""
    for n in range(pictures):
        home.feed.draw(f"{n}.png", seed=n, size=(32, 32))
    for n in range(products):
        home.feed.rows.append(
            {"id": f"P-{n:05}", "title": f"Product {n}", "image_link": f"{n % pictures}.png", "price": "10 EUR"}
        )
    home.feed.write()


def test_an_import_that_is_killed_keeps_its_batches_and_goes_on_when_started_again(home):
    products = 5 * BATCH_ROWS
    stock(home, products, pictures=products)
    importing = home.start(*home.import_arguments)
    wait_until(lambda: home.count("product") >= BATCH_ROWS, importing)
    kill(importing)

    kept = home.count("product")
    assert kept % BATCH_ROWS == 0  # whole batches
    assert 0 < kept < products
    assert home.count("productimage") == kept
    media = home.path / "media"
    with closing(sqlite3.connect(home.path / "shop_search.sqlite3")) as database:
        files = [name for (name,) in database.execute("SELECT file FROM catalog_productimage")]
    assert all((media / name).stat().st_size > 0 for name in files)

    again = home.import_feed()

    assert (again["added"], again["unchanged"], again["failed"]) == (products - kept, kept, 0)
    assert home.count("product") == products
    assert home.ask("SELECT COUNT(DISTINCT sku) FROM catalog_product") == products
    assert home.import_feed()["unchanged"] == products


def test_a_worker_that_is_killed_leaves_nothing_marked_that_is_not_in_the_index(home):
    stock(home, 120, pictures=120)
    home.import_feed()
    worker = home.start("worker", "--batch", "8", delay_s=0.02)
    wait_until(lambda: home.indexed() >= 16, worker)
    kill(worker)

    done = home.indexed()
    after_the_kill = home.check()
    assert 0 < done < 120
    assert (after_the_kill["missing"], after_the_kill["stale"], after_the_kill["drifted"]) == (0, 0, 0)

    home.let_claims_run_out()
    home.run("worker", "--burst")

    final = home.check()
    assert final["agrees"]
    assert (final["images"], final["points"], final["pending"], final["failed"]) == (120, 120, 0, 0)


def test_a_store_that_is_killed_comes_back_with_all_it_had(home):
    stock(home, 120, pictures=120)
    home.import_feed()
    worker = home.start("worker", "--batch", "8", "--burst", delay_s=0.02)
    wait_until(lambda: home.indexed() >= 16, worker)
    pid = home.store.pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)

    worker.communicate(timeout=PATIENCE_S)

    assert worker.returncode == 0
    assert home.indexed() == 120
    assert home.store.pid() not in {pid, None}
    final = home.check()
    assert final["agrees"]
    assert final["points"] == 120


def test_all_at_once_killed_and_mended(home):
    """Power loss, as far as processes can feel it: import, worker and store die in mid-work, in no order."""
    stock(home, 4 * BATCH_ROWS, pictures=50)
    importing = home.start(*home.import_arguments)
    worker = home.start("worker", "--batch", "8", delay_s=0.02)
    wait_until(lambda: home.indexed() >= 16, worker)
    pid = home.store.pid()
    for process in (importing, worker):
        kill(process)
    if pid is not None:
        os.kill(pid, signal.SIGKILL)
    home.let_claims_run_out()
    kept = home.count("product")
    assert home.check()["missing"] == 0

    home.import_feed()
    home.run("reindex_catalog", "--check")

    assert kept <= home.count("product") == 4 * BATCH_ROWS
    final = home.check()
    assert final["agrees"]
    assert (final["points"], final["pending"], final["failed"]) == (4 * BATCH_ROWS, 0, 0)


def test_two_imports_and_two_workers_at_once_double_nothing(home):
    products = 2 * BATCH_ROWS
    stock(home, products, pictures=products)
    imports = [home.start(*home.import_arguments, "--json") for _ in range(2)]
    workers = [home.start("worker", "--batch", "8") for _ in range(2)]
    added = 0
    for process in imports:
        out, _ = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0
        report = json.loads(out)
        assert report["failed"] == 0
        added += report["added"]
    wait_until(lambda: home.indexed() == products, workers[0])
    for worker in workers:
        worker.terminate()
        worker.communicate(timeout=PATIENCE_S)
        assert worker.returncode == 0

    assert added == products
    assert home.count("product") == home.count("productimage") == products
    assert home.count("productimage", "claimed_until NOT NULL") == 0
    final = home.check()
    assert final["agrees"]
    assert final["points"] == products
