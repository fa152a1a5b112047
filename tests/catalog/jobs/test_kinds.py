"""The kinds of job that the product has."""

from datetime import timedelta
from typing import Any

import pytest

from catalog.jobs import ask
from catalog.jobs.queues import do_next_task
from catalog.jobs.registry import kinds
from catalog.jobs.tasks import QUEUE
from catalog.models import AuditEntry, Measurement, ProductImage
from embeddings import encoder, vector_store
from tests.fakes import FakeEncoder

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _claims_are_not_renewed(monkeypatch):
    """On PostgreSQL the thread that renews a claim can't see a row that this test has not committed."""
    monkeypatch.setattr("catalog.jobs.running.LEASE", timedelta(hours=1))


def done(kind: str, **arguments) -> Any:
    """Returns the job after a worker did it."""
    job = ask(kind, **arguments)
    while do_next_task(QUEUE):
        pass
    job.refresh_from_db()
    return job


def test_every_kind_has_a_title_that_people_can_read():
    assert {"measure_catalog", "calibrate_bands", "check_index", "repair_index", "reindex_catalog"} <= set(kinds())
    for kind in kinds().values():
        assert kind.title
        assert "_" not in kind.title


def test_nothing_is_measured_while_the_index_is_made_anew():
    by_the_index = ("measure_catalog", "calibrate_bands", "check_index", "repair_index", "reindex_catalog")
    assert {kinds()[name].alone for name in by_the_index} == {"index"}


def test_checking_says_what_is_missing_and_changes_nothing(shelf):
    shelf.put("A", 1)
    missing = shelf.put("B", 2)
    image = ProductImage.objects.get(product=missing)
    vector_store().delete(shelf.collection, [image.pk])

    job = done("check_index")

    assert job.state == "done", job.error
    assert (job.result["check"]["missing"], job.result["check"]["agrees"]) == (1, False)
    assert ProductImage.objects.get(pk=image.pk).state == "indexed"


def test_repairing_mends_what_is_missing_and_stale(shelf):
    shelf.put("A", 1)
    image = ProductImage.objects.get(product=shelf.put("B", 2))
    vector_store().delete(shelf.collection, [image.pk])

    job = done("repair_index")

    assert job.state == "done", job.error
    assert job.result["before"]["missing"] == 1
    assert job.result["check"]["agrees"]
    assert job.result["done"]["indexed"] == 1
    assert (job.done, job.total) == (2, 2)


def test_reindexing_embeds_everything_and_is_noted(shelf):
    for seed in range(3):
        shelf.put(f"P{seed}", seed)
    encodes = encoder()
    assert isinstance(encodes, FakeEncoder)
    encodes.encoded = 0

    job = done("reindex_catalog")

    assert job.state == "done", job.error
    assert job.result["done"]["indexed"] == 3
    assert encodes.encoded == 3
    assert AuditEntry.objects.get().action == "reindex"


def test_measuring_keeps_what_the_quality_page_shows(shelf):
    for seed in range(4):
        shelf.put(f"P{seed}", seed)

    job = done("measure_catalog", sample=4)

    assert job.state == "done", job.error
    assert job.result["products"] == Measurement.objects.get().products == 4
    assert job.result["recall@1"]["rotated"]["n"] == 4


def test_a_calibration_of_too_few_products_says_so(shelf):
    shelf.put("A", 1)
    job = done("calibrate_bands")
    assert (job.state, job.error_code) == ("failed", "catalog_too_small")


def test_an_empty_shop_is_not_measured_at_night(shelf):
    is_due = kinds()["measure_catalog"].nightly
    assert is_due is not None
    assert not is_due()
    shelf.put("A", 1)
    assert is_due()
