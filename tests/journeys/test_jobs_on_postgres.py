"""Jobs and backups on a fleet's database: row locks instead of one writer at a time, pg_dump instead of a copy."""

import json

from tests.journeys.test_crashes import kill, stock, wait_until
from tests.journeys.test_job_crashes import ask

PRODUCTS = 10


def test_jobs_of_three_workers_are_done_once_though_one_is_killed(fleet):
    stock(fleet, PRODUCTS, pictures=PRODUCTS)
    fleet.import_feed()
    fleet.run("worker", "--burst")
    for seed in range(3):
        ask(fleet, "measure_catalog", sample=PRODUCTS, seed=seed)
    ask(fleet, "reindex_catalog")

    workers = [fleet.start("worker", delay_s=0.03) for _ in range(3)]
    running = "SELECT COUNT(*) FROM catalog_job WHERE state = 'running' AND done > 0"
    wait_until(lambda: fleet.ask(running) > 0, workers[0])
    killed = next(
        worker
        for worker in workers
        if fleet.ask(f"SELECT COUNT(*) FROM catalog_job WHERE state = 'running' AND worker LIKE '%/{worker.pid}'")
    )
    kill(killed)
    fleet.postgres.run(
        f"UPDATE catalog_job SET claimed_until = '2000-01-01' WHERE worker LIKE '%/{killed.pid}' AND state = 'running'",
        fleet.name,
    )
    alive = next(worker for worker in workers if worker is not killed)
    wait_until(lambda: fleet.count("job", "finished_at IS NULL") == 0, alive)

    assert fleet.count("job", "state = 'done'") == fleet.count("job") == 4
    assert fleet.count("measurement") == fleet.ask("SELECT COUNT(DISTINCT seed) FROM catalog_measurement") == 3
    assert fleet.count("auditentry", "action = 'reindex'") == 1
    assert fleet.count("job", "attempts = 2") == 1


def test_a_fleet_is_restored_from_its_dump(fleet, tmp_path):
    stock(fleet, PRODUCTS, pictures=PRODUCTS)
    fleet.import_feed()
    fleet.run("worker", "--burst")
    made = json.loads(fleet.run("backup", "--to", str(tmp_path / "backups"), "--json"))
    fleet.run("shell", "-v", "0", "-c", "from catalog.models import Product; Product.objects.all().delete()")
    assert fleet.count("product") == 0

    said = fleet.run("restore_backup", made["path"], "--yes")

    assert f"Restored {PRODUCTS} products" in said
    fleet.run("reindex_catalog", "--check")
    assert fleet.count("product") == fleet.indexed() == PRODUCTS
    assert fleet.check()["agrees"]
