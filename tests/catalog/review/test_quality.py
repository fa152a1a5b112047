"""The measures, on verdicts whose answer is counted by hand."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from catalog.models import Correction, KnownAnswer, Product, SearchSummary
from catalog.review import asked as asked_module
from catalog.review.asked import OTHER, SIMULATED, Slice, find, searches
from catalog.review.confusion import confusion
from catalog.review.quality import MEASURES, agreements, coverage, grouped, measured
from catalog.review.verdicts import judge, judge_sight, sheet
from catalog.search.answers import record
from catalog.search.feedback import give_feedback
from catalog.search.questions import Question
from catalog.search.search import search
from tests.fakes import picture

KEYS = [measure.key for measure in MEASURES]


@pytest.fixture
def rae(db):
    return get_user_model().objects.create_user("rae", is_staff=True)


@pytest.fixture
def ray(db):
    return get_user_model().objects.create_user("ray", is_staff=True)


@pytest.fixture
def stocked(shelf):
    for seed in range(1, 7):
        shelf.put(f"P{seed}", seed)
    return shelf


def searched(seed: int = 1, **question):
    answer = search(Question(**({"image": picture(seed)} | question)))
    record(answer)
    return answer.id


def say(search_id, reviewer, *verdicts):
    for item, verdict in zip(sheet(search_id, reviewer).items, verdicts, strict=False):
        judge(search_id, product=item.product["id"], verdict=verdict, reviewer=reviewer)


def now_measured() -> dict:
    return dict(zip(KEYS, measured(searches()).estimates, strict=True))


def test_without_verdicts_only_what_shoppers_did_is_known(stocked):
    searched()
    found = now_measured()

    assert found["precision@1"] is None
    assert found["ndcg@10"] is None
    assert (found["clicks"].value, found["clicks"].n) == (0, 1)
    assert found["p50"].value > 0


def test_precision_counts_products_and_good_matches(stocked, rae):
    say(searched(), rae, "same_product", "good", "near", "wrong", "wrong_category")
    found = now_measured()

    assert found["precision@1"].value == 1
    assert found["precision@5"].value == pytest.approx(2 / 5)
    assert found["precision@5"].n == 1
    assert found["category"].value == pytest.approx(4 / 5)


def test_a_search_that_was_left_halfway_counts_only_as_far_as_it_was_judged(stocked, rae):
    say(searched(), rae, "same_product", "good")
    found = now_measured()

    assert found["precision@1"].n == 1
    assert found["precision@5"] is None


def test_ndcg_falls_when_the_best_comes_last(stocked, rae):
    say(searched(1), rae, "same_product", "wrong")
    best = now_measured()["ndcg@10"]
    say(searched(2), rae, "wrong", "same_product")
    mixed = now_measured()["ndcg@10"]

    assert best.value == 1
    assert mixed.value < 1
    assert mixed.n == 2


def test_band_honesty_asks_only_where_the_very_product_was_promised(stocked, rae):
    search_id = searched()
    promised = [item.band in ("same_photo", "same_product") for item in sheet(search_id, rae).items]
    assert any(promised)
    assert not all(promised)
    say(search_id, rae, *("same_product" if yes else "wrong" for yes in promised))

    assert now_measured()["honesty"].value == 1


def test_a_judged_search_counts_for_the_others_of_its_stratum(stocked, rae):
    """Nine searches of one band and one of another; one of each is judged, the common one good and the rare one bad."""
    common = [searched() for _ in range(9)]
    rare = searched()
    SearchSummary.objects.filter(pk__in=common).update(band="same_photo")
    SearchSummary.objects.filter(pk=rare).update(band="nothing_close")
    say(common[0], rae, "good")
    say(rare, rae, "wrong")

    assert now_measured()["precision@1"].value == pytest.approx(0.9)
    assert coverage(searches()) == pytest.approx(1.0)


def test_coverage_tells_of_strata_that_nobody_judged(stocked, rae):
    judged, other = searched(), searched()
    SearchSummary.objects.filter(pk=other).update(band="nothing_close")
    say(judged, rae, "good")

    assert coverage(searches()) == pytest.approx(0.5)


def test_clicks_and_empty_answers_are_shares_of_searches(stocked):
    first, _ = searched(), searched()
    product = sheet(first, get_user_model()(pk=1)).items[0].product["id"]
    give_feedback(first, product=product, verdict="click")
    give_feedback(first, product=product, verdict="click")
    SearchSummary.objects.filter(pk=first).update(band="nothing_close")
    found = now_measured()

    assert (found["clicks"].value, found["clicks"].n) == (0.5, 2)
    assert (found["nothing_close"].value, found["nothing_close"].n) == (0.5, 2)


def test_words_count_for_clicks_and_not_for_photos(stocked):
    searched()
    searched(image=None, text="a shoe")
    found = now_measured()

    assert (found["clicks"].n, found["nothing_close"].n, found["p95"].n) == (2, 1, 1)


def test_measures_are_told_by_category_week_and_model(stocked, rae):
    today, earlier = searched(), searched()
    SearchSummary.objects.filter(pk=earlier).update(category="hats", created_at=timezone.now() - timedelta(days=14))
    say(today, rae, "good")
    asked = searches()

    assert [row.group for row in grouped(asked, "category")] == ["hats", "shoes"]
    assert len(grouped(asked, "week")) == 2
    assert grouped(asked, "week")[0].group < grouped(asked, "week")[1].group
    (model,) = grouped(asked, "encoder")
    assert model.group.startswith("fake-encoder")
    by_category = {row.group: dict(zip(KEYS, row.estimates, strict=True)) for row in grouped(asked, "category")}
    assert by_category["shoes"]["precision@1"].value == 1
    assert by_category["hats"]["precision@1"] is None


def test_agreement_is_over_results_that_both_judged(stocked, rae, ray):
    search_id = searched()
    say(search_id, rae, "good", "wrong", "near", "good")
    say(search_id, ray, "good", "wrong", "wrong")
    (one,) = agreements(searches())

    assert {one.first, one.second} == {"rae", "ray"}
    assert one.kappa.n == 3
    assert one.kappa.value == pytest.approx(0.5)  # agreed 2/3; by chance 1/3


def test_two_reviewers_of_one_result_count_as_one_result(stocked, rae, ray):
    search_id = searched()
    say(search_id, rae, "good")
    say(search_id, ray, "wrong")

    found = now_measured()["precision@1"]
    assert (found.value, found.n) == (0.5, 1)


def test_recall_is_over_searches_whose_answer_is_known(stocked):
    for rank in (1, 4, None):
        KnownAnswer.objects.create(search_id=searched(), products=[1], category="shoes", rank=rank)
    KnownAnswer.objects.create(search_id=searched(), products=[], category="")
    searched()
    found = now_measured()

    assert found["recall@1"].value == pytest.approx(1 / 3)
    assert (found["recall@10"].value, found["recall@10"].n) == (pytest.approx(2 / 3), 3)


def test_a_search_of_the_wrong_part_is_a_detection_miss(stocked, rae, ray):
    missed, fine = searched(1), searched(2)
    judge_sight(missed, is_wrong=True, reviewer=rae)
    say(missed, ray, "good")  # who saw nothing wrong
    say(fine, rae, "good")

    assert (now_measured()["misses"].value, now_measured()["misses"].n) == (pytest.approx(0.25), 2)
    judge_sight(missed, is_wrong=False, reviewer=rae)
    assert now_measured()["misses"].value == 0


def test_nothing_found_at_all_is_told_apart_from_nothing_close(stocked):
    searched()
    empty = searched()
    SearchSummary.objects.filter(pk=empty).update(results=0)

    assert (now_measured()["zero_results"].value, now_measured()["zero_results"].n) == (0.5, 2)


def test_the_category_of_what_reviewers_call_good_is_the_right_one(stocked, rae):
    right, wrong, unnamed = searched(1), searched(2), searched(3)
    SearchSummary.objects.filter(pk=wrong).update(category="hats")
    say(right, rae, "good", "wrong")
    say(wrong, rae, "wrong", "same_product")
    say(unnamed, rae, *["wrong_category"] * 6)
    found = confusion(searches())

    assert found.n == 3
    cells = {
        (row, column): count
        for row, counts in zip(found.names, found.cells, strict=True)
        for column, count in zip(found.actual_names, counts, strict=True)
        if count
    }
    assert cells == {("shoes", "shoes"): 1, ("hats", "shoes"): 1, ("shoes", OTHER): 1}
    assert found.right == 1
    assert now_measured()["category_accuracy"].n == 3


def test_a_correction_has_the_last_word_on_a_category(stocked, rae):
    search_id = searched()
    say(search_id, rae, "good")
    for category in ("bags", "hats"):
        Correction.objects.create(search_id=search_id, field="category", after=category, by=rae)
    found = confusion(searches())

    assert (found.names, found.actual_names) == (("shoes", "hats"), ("shoes", "hats"))
    assert (found.n, found.right) == (1, 0)


def test_a_slice_leaves_out_what_it_does_not_name(stocked, rae):
    shoe, hat = searched(1), searched(2)
    SearchSummary.objects.filter(pk=hat).update(category="hats", is_simulated=True)
    say(hat, rae, "good")

    assert [one.id for one in searches(Slice(traffic=SIMULATED))] == [hat]
    assert [one.id for one in searches(Slice(category="shoes"))] == [shoe]
    assert searches(Slice(merchant="nobody")) == []
    assert len(searches(Slice(merchant="atelier"))) == 2
    assert len(searches(Slice(model=SearchSummary.objects.first().encoder))) == 2


def test_of_more_searches_than_a_page_reads_a_fair_sample_counts_and_every_judged_one(stocked, rae, monkeypatch):
    made = [searched() for _ in range(30)]
    last = max(made)  # ids above the sample's are left out
    say(last, rae, "good")
    monkeypatch.setattr(asked_module, "MOST_SEARCHES", 15)
    found = find(Slice())

    assert found.total == 30
    assert found.sampled < 30
    assert last in {one.id for one in found.asked}
    everything = dict(zip(KEYS, measured(found.asked).estimates, strict=True))
    assert everything["clicks"].n == found.sampled
    assert everything["precision@1"].n == 1


def test_measures_of_merchants_go_by_the_first_result(stocked):
    stocked.put("H1", 9, merchant="hutmacher")
    searched(1)
    searched(9)

    assert {row.group for row in grouped(searches(), "merchant")} == {"atelier", "hutmacher"}
    assert Product.objects.filter(merchant__slug="hutmacher").count() == 1
