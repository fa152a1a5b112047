"""Tasks that travel through a real Redis server, which may go away too."""

from collections.abc import Iterator

import pytest

from tests.journeys.test_crashes import PATIENCE_S, stock, wait_until
from tests.journeys.test_job_crashes import ask
from tests.journeys.test_upload_crashes import send

TAKE_ONE_CALL = """
from catalog.jobs.queues import do_next_task
print("listening", flush=True)
print("did one" if do_next_task("uploads", wait_s=240) else "nothing came", flush=True)
"""


@pytest.fixture(autouse=True)
def through_redis(redis, monkeypatch) -> Iterator[None]:
    """Tasks of every process that a test starts go through this server."""
    monkeypatch.setenv("SHOP_SEARCH_REDIS_URL", redis.url)
    yield
    if not redis.is_running:
        redis.start()


def test_an_upload_wakes_a_worker_that_listens(home, tmp_path):
    """The listener looks nowhere but at its queue, so it is the call that wakes it."""
    stock(home, 30, pictures=5)
    listener = home.start("shell", "-v", "0", "-c", TAKE_ONE_CALL)
    assert listener.stdout is not None
    assert listener.stdout.readline() == "listening\n"

    send(home, tmp_path, "keep_good")

    assert listener.communicate(timeout=PATIENCE_S)[0] == "did one\n"
    assert home.ask("SELECT status FROM catalog_upload") == "done"
    assert home.count("product") == 30


def test_jobs_go_through_redis_and_are_done_once_by_two_workers(home):
    stock(home, 8, pictures=8)
    home.import_feed()
    workers = [home.start("worker") for _ in range(2)]
    wait_until(lambda: home.indexed() == 8, workers[0])

    for seed in range(3):
        ask(home, "measure_catalog", sample=4, seed=seed)
    wait_until(lambda: home.count("job", "state = 'done'") == 3, workers[0])

    for worker in workers:
        worker.terminate()
        assert worker.wait(timeout=PATIENCE_S) == 0
    assert home.count("measurement") == 3
    assert home.ask("SELECT COUNT(*) FROM django_tasks_database_dbtaskresult") == 0


def test_what_is_asked_for_while_redis_is_away_is_done_when_it_is_back(redis, home, tmp_path):
    stock(home, 8, pictures=8)
    worker = home.start("worker")
    redis.kill()

    send(home, tmp_path, "keep_good")
    wait_until(lambda: home.indexed() == 8, worker)  # uploads are found in the database
    ask(home, "measure_catalog", sample=4)
    assert home.ask("SELECT state FROM catalog_job") == "queued"

    redis.start()
    wait_until(lambda: home.ask("SELECT state FROM catalog_job") == "done", worker)
    assert home.count("measurement") == 1
    worker.terminate()
    assert worker.wait(timeout=PATIENCE_S) == 0
