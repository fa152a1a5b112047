"""What the demo asks for is done by the worker's jobs."""

import json

import pytest

from catalog.jobs import ask
from catalog.jobs.registry import kind_of
from catalog.models import SearchRecord


@pytest.fixture
def stocked(shelf, settings, tmp_path):
    settings.SEARCH_CROPS_ROOT = tmp_path / "searched"
    for seed in range(1, 4):
        shelf.put(f"P{seed}", seed)
    return shelf


def test_simulating_is_a_job_that_can_be_done_again(stocked):
    job = ask("simulate_shoppers", searches=3, days=5, rest=0.0)
    told = []
    work = kind_of(job.kind).work
    first = work(lambda done, total=0, what="": told.append((done, total)), **job.arguments)
    again = work(lambda *_: None, **job.arguments)

    assert first is not None
    assert again is not None
    assert json.dumps(first)
    assert (first["searches"], again["searches"], again["already_there"]) == (3, 0, 3)
    assert SearchRecord.objects.filter(is_simulated=True).count() == 3
    assert told[-1] == (3, 3)


def test_nothing_is_learned_while_shoppers_are_simulated():
    assert kind_of("simulate_shoppers").alone == kind_of("learn_ranking").alone == "shoppers"
    assert kind_of("simulate_shoppers").nightly is None
    assert kind_of("learn_ranking").nightly is not None
