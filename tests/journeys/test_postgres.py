"""A fleet's database goes away while workers take an upload in: they wait, go on by themselves, and double nothing."""

import time
from collections.abc import Callable

from catalog.uploads.imports import BATCH_ROWS
from tests.journeys.fleet import FleetHome
from tests.journeys.test_crashes import PATIENCE_S, stock
from tests.journeys.test_upload_crashes import send

ROWS = 2 * BATCH_ROWS


def wait_for(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < deadline, "It never happened."
        time.sleep(0.05)


def assert_all_is_there_once(fleet: FleetHome, rows: int) -> None:
    upload = [
        fleet.ask(f"SELECT {name} FROM catalog_upload") for name in ("status", "rows_done", "added", "rows_failed")
    ]
    assert upload == ["done", rows, rows, 0]
    assert fleet.count("product") == fleet.ask("SELECT COUNT(DISTINCT sku) FROM catalog_product") == rows
    assert fleet.count("productimage", "state = 'indexed'") == fleet.count("productimage") == rows
    check = fleet.check()
    assert (check["agrees"], check["points"]) == (True, rows)


def test_connections_ended_and_a_server_restarted_during_an_upload_cost_only_time(fleet, tmp_path):
    stock(fleet, ROWS, pictures=20)
    send(fleet, tmp_path, "keep_good")
    worker = fleet.start("worker", "--batch", "8")
    wait_for(lambda: fleet.ask("SELECT rows_done FROM catalog_upload") > 0)

    ended = 0
    for _ in range(5):
        ended += fleet.end_connections()
        time.sleep(0.3)
    fleet.postgres.kill()
    wait_for(lambda: "connection" in fleet.log.rsplit("database_unavailable", 1)[-1])
    fleet.postgres.start()
    fleet.let_claims_run_out()  # half a minute later for the upload, two for pictures

    wait_for(lambda: fleet.ask("SELECT status FROM catalog_upload") == "done")
    wait_for(lambda: fleet.indexed() == ROWS)

    assert worker.poll() is None, "The worker ended."
    assert ended > 0
    assert "database_unavailable" in fleet.log
    assert "Trying again in" in fleet.log
    assert_all_is_there_once(fleet, ROWS)


def test_two_workers_on_one_database_share_the_work_and_double_nothing(fleet, tmp_path):
    stock(fleet, ROWS, pictures=20)
    send(fleet, tmp_path, "keep_good")

    workers = [fleet.start("worker", "--batch", "8", "--burst") for _ in range(2)]
    for worker in workers:
        worker.communicate(timeout=PATIENCE_S)
        assert worker.returncode == 0, fleet.log
    fleet.run("worker", "--burst")

    assert_all_is_there_once(fleet, ROWS)
