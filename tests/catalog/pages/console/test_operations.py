"""The operations page, without scripts: what it tells, and jobs that are started and canceled there."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from catalog.jobs import ask
from catalog.jobs.queues import do_next_task
from catalog.jobs.tasks import QUEUE
from catalog.models import AuditEntry, Backup, Job, ProductImage, Worker
from catalog.pages.console.operations_wording import run_of
from tests.catalog.people import staff


@pytest.fixture
def rae(shelf, client):
    user = staff("rae", "Shop admins")
    client.force_login(user)
    return user


def page(client) -> str:
    response = client.get("/console/operations/")
    assert response.status_code == 200
    return str(response.content.decode())


def test_an_empty_shop_is_told_what_is_missing(rae, client):
    text = page(client)
    assert "No product has a picture yet" in text
    assert "No worker is running" in text
    assert "There is no backup yet" in text
    assert "none has yet" in text
    assert "Nothing was asked for yet" in text


def test_a_running_shop_is_told_in_numbers(rae, client, shelf):
    for seed in range(3):
        shelf.put(f"P{seed}", seed)
    failed = shelf.put("P9", 9)
    ProductImage.objects.filter(product=failed).update(state="failed")
    now = timezone.now()
    storage = {"database": 5_000_000, "pictures": None, "free": 10**9, "disk": 2 * 10**9, "measured_at": "x"}
    Worker.objects.create(host="box", pid=7, seen_at=now, does={"uploads": now.isoformat()}, storage=storage)
    Worker.objects.create(host="gone", pid=8, seen_at=now - timedelta(hours=1))
    Backup.objects.create(path="/backups/1", host="box", database_bytes=10**6, pictures=3, picture_bytes=9)

    text = page(client)

    assert "<dt>Failed</dt><dd>1</dd>" in text
    assert "<dt>Indexed</dt><dd>3</dd>" in text
    assert "uploads (0" in text
    assert "it died or was cut off" in text
    assert "4.8\xa0MB" in text
    assert "/backups/1" in text
    assert "fake-encoder" in text
    assert "fake-detector" in text


def test_a_store_that_is_down_is_named_and_the_rest_is_shown(rae, client, shelf):
    shelf.put("P1", 1)
    shelf.break_store()
    text = page(client)
    assert "The vector store of this test is switched off." in text
    assert "<dt>Indexed</dt><dd>1</dd>" in text


def test_a_job_is_started_seen_and_done(rae, client, shelf):
    shelf.put("P1", 1)
    response = client.post("/console/operations/start/", {"kind": "check_index"}, follow=True)
    assert "“Check the index” was asked for." in response.content.decode()
    job = Job.objects.get()
    assert job.asked_by == rae
    assert "waits for a worker" in page(client)
    assert client.get("/console/operations/state.json").json()["jobs"][0]["title"] == "Check the index"
    assert AuditEntry.objects.get().subject == "Check the index"

    do_next_task(QUEUE)

    assert "Database and index agree." in page(client)
    assert client.get("/console/operations/state.json").json() == {"jobs": []}


def test_starting_what_is_at_work_starts_nothing(rae, client):
    for _ in range(2):
        client.post("/console/operations/start/", {"kind": "check_index"})
    assert Job.objects.count() == AuditEntry.objects.count() == 1
    assert "is at work already" in page(client)


def test_what_failed_says_why(rae, client):
    ask("measure_catalog", by=rae)
    do_next_task(QUEUE)
    assert "No product has a picture in the index" in page(client)


def test_a_job_is_canceled(rae, client):
    job = ask("check_index", by=rae)
    client.post(reverse("console:operations_cancel", args=[job.pk]))
    job.refresh_from_db()
    assert job.state == "canceled"
    assert AuditEntry.objects.get().action == "cancel_job"
    client.post(reverse("console:operations_cancel", args=[job.pk]))
    assert AuditEntry.objects.count() == 1


def test_an_unknown_kind_or_job_is_not_found(rae, client):
    assert client.post("/console/operations/start/", {"kind": "fly"}).status_code == 404
    assert client.post("/console/operations/start/").status_code == 404
    unknown = "7b0f8a53-5c3c-4b7e-9a3b-5b4f2f0f7d11"
    assert client.post(f"/console/operations/jobs/{unknown}/cancel/").status_code == 404
    assert client.get("/console/operations/start/").status_code == 405


def test_the_page_reloads_itself_without_scripts_only_while_a_job_is_unfinished(rae, client):
    assert 'http-equiv="refresh"' not in page(client)
    ask("check_index")
    assert '<noscript><meta http-equiv="refresh"' in page(client)


def test_a_job_that_needs_arguments_has_no_button_and_can_not_be_started_without(rae, client, kinds):
    assert 'value="count"' in page(client)
    assert 'value="greet"' not in page(client)
    assert client.post("/console/operations/start/", {"kind": "greet"}).status_code == 404
    assert not Job.objects.exists()


def test_what_came_of_learning_reads_as_a_sentence():
    result = {"outcome": "too_little", "why": "17 searches of 100.", "before": None, "version": ""}

    said = run_of(Job(kind="learn_ranking", state=Job.State.DONE, result=result)).words

    assert said == "Too little: 17 searches of 100."
