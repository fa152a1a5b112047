"""Who may open the console, and what its pages do without scripts."""

import csv
import io
from uuid import UUID

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from catalog.models import Measurement, SearchRecord, SearchSummary, SightVerdict, Verdict
from catalog.pictures import searched_crops
from catalog.review.quality import GROUPS
from catalog.search.answers import record
from catalog.search.questions import Question
from catalog.search.search import search
from tests.fakes import picture

PAGES = ["/console/review/", "/console/quality/", "/console/quality.csv"]


def person(name: str, *permissions: str, is_staff: bool = True) -> User:
    user = User.objects.create_user(name, password="a long password", is_staff=is_staff)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user


@pytest.fixture
def rae(client, shelf):
    user = person("rae", "review")
    client.force_login(user)
    return user


@pytest.fixture
def asked(shelf, settings, tmp_path) -> UUID:
    settings.SEARCH_CROPS_ROOT = tmp_path / "searched"
    for seed in range(1, 4):
        shelf.put(f"P{seed}", seed, title=f"Shoe <{seed}>")
    return searched()


def searched() -> UUID:
    answer = search(Question(image=picture(1)))
    record(answer)
    searched_crops.wait()
    return answer.id


@pytest.mark.parametrize("path", PAGES)
def test_strangers_are_led_to_the_sign_in_page(shelf, client, path):
    response = client.get(path)
    assert response.status_code == 302
    assert response.url.startswith("/console/login/?next=/console/")


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(
    "who", [{"is_staff": False, "permissions": ["review", "view_verdict"]}, {"is_staff": True, "permissions": []}]
)
def test_others_who_are_signed_in_are_told_that_they_may_not(shelf, client, path, who):
    client.force_login(person("charlie", *who["permissions"], is_staff=who["is_staff"]))
    response = client.get(path)
    assert response.status_code == 403
    assert "may not open this page" in response.content.decode()


def test_a_reader_sees_the_measures_and_judges_nothing(shelf, client, asked):
    client.force_login(person("reader", "view_verdict"))

    assert client.get("/console/quality/").status_code == 200
    assert client.get(reverse("console:search", args=[asked])).status_code == 403
    assert client.post(reverse("console:verdict", args=[asked])).status_code == 403
    assert client.get(reverse("console:crop", args=[asked])).status_code == 403


def test_a_crop_is_for_reviewers_alone(shelf, client, asked):
    path = reverse("console:crop", args=[asked])
    assert client.get(path).status_code == 302

    client.force_login(person("rae", "review"))
    response = client.get(path)
    assert response.headers["Content-Type"] == "image/jpeg"
    assert "private" in response.headers["Cache-Control"]
    assert b"".join(response.streaming_content)[:2] == b"\xff\xd8"


def test_signing_in_leads_to_the_review(shelf, client):
    person("rae", "review")
    page = client.get("/console/login/")
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]

    wrong = client.post("/console/login/", {"username": "rae", "password": "nonsense"})
    assert 'role="alert"' in wrong.content.decode()
    right = client.post("/console/login/", {"username": "rae", "password": "a long password"})
    assert right.url == "/console/"
    assert client.get(right.url).url == "/console/review/"


def test_signing_in_never_leads_to_another_site(shelf, client):
    person("rae", "review")
    asked = {"username": "rae", "password": "a long password", "next": "https://evil.example/"}
    assert client.post("/console/login/", asked).url == "/console/"


def test_the_review_leads_to_the_next_search_and_says_when_there_is_none(rae, client, asked):
    assert client.get("/console/review/").url == reverse("console:search", args=[asked])

    client.post(reverse("console:skip", args=[asked]))
    page = client.get("/console/review/")
    assert "Nothing waits to be judged" in page.content.decode()


def test_a_search_is_shown_with_its_results_and_nothing_is_taken_for_markup(rae, client, asked):
    page = client.get(reverse("console:search", args=[asked])).content.decode()

    assert reverse("console:crop", args=[asked]) in page
    assert "Shoe &lt;1&gt;" in page
    assert page.count('class="judged"') == 3
    assert "style=" not in page


def test_a_form_keeps_a_verdict_and_shows_it_pressed(rae, client, asked):
    product = search_items(asked)[0]
    response = client.post(reverse("console:verdict", args=[asked]), {"product": product, "verdict": "near"})

    assert response.url == reverse("console:search", args=[asked])
    page = client.get(response.url).content.decode()
    assert 'value="near" aria-pressed="true"' in page
    assert page.count('aria-pressed="true"') == 1


def search_items(search_id) -> list[int]:
    return [hit[0] for hit in SearchRecord.objects.get(pk=search_id).answer["hits"]]


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"product": "x", "verdict": "good"},
        {"product": "9" * 30, "verdict": "good"},
        {"product": "²", "verdict": "good"},
        {"product": "1", "verdict": "lovely"},
        {"product": "99999", "verdict": "good"},
    ],
)
def test_nonsense_is_refused_with_words(rae, client, asked, sent):
    response = client.post(reverse("console:verdict", args=[asked]), sent)
    assert response.status_code == 400
    assert response.json()["message"]
    assert not Verdict.objects.exists()


