"""Learning from the shop's own records: what is read, what is proposed, what is kept."""

import json
from io import StringIO

import numpy as np
import pytest
from django.core.management import call_command

from benchmarks.learned_ranking import TODAY, shown, world
from catalog.learning import learn as learn_module
from catalog.learning.jobs import learn_ranking
from catalog.learning.learn import learn_tonight
from catalog.learning.lists import lists
from catalog.models import Feedback, LearningRun, SearchRecord, SearchSummary, Switch, Version
from catalog.review.verdicts import judge, sheet
from catalog.search.answers import record
from catalog.search.feedback import give_feedback
from catalog.search.questions import Question
from catalog.search.search import search
from catalog.versions import live
from tests.fakes import picture


@pytest.fixture
def stocked(shelf, settings, tmp_path):
    settings.SEARCH_CROPS_ROOT = tmp_path / "searched"
    for seed in range(1, 7):
        shelf.put(f"P{seed}", seed)
    return shelf


def searched(**options):
    answer = search(Question(image=picture(1)))
    record(answer, **options)
    return answer


def test_a_recorded_search_is_a_list_with_its_clicks_and_verdicts(stocked, django_user_model):
    rae = django_user_model.objects.create_user("rae")
    answer = searched()
    second = answer.results[1].product.pk
    give_feedback(answer.id, product=second, verdict="click")
    judge(answer.id, product=sheet(answer.id, rae).items[0].product["id"], verdict="good", reviewer=rae)
    (one,) = lists()

    assert one.parts.shape == (len(answer.results), 4)
    assert one.ranks.tolist() == [result.rank for result in answer.results]
    assert one.parts[0, 0] == pytest.approx(answer.results[0].parts.appearance)
    assert one.clicked.tolist()[:3] == [False, True, False]
    assert one.grades[0] == 2
    assert np.isnan(one.grades[1])


def test_simulated_and_further_pages_teach_nothing(stocked):
    searched(is_simulated=True)
    searched()
    SearchSummary.objects.filter(is_simulated=False).update(is_first_page=False)

    assert lists() == []
    assert len(lists(is_simulated=True)) == 1


def test_a_shop_without_clicks_says_that_there_is_too_little(stocked):
    searched()
    out = StringIO()
    call_command("learn_ranking", json=True, stdout=out)

    assert json.loads(out.getvalue())["outcome"] == "too_little"
    assert LearningRun.objects.get().outcome == "too_little"
    assert not Version.objects.exists()


def better(monkeypatch):
    """Clicks from which better weights can be learned."""
    dice = np.random.default_rng(5)
    made = shown(world(800, dice), dice)
    monkeypatch.setattr(learn_module, "lists", lambda *, is_simulated: made)


def test_better_weights_are_proposed_and_wait_for_the_gate(stocked, monkeypatch):
    better(monkeypatch)
    learned, run = learn_tonight()

    assert learned.is_better
    version = Version.objects.get()
    assert (version.kind, version.state, version.options) == ("ranking", "ready", learned.after)
    assert (run.outcome, run.version) == ("proposed", version.name)
    assert "The gate refuses" in run.why
    assert run.report["clicks"]["low"] > 0
    assert run.before == TODAY


def test_weights_that_pass_the_gate_go_live(stocked, monkeypatch, settings):
    settings.VERSION_GATE = {**settings.VERSION_GATE, "queries": 1, "measures": {"ranking": {"recall@1": -1.0}}}
    settings.VERSION_GATE["category_loss"] = 1.0
    settings.VERSION_GATE["latency_ratio"] = 100.0
    better(monkeypatch)
    learned, run = learn_tonight()

    assert run.outcome == "promoted", run.why
    assert Version.objects.get().state == "live"
    assert live("ranking") == learned.after
    assert Switch.objects.get().why.startswith("Learned from clicks and verdicts.")


def test_what_simulated_shoppers_teach_is_never_proposed(db, monkeypatch):
    better(monkeypatch)
    _, run = learn_tonight(is_simulated=True)

    assert run.outcome == "simulated"
    assert not Version.objects.exists()


def test_a_dry_run_keeps_nothing(db, monkeypatch):
    better(monkeypatch)
    learned, _ = learn_tonight(dry_run=True)

    assert learned.is_better
    assert not LearningRun.objects.exists()
    assert not Version.objects.exists()


def test_the_job_tells_what_became_of_it(db, monkeypatch):
    better(monkeypatch)
    told = []
    result = learn_ranking(lambda done, total=0, what="": told.append((done, total, what)))

    assert result is not None
    assert result["outcome"] == "proposed"
    assert json.dumps(result)
    assert told[-1][0] == told[-1][1]
    assert not SearchRecord.objects.exists()
    assert not Feedback.objects.exists()
