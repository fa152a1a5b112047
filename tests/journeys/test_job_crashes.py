"""`kill -9` of a worker in the middle of a job: another does it, and nothing is done twice."""

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.feed_folder import FeedFolder
from tests.journeys.test_crashes import PATIENCE_S, Home, kill, stock, wait_until

PRODUCTS = 24


def ask(home: Home, kind: str, **arguments: int) -> None:
    words = ", ".join(f"{name}={value}" for name, value in arguments.items())
    home.run("shell", "-v", "0", "-c", f"from catalog.jobs import ask; ask({kind!r}, {words})")


def let_claims_run_out(home: Home) -> None:
    """Half a minute later."""
    home.let_claims_run_out()
    with closing(sqlite3.connect(home.path / "shop_search.sqlite3", timeout=20)) as database, database:
        database.execute("UPDATE catalog_job SET claimed_until = '2000-01-01' WHERE claimed_until NOT NULL")


@pytest.fixture(scope="module")
def prepared(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home whose pictures are indexed, and in which nothing runs: to be copied."""
    folder = tmp_path_factory.mktemp("prepared")
    home = Home(folder / "home", FeedFolder(folder / "feed"))
    home.path.mkdir()
    for file in migrated.glob("shop_search.sqlite3*"):
        shutil.copy(file, home.path)
    stock(home, PRODUCTS, pictures=PRODUCTS)
    home.import_feed()
    home.run("worker", "--burst")
    assert home.indexed() == PRODUCTS
    home.stop()
    return home


@pytest.fixture
def shop(prepared: Home, tmp_path: Path) -> Iterator[Home]:
    home = Home(shutil.copytree(prepared.path, tmp_path / "home"), prepared.feed)
    yield home
    home.stop()


@pytest.mark.parametrize(("kind", "arguments"), [("measure_catalog", {"sample": PRODUCTS}), ("reindex_catalog", {})])
def test_a_job_whose_worker_is_killed_is_done_by_another_and_only_once(shop, kind, arguments):
    ask(shop, kind, **arguments)
    for attempt in (1, 2):
        worker = shop.start("worker", delay_s=0.05)
        begun = f"SELECT attempts = {attempt} AND done > 0 FROM catalog_job"
        wait_until(lambda begun=begun: bool(shop.ask(begun)), worker)  # type: ignore[misc]
        kill(worker)
        assert shop.ask("SELECT state FROM catalog_job") == "running"
        let_claims_run_out(shop)

    worker = shop.start("worker")
    wait_until(lambda: shop.ask("SELECT finished_at FROM catalog_job") is not None, worker)
    worker.terminate()
    assert worker.wait(timeout=PATIENCE_S) == 0

    assert shop.ask("SELECT state || attempts FROM catalog_job") == "done3"
    assert shop.count("job") == 1
    assert shop.count("measurement") == (1 if kind == "measure_catalog" else 0)
    assert shop.count("auditentry") == (1 if kind == "reindex_catalog" else 0)
    shop.run("worker", "--burst")
    assert shop.check()["agrees"]


def test_two_workers_share_jobs_and_do_each_once(shop):
    for seed in range(4):
        ask(shop, "measure_catalog", sample=4, seed=seed)
    ask(shop, "check_index")

    workers = [shop.start("worker", delay_s=0.01) for _ in range(2)]
    wait_until(lambda: not shop.count("job", "finished_at IS NULL"), workers[0])
    for worker in workers:
        worker.terminate()
        assert worker.wait(timeout=PATIENCE_S) == 0

    assert shop.count("job", "state = 'done' AND attempts = 1") == 5
    assert shop.count("measurement") == 4
    assert shop.ask("SELECT COUNT(DISTINCT seed) FROM catalog_measurement") == 4
    overlapping = """
        SELECT COUNT(*) FROM catalog_job AS one JOIN catalog_job AS other ON one.kind = other.kind AND one.id < other.id
        WHERE one.started_at < other.finished_at AND other.started_at < one.finished_at
    """
    assert shop.ask(overlapping) == 0, "two jobs of one kind ran at the same time"


def test_a_worker_that_is_stopped_leaves_its_job_to_the_next_at_once(shop):
    ask(shop, "measure_catalog", sample=PRODUCTS)
    worker = shop.start("worker", delay_s=0.05)
    wait_until(lambda: shop.ask("SELECT done FROM catalog_job") > 0, worker)
    worker.terminate()
    assert worker.wait(timeout=PATIENCE_S) == 0
    assert shop.ask("SELECT state FROM catalog_job") == "queued"

    shop.run("worker", "--burst")

    assert shop.ask("SELECT state FROM catalog_job") == "done"
    assert shop.count("measurement") == 1
    assert json.loads(shop.ask("SELECT result FROM catalog_job"))["products"] == PRODUCTS


def test_a_job_is_canceled_while_a_worker_of_another_process_does_it(shop):
    ask(shop, "measure_catalog", sample=PRODUCTS)
    worker = shop.start("worker", delay_s=0.05)
    wait_until(lambda: shop.ask("SELECT done FROM catalog_job") > 0, worker)
    shop.run(
        "shell",
        "-v",
        "0",
        "-c",
        "from catalog.jobs import cancel; from catalog.models import Job; cancel(Job.objects.get())",
    )
    wait_until(lambda: shop.ask("SELECT state FROM catalog_job") == "canceled", worker)
    assert shop.count("measurement") == 0
    assert worker.poll() is None
