from datetime import timedelta

import pytest
from django.utils import timezone

from catalog.insights.counts import Period, by_day, most_shown, never_shown, searched_categories
from catalog.models import Category, Feedback, Impression, Merchant, Product, SearchRecord

pytestmark = pytest.mark.django_db
WEEK = Period(7)


@pytest.fixture
def merchant() -> Merchant:
    return Merchant.objects.create(slug="linden", name="Linden")


def product(merchant: Merchant, sku: str, category: str = "shoes") -> Product:
    kind, _ = Category.objects.get_or_create(slug=category, defaults={"name": category.title()})
    return Product.objects.create(merchant=merchant, sku=sku, title=sku, category=kind)


def searched(*shown: Product, days_ago: int = 0, category: str = "shoes", band: str = "similar") -> SearchRecord:
    record = SearchRecord.objects.create(answer={}, category=category, band=band)
    when = timezone.now() - timedelta(days=days_ago)
    SearchRecord.objects.filter(pk=record.pk).update(created_at=when)
    for rank, one in enumerate(shown, start=1):
        Impression.objects.create(
            search=record, product=one, merchant=one.merchant, rank=rank, day=timezone.localdate(when)
        )
    return record


def click(record: SearchRecord, on: Product, days_ago: int = 0, verdict: str = "click") -> None:
    row = Feedback.objects.create(search=record, product=on, verdict=verdict)
    Feedback.objects.filter(pk=row.pk).update(created_at=timezone.now() - timedelta(days=days_ago))


def test_every_day_of_the_period_is_told_quiet_ones_too(merchant):
    shoe = product(merchant, "shoe")
    click(searched(shoe, days_ago=2), shoe, days_ago=2)
    searched(shoe)
    searched(shoe, days_ago=8)

    days = by_day(merchant, WEEK)

    assert len(days) == 7
    assert days[-1].day == timezone.localdate()
    assert [(one.impressions, one.clicks) for one in days] == [(0, 0)] * 4 + [(1, 1), (0, 0), (1, 0)]


def test_products_come_with_their_clicks_rate_and_mean_rank(merchant):
    shoe, bag = product(merchant, "shoe"), product(merchant, "bag", "bags")
    first = searched(bag, shoe)
    searched(shoe)
    click(first, shoe)

    rows = most_shown(merchant, WEEK, 10)

    assert [(one.product.sku, one.impressions, one.clicks, one.click_rate, one.mean_rank) for one in rows] == [
        ("shoe", 2, 1, 0.5, 1.5),
        ("bag", 1, 0, 0.0, 1.0),
    ]


def test_clicking_twice_on_one_result_is_one_click_and_a_like_is_none(merchant):
    shoe, bag = product(merchant, "shoe"), product(merchant, "bag")
    record = searched(shoe, bag)
    for _ in range(2):
        click(record, shoe)
    click(record, bag)
    click(record, bag, verdict="like")

    assert sum(one.clicks for one in by_day(merchant, WEEK)) == 2
    assert {one.product.sku: one.clicks for one in most_shown(merchant, WEEK, 10)} == {"shoe": 1, "bag": 1}


def test_products_that_no_search_of_the_period_showed_are_listed_but_not_withdrawn_ones(merchant):
    shown, long_ago, gone = (product(merchant, sku) for sku in ("shown", "long ago", "gone"))
    never = product(merchant, "never")
    searched(shown)
    searched(long_ago, days_ago=20)
    Product.objects.filter(pk=gone.pk).withdraw()

    assert list(never_shown(merchant, WEEK)) == [long_ago, never]


def test_searched_categories_say_how_often_nothing_was_close_and_what_one_stocks(merchant):
    product(merchant, "a")
    searched(category="shoes")
    searched(category="shoes", band="nothing_close")
    searched(category="watches", band="nothing_close")
    searched(category="")
    searched(category="bags", days_ago=9)

    rows = searched_categories(merchant, WEEK, 10)

    assert [(one.slug, one.searches, one.nothing_close, one.stocked) for one in rows] == [
        ("shoes", 2, 1, 1),
        ("watches", 1, 1, 0),
    ]


def test_charlies_products_are_in_none_of_lindens_numbers(merchant):
    charlie = Merchant.objects.create(slug="charlie", name="Charlie")
    his = product(charlie, "his")
    click(searched(his), his)

    assert most_shown(merchant, WEEK, 10) == []
    assert not never_shown(merchant, WEEK).exists()
    assert sum(one.impressions + one.clicks for one in by_day(merchant, WEEK)) == 0
    assert [one.stocked for one in searched_categories(merchant, WEEK, 10)] == [0]