def test_undo_leads_back_to_the_search(rae, client, asked):
    client.post(reverse("console:verdict", args=[asked]), {"product": search_items(asked)[0], "verdict": "near"})
    response = client.post("/console/review/undo/")

    assert response.url == reverse("console:search", args=[asked])
    assert not Verdict.objects.exists()
    assert client.post("/console/review/undo/").url == "/console/review/"


def test_the_sheet_after_the_last_is_none(rae, client, asked):
    assert client.get(reverse("console:after", args=[asked])).status_code == 204
    other = searched()
    assert str(other) in client.get(reverse("console:after", args=[asked])).content.decode()


def test_verdicts_need_this_sites_token(shelf, asked, rae):
    from django.test import Client

    strict = Client(enforce_csrf_checks=True)
    strict.force_login(rae)
    response = strict.post(reverse("console:verdict", args=[asked]), {"product": 1, "verdict": "good"})
    assert response.status_code == 403


def test_the_measures_are_shown_with_interval_and_n_and_drawn(rae, client, asked):
    for place, verdict in enumerate(["same_product", "good", "wrong"]):
        sent = {"product": search_items(asked)[place], "verdict": verdict}
        client.post(reverse("console:verdict", args=[asked]), sent)
    page = client.get("/console/quality/?measure=precision@5").content.decode()

    assert '<b class="tile-value">67 %</b>' in page
    assert "n=1" in page
    assert page.count('<svg class="plot"') == 3
    assert page.count("<desc") == 3
    assert "style=" not in page


def test_the_measures_of_an_empty_shop_say_so(rae, client):
    assert "No searches yet" in client.get("/console/quality/").content.decode()


def test_a_measurement_of_the_catalog_is_marked_as_synthetic(rae, client):
    recall = {"value": 0.8, "low": 0.7, "high": 0.9, "n": 50}
    kind = {"all": {f"recall@{k}": recall for k in (1, 5, 10)}}
    Measurement.objects.create(encoder="e 1", detector="d 1", products=50, report={"second_photo": kind})
    page = client.get("/console/quality/").content.decode()

    assert "synthetic" in page
    assert "70 to 90 %" in page


def test_the_export_opens_in_a_spreadsheet_and_calculates_nothing(rae, client, asked):
    SearchSummary.objects.update(category="=cmd()")
    text = client.get("/console/quality.csv").content.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))

    assert {row["by"] for row in rows} == {"all", *GROUPS}
    assert {row["group"] for row in rows if row["by"] == "category"} == {"'=cmd()"}
    clicks = next(row for row in rows if row["measure"] == "clicks" and row["by"] == "all")
    assert (clicks["value"], clicks["n"], clicks["unit"]) == ("0.0000", "1", "share")


def test_the_filters_are_in_the_address_and_in_the_export(rae, client, asked):
    SearchSummary.objects.filter(pk=searched()).update(category="hats")
    html = client.get("/console/quality/?category=hats&days=30&measure=clicks").content.decode()

    assert "Of 1 searches of the last 30 days" in html
    assert '<option value="hats" selected>' in html
    assert "/console/quality.csv?traffic=real&amp;days=30&amp;category=hats" in html
    text = client.get("/console/quality.csv?category=hats").content.decode("utf-8-sig")
    clicks = [row for row in csv.DictReader(io.StringIO(text)) if row["measure"] == "clicks" and row["by"] == "all"]
    assert [row["n"] for row in clicks] == ["1"]


@pytest.mark.parametrize("query", ["days=x", "traffic=%00", "category=%00a", "model=" + "m" * 500, "measure=none"])
def test_a_misspelled_filter_breaks_nothing(rae, client, asked, query):
    assert client.get(f"/console/quality/?{query}").status_code == 200


def test_simulated_shoppers_are_marked_and_left_out_where_people_searched(rae, client, asked):
    assert "Of 1 searches" in client.get("/console/quality/").content.decode()
    SearchSummary.objects.update(is_simulated=True)
    alone = client.get("/console/quality/").content.decode()
    assert '<span class="mark mark-simulated">simulated</span>' in alone
    searched()
    beside = client.get("/console/quality/").content.decode()
    assert "mark-simulated" not in beside
    assert "Of 1 searches" in beside
    assert "Of 2 searches" in client.get("/console/quality/?traffic=all").content.decode()


def test_a_reviewer_says_that_the_wrong_thing_was_boxed_and_takes_it_back(rae, client, asked):
    path = reverse("console:sight", args=[asked])
    assert client.post(path, {"wrong": "1"}).status_code == 302
    assert SightVerdict.objects.get().kind == "wrong_thing"
    page = client.get(reverse("console:search", args=[asked])).content.decode()
    assert 'value="0" aria-pressed="true" aria-keyshortcuts="m"' in page
    client.post(path, {"wrong": "0"})
    assert not SightVerdict.objects.exists()
