import io
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from catalog import serving
from catalog.indexing.index import index_all
from catalog.models import AuditEntry, SearchRecord, Trial, TrialVisit
from catalog.serving import RunningTrial
from catalog.versions import promote
from catalog.versions.beside import build
from catalog.versions.trials import COUNTED_AFTER, look, report_of, start, stop
from catalog.versions.visitors import COOKIE, side_of
from shop_search.errors import InputError
from tests.catalog.versions.conftest import let_through, proposed
from tests.fakes import FakeEncoder, picture


@pytest.fixture
def stocked(shop, settings):
    settings.SEARCH_RECORDS_LATER = False
    shop.feed.add_many(4)
    shop.upload()
    index_all()
    return shop


@pytest.fixture
def version(stocked):
    made = proposed("2")
    build(made)
    return made


def ask(client: Client, **headers: Any):
    photo = io.BytesIO(picture(1))
    photo.name = "photo.png"
    return client.post("/api/v1/search/", {"image": photo}, **{"HTTP_SEC_FETCH_SITE": "same-origin", **headers})


def visits(trial: Trial, *, challenger: bool, seen: int, clicked: int) -> None:
    before = timezone.now() - 2 * COUNTED_AFTER
    TrialVisit.objects.bulk_create(
        TrialVisit(
            trial=trial, visitor=f"{challenger}{n}", is_challenger=challenger, first_at=before, has_clicked=n < clicked
        )
        for n in range(seen)
    )


def test_a_share_of_the_visitors_is_answered_by_the_challenger_each_always_by_the_same(version, admin):
    trial = start(version, share=0.5, by=admin, why="to see")
    sides: set[str] = set()
    for _ in range(12):
        client = Client()
        models = [ask(client).json()["models"]["encoder"] for _ in range(2)]
        assert models[0] == models[1]
        sides.add(models[0])

    assert sides == {FakeEncoder("1").card.label, FakeEncoder("2").card.label}
    assert TrialVisit.objects.filter(trial=trial).count() == 12
    assert SearchRecord.objects.exclude(visit=None).count() == 24
    assert SearchRecord.objects.filter(versions={"encoder": version.pk}).count() == 2 * (
        TrialVisit.objects.filter(is_challenger=True).count()
    )


def test_the_cookie_is_there_for_trials_alone_and_for_no_script(version, admin):
    assert COOKIE not in ask(Client()).cookies
    start(version, share=0.5, by=admin, why="to see")
    cookie = ask(Client()).cookies[COOKIE]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie.value not in str(list(TrialVisit.objects.values()))
    assert COOKIE not in Client().get("/").cookies  # who only looks gets none
    assert COOKIE not in ask(Client(), HTTP_SEC_FETCH_SITE="cross-site").cookies
    photo = io.BytesIO(picture(1))
    photo.name = "photo.png"
    assert COOKIE not in Client().post("/api/v1/search/", {"image": photo}).cookies  # a program
    assert TrialVisit.objects.count() == 1


def test_a_made_up_cookie_is_replaced(version, admin):
    start(version, share=0.5, by=admin, why="to see")
    client = Client()
    client.cookies[COOKIE] = "x' OR 1=1"
    assert len(ask(client).cookies[COOKIE].value) == 32


def test_of_many_visitors_the_share_is_kept_and_two_trials_divide_them_anew():
    one, two = (RunningTrial(pk, serving.InForce(1, "encoder", "", {}), 0.2) for pk in (1, 2))
    first = [side_of(one, f"{n:032x}").is_challenger for n in range(5000)]
    second = [side_of(two, f"{n:032x}").is_challenger for n in range(5000)]
    assert 0.18 < sum(first) / 5000 < 0.22
    assert 0.03 < sum(a and b for a, b in zip(first, second, strict=True)) / 5000 < 0.05


def test_a_click_within_the_time_counts_for_the_visitor_once_and_a_late_one_does_not(version, admin):
    trial = start(version, share=0.5, by=admin, why="to see")
    for is_late in (False, True):
        client = Client()
        answer = ask(client).json()
        visit = SearchRecord.objects.get(pk=answer["id"]).visit
        if is_late:
            TrialVisit.objects.filter(pk=visit.pk).update(
                first_at=timezone.now() - COUNTED_AFTER - timedelta(seconds=1)
            )
        said = {"product": answer["results"][0]["product"]["id"], "verdict": "click"}
        for _ in range(2):
            client.post(f"/api/v1/search/{answer['id']}/feedback/", said, content_type="application/json")
        visit.refresh_from_db()
        assert visit.has_clicked is not is_late
    assert report_of(trial).waiting == 1


def test_a_clearly_worse_version_ends_its_trial_and_answers_nobody_more(version, admin):
    trial = start(version, share=0.5, by=admin, why="to see")
    visits(trial, challenger=False, seen=300, clicked=120)
    visits(trial, challenger=True, seen=300, clicked=40)

    assert look() == trial

    trial.refresh_from_db()
    assert trial.state == Trial.State.WORSE
    assert trial.result["challenger"]["clicked"] == 40
    assert AuditEntry.objects.get(action="end_trial").by_name == "the stop rule"
    assert {ask(Client()).json()["models"]["encoder"] for _ in range(6)} == {FakeEncoder("1").card.label}


def test_an_even_trial_goes_on(version, admin):
    trial = start(version, share=0.5, by=admin, why="to see")
    visits(trial, challenger=False, seen=300, clicked=120)
    visits(trial, challenger=True, seen=300, clicked=112)
    assert look() is None
    found = report_of(trial)
    assert (found.live.value, found.live.seen) == (0.4, 300)
    low, high = found.live.interval
    assert 0.34 < low < 0.4 < high < 0.46


def test_one_trial_runs_at_a_time_and_of_a_ready_version(version, admin, stocked):
    with pytest.raises(InputError) as refused:
        start(proposed("3"), share=0.2, by=admin, why="raw")
    assert refused.value.code == "version_not_built"
    with pytest.raises(InputError) as refused:
        start(version, share=0.9, by=admin, why="nearly all")
    assert refused.value.code == "share_invalid"
    trial = start(version, share=0.2, by=admin, why="to see")
    with pytest.raises(InputError) as refused:
        start(version, share=0.2, by=admin, why="again")
    assert refused.value.code == "trial_running"
    stop(trial, by=admin, why="seen enough")
    with pytest.raises(InputError) as refused:
        stop(trial, by=admin, why="again")
    assert refused.value.code == "trial_ended"


def test_a_switch_of_the_model_ends_the_trial_that_compared_with_it(version, admin):
    trial = start(version, share=0.2, by=admin, why="to see")
    let_through(version)
    promote(version, by=admin, why="good enough")
    trial.refresh_from_db()
    assert trial.state == Trial.State.STOPPED


def test_the_footer_tells_of_the_cookie_while_a_trial_runs(version, admin):
    assert "being compared here" not in Client().get("/").content.decode()
    start(version, share=0.2, by=admin, why="to see")
    assert "being compared here" in Client().get("/").content.decode()
