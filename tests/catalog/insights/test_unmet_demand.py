import itertools
from typing import Any

import pytest

from catalog.insights.counts import Period
from catalog.insights.unmet_demand import Cluster, Missed, clusters, missed, unmet_demand
from catalog.models import AgreedSearch, Category, Merchant, Product, ProductImage, SearchRecord

WEEK = Period(7)


SEARCHERS = itertools.count()


def some(count: int, category: str = "shoes", *words: str, color: str = "") -> list[Missed]:
    """Returns searches of as many people."""
    return [Missed(category, words, color, searcher=str(next(SEARCHERS))) for _ in range(count)]


def test_nothing_makes_no_cluster():
    assert clusters([]) == []


def test_four_searches_are_told_to_nobody():
    assert clusters(some(4)) == []
    assert clusters(some(5)) == [Cluster("shoes", (), "", 5, 5)]


def test_words_and_colors_that_five_share_are_named_and_the_rest_goes_together():
    found = clusters(
        [
            *some(7, "shoes", "hiking"),
            *some(6, "shoes", color="red"),
            *some(5, "shoes"),
            *some(2, "shoes", "secret"),
            *some(5, "bags", "velvet", color="green"),
        ]
    )

    assert found == [
        Cluster("shoes", (), "", 7, 7),
        Cluster("shoes", ("hiking",), "", 7, 7),
        Cluster("shoes", (), "red", 6, 6),
        Cluster("bags", ("velvet",), "green", 5, 5),
    ]
    assert "secret" not in str(found)


def test_each_search_counts_once():
    found = clusters([*some(9, "shoes", "hiking", "leather"), *some(6, "shoes", "leather")])

    assert sum(one.searches for one in found) == 15
    assert found[0] == Cluster("shoes", ("leather",), "", 15, 15)


def test_words_that_nearly_all_say_together_name_the_cluster_in_their_order():
    found = clusters([*some(9, "shoes", "velvet", "evening"), *some(1, "shoes", "evening"), *some(1, "", "velvet")])

    assert found == [Cluster("shoes", ("velvet", "evening"), "", 10, 10)]


def test_searches_without_category_or_words_have_nothing_to_tell():
    assert clusters(some(50, "")) == []
    assert clusters(some(5, "", "bicycle")) == [Cluster("", ("bicycle",), "", 5, 5)]


@pytest.mark.parametrize(
    ("wishes", "rest", "colors", "expected"),
    [
        ([], "", [], Missed("shoes", (), "")),
        ([], "Hiking shoes for the Alps", [], Missed("shoes", ("hiking", "alps"), "")),
        ([{"kind": "color", "value": "Red"}], "red shoes", [], Missed("shoes", (), "red")),
        ([{"kind": "brand", "value": "Linden"}], "", [], Missed("shoes", ("linden",), "")),
        ([], "", [{"name": "green", "share": 0.7}], Missed("shoes", (), "green")),
        ([], "", [{"name": "green", "share": 0.2}], Missed("shoes", (), "")),
    ],
)
def test_a_search_is_known_by_its_category_words_and_color(wishes, rest, colors, expected):
    assert missed("shoes", wishes, rest, colors) == expected


def test_four_people_are_told_to_nobody_however_often_they_search():
    assert clusters(some(4, "shoes", "hiking") * 10) == []
    assert clusters(some(5, "shoes", "hiking") * 2) == [Cluster("shoes", ("hiking",), "", 10, 5)]


def test_a_word_that_one_person_says_often_is_not_named():
    mine = [Missed("shoes", ("hiking", "jane"), searcher="jane")] * 20

    assert clusters([*mine, *some(4, "shoes", "hiking")]) == [Cluster("shoes", ("hiking",), "", 24, 5)]


def record(
    band: str = "nothing_close",
    reason: str = "no_similar_product",
    rest: str = "",
    color: str = "",
    searcher: str | None = None,
) -> None:
    colors = [{"name": color, "hex": "#fff", "share": 1.0}] if color else []
    answer: dict[str, Any] = {
        "reason": reason,
        "wishes": [],
        "rest": rest,
        "facts": {"colors": colors} if color else None,
    }
    search = SearchRecord.objects.create(answer=answer, category="shoes", band=band)
    if searcher != "":
        AgreedSearch.objects.create(search=search, searcher=searcher or str(next(SEARCHERS)))


@pytest.mark.django_db
def test_the_board_counts_searches_that_found_nothing_close_and_what_the_merchant_stocks():
    linden = Merchant.objects.create(slug="linden", name="Linden")
    charlie = Merchant.objects.create(slug="charlie", name="Charlie")
    shoes = Category.objects.create(slug="shoes", name="Shoes")
    for _ in range(6):
        record(color="red")
        record(band="similar", color="red")
        record(reason="too_dark", color="blue")
    red = Product.objects.create(merchant=linden, sku="red", title="Shoe", category=shoes, colors=["red"])
    Product.objects.create(merchant=linden, sku="darkred", title="Shoe", category=shoes, colors=["darkred"])
    seen = Product.objects.create(merchant=linden, sku="seen", title="Shoe", category=shoes)
    ProductImage.objects.create(product=seen, source="a", seen_colors=["red"])
    Product.objects.create(merchant=charlie, sku="his", title="Shoe", category=shoes, colors=["red"])

    (demand,) = unmet_demand(linden, WEEK, 10)

    assert demand.cluster == Cluster("shoes", (), "red", 6, 6)
    assert (demand.name, demand.stocked) == ("Shoes", 2)
    Product.objects.filter(pk=red.pk).withdraw()
    assert unmet_demand(linden, WEEK, 10)[0].stocked == 1


@pytest.mark.django_db
def test_words_are_looked_for_in_titles():
    linden = Merchant.objects.create(slug="linden", name="Linden")
    shoes = Category.objects.create(slug="shoes", name="Shoes")
    for _ in range(5):
        record(rest="hiking shoes")
    Product.objects.create(merchant=linden, sku="h", title="Hiking boot", category=shoes)
    Product.objects.create(merchant=linden, sku="x", title="Loafer", category=shoes)

    (demand,) = unmet_demand(linden, WEEK, 10)

    assert (demand.cluster.words, demand.stocked) == (("hiking",), 1)


@pytest.mark.django_db
def test_searches_of_those_who_did_not_agree_are_told_to_nobody():
    linden = Merchant.objects.create(slug="linden", name="Linden")
    for _ in range(50):
        record(rest="hiking shoes", searcher="")
    for _ in range(50):
        record(rest="hiking shoes", searcher="alone")

    assert unmet_demand(linden, WEEK, 10) == []


def test_crops_are_shown_where_five_people_have_one_and_one_of_each():
    group = [Missed("shoes", (), "", searcher=name, crop=f"{name}{turn}.jpg") for turn in (2, 1) for name in "abcdef"]

    assert clusters(group)[0].crops == ("a2.jpg", "b2.jpg", "c2.jpg", "d2.jpg", "e2.jpg")
    assert clusters([*group[:4], *some(9)])[0].crops == ()
