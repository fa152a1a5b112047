"""Simulated shoppers: real searches, known answers, all of it marked, none of it counted for anyone."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from PIL import Image

from catalog.insights.counts import Period, by_day, most_shown, searched_categories
from catalog.models import Feedback, Impression, KnownAnswer, Merchant, SearchRecord, SearchSummary, Verdict
from catalog.review.asked import REAL, SIMULATED, Slice, searches
from catalog.review.quality import MEASURES, agreements, measured
from catalog.simulation.clicks import Grade
from catalog.simulation.traffic import forget, simulate
from catalog.simulation.truth import Meant, Thing, grade
from shop_search.errors import InputError

DAYS = 30


def wood(dice, width, height):
    return Image.new("RGB", (width, height), (180, 150, 110))


@pytest.fixture
def stocked(shelf, settings, tmp_path):
    settings.SEARCH_CROPS_ROOT = tmp_path / "searched"
    settings.BAND_THRESHOLDS = {"same_photo": 0.99, "same_product": 0.5, "similar": 0.2}
    for seed in range(1, 9):
        shelf.put(f"P{seed}", seed, colors=["red" if seed % 2 else "blue"])
    return shelf


def made(count=24, seed=1, **options):
    return simulate(count, days=DAYS, seed=seed, surface=wood, **options)


def test_everything_is_marked_and_lies_in_the_past_days(stocked):
    report = made()

    assert (report.searches, SearchRecord.objects.count()) == (24, 24)
    assert not SearchRecord.objects.filter(is_simulated=False).exists()
    assert not Feedback.objects.filter(is_simulated=False).exists()
    assert not Impression.objects.filter(is_simulated=False).exists()
    assert report.clicks == Feedback.objects.filter(verdict="click").count() > 0
    assert report.verdicts == Verdict.objects.count() > 0
    oldest = timezone.now() - timedelta(days=DAYS + 1)
    moments = list(SearchSummary.objects.values_list("created_at", flat=True))
    assert oldest < min(moments) < max(moments) <= timezone.now()
    assert len({at.date() for at in moments}) > 5
    assert sorted(moments) == sorted(SearchRecord.objects.values_list("created_at", flat=True))


def test_the_same_seed_adds_nothing_and_goes_on_where_it_stopped(stocked):
    made(10)
    before = list(Feedback.objects.values_list("search", "product", "verdict"))
    again = made(10)

    assert (again.searches, again.already_there) == (0, 10)
    assert list(Feedback.objects.values_list("search", "product", "verdict")) == before
    assert made(12).searches == 2
    assert made(10, seed=2).searches == 10


def test_right_answers_are_known(stocked):
    made()
    known = KnownAnswer.objects.select_related("search")

    assert known.count() == 24
    for one in known:
        hits = [hit[0] for hit in one.search.answer["hits"]]
        if one.rank:
            assert hits[one.rank - 1] in one.products
        else:
            assert not set(hits) & set(one.products)


def test_every_measure_has_something_to_say(stocked):
    made(40)
    found = dict(
        zip([one.key for one in MEASURES], measured(searches(Slice(traffic=SIMULATED))).estimates, strict=True)
    )

    assert [key for key, estimate in found.items() if estimate is None] == []
    assert agreements(searches())
    assert searches(Slice(traffic=REAL)) == []


def test_neither_insights_nor_ranking_count_them(stocked, settings):
    made()
    merchant, month = Merchant.objects.get(), Period(DAYS + 1)
    assert sum(day.impressions + day.clicks for day in by_day(merchant, month)) == 0
    assert most_shown(merchant, month, 5) == []
    assert searched_categories(merchant, month, 5) == []
    assert not Feedback.objects.counted().exists()

    settings.COUNT_SIMULATED = True
    assert sum(day.impressions for day in by_day(merchant, month)) > 0
    assert Feedback.objects.counted().exists()


def test_what_was_simulated_can_be_forgotten_and_nothing_else_is(stocked):
    made(5)
    real = SearchRecord.objects.create(answer={})

    assert forget() == 5
    assert list(SearchRecord.objects.all()) == [real]
    assert not Verdict.objects.exists()


@pytest.mark.parametrize(("count", "days", "code"), [(0, 1, "searches_invalid"), (1, 0, "days_invalid")])
def test_impossible_numbers_are_refused(stocked, count, days, code):
    with pytest.raises(InputError) as caught:
        simulate(count, days=days, seed=0, surface=wood)
    assert caught.value.code == code


def test_an_empty_shop_has_nothing_to_ask_for(shelf):
    with pytest.raises(CommandError, match="No product has a picture"):
        call_command("simulate_shoppers", searches=3)


@pytest.mark.parametrize(
    ("thing", "expected"),
    [
        (Thing("shoes", frozenset({"red"}), "women"), Grade.GOOD),
        (Thing("shoes", frozenset({"blue"}), "women"), Grade.NEAR),
        (Thing("shoes", frozenset({"red"}), "men"), Grade.WRONG),
        (Thing("hats", frozenset({"red"}), "women"), Grade.WRONG_CATEGORY),
    ],
)
def test_a_result_is_graded_by_what_its_seller_says(thing, expected):
    meant = Meant(Thing("shoes", frozenset({"red"}), "women"), frozenset({1}))

    assert grade(meant, 2, (), thing) is expected
    assert grade(meant, 2, (1,), thing) is Grade.SAME_PRODUCT  # the same thing behind another's card
