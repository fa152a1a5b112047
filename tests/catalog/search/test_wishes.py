from decimal import Decimal

import pytest

from catalog.bands import Band
from catalog.search.questions import Filters, Question
from catalog.search.search import search
from catalog.search.wishes import heed
from tests.fakes import picture


@pytest.fixture
def shop(shelf):
    """Ten products; what is asked for below is among them once."""
    for number in range(8):
        shelf.put(f"S-{number}", number, brand="Vale", colors=["Black"], gender="female")
    shelf.put("S-wine", 20, brand="Linden", colors=["Dark Red"], gender="male", price=Decimal(30), title="Low loafer")
    shelf.put("B-red", 21, category="bags", brand="Linden", colors=["Red"], gender="", price=Decimal(80))
    return shelf


def skus(answer) -> list[str]:
    return [result.product.sku for result in answer.results]


def chips(text: str, **fields) -> list[tuple[str, str]]:
    return [(chip.kind, chip.label) for chip in heed(Question(text=text, **fields)).chips]


def test_without_words_nothing_is_asked_of_the_database(django_assert_num_queries, db):
    with django_assert_num_queries(0):
        assert heed(Question(image=b"x")).chips == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("like this but in black", {f"S-{number}" for number in range(8)}),
        ("linden", {"S-wine", "B-red"}),
        ("under 50 from linden", {"S-wine"}),
        ("red bag", {"B-red"}),
        ("linden for men", {"S-wine"}),
        ("not by vale", {"S-wine", "B-red"}),
        ("linden not red", {"S-wine"}),
        ("linden without loafers", {"B-red"}),
    ],
)
def test_wishes_are_held_by_the_store(shop, text, expected):
    assert (
        set(skus(search(Question(image=picture(1), text=text, category=None if "bag" in text else "all")))) == expected
    )


def test_a_wish_is_a_chip_with_its_place_in_the_text(shop):
    text = "like this but dark red, under 50, by Linden"
    answer = search(Question(image=picture(20), text=text))

    assert [(wish.kind, wish.value, wish.label) for wish in answer.wishes] == [
        ("color", "burgundy", "Burgundy"),
        ("price", "-50", "Under 50"),
        ("brand", "Linden", "Linden"),
    ]
    assert [text[wish.start : wish.end] for wish in answer.wishes] == ["dark red", "under 50", "by Linden"]
    assert answer.rest == ""


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("under 49.90 eur", "Under 49.90 EUR"),
        ("over 100", "From 100"),
        ("between 20 and 40", "20 to 40"),
        ("in stock", "In stock"),
        ("without heel", "Not heel"),
        ("shoes", "Shoes"),
        ("for men", "Men"),
    ],
)
def test_a_chip_says_what_it_holds(shop, text, label):
    assert [shown for _, shown in chips(text)] == [label]


def test_the_requests_own_filters_win_over_words(shop):
    filters = Filters(colors=("black",), price_max=Decimal(25))
    heeded = heed(Question(text="red shoes under 50", filters=filters, category="bags"))

    assert heeded.filters == filters
    assert heeded.category is None
    assert heeded.chips == ()


def test_only_what_no_filter_holds_joins_the_photo(shop):
    assert heed(Question(image=b"x", text="red striped shoes under 50")).rest == "striped"


def test_words_alone_are_embedded_without_what_no_picture_shows(shop):
    assert heed(Question(text="red striped shoes, under 50, in stock")).rest == "red striped shoes"


def test_a_text_of_nothing_but_a_price_is_still_searched(shop):
    answer = search(Question(text="under 50"))

    assert answer.rest == "under 50"
    assert "B-red" not in skus(answer)
    assert len(answer.results) == 9


def test_a_text_of_wishes_alone_is_ranked_within_them(shop):
    answer = search(Question(text="red shoes under 50"))

    assert skus(answer) == []  # the loafer is dark red, which is burgundy
    assert skus(search(Question(text="burgundy shoes under 50"))) == ["S-wine"]


def test_a_gender_that_no_product_names_is_a_word_like_any_other(shelf):
    shelf.put("S-1", 1, gender="")

    assert chips("shoes for women") == [("category", "Shoes")]
    assert skus(search(Question(text="shoes for women"))) == ["S-1"]


def test_unisex_products_are_for_everyone(shelf):
    shelf.put("S-1", 1, gender="unisex")
    shelf.put("S-2", 2, gender="male")

    assert skus(search(Question(text="for women"))) == ["S-1"]


def test_prices_in_a_currency_that_is_not_used_here_are_read_as_numbers(shop):
    assert heed(Question(text="under $50")).filters.currency is None
    assert heed(Question(text="under 50 eur")).filters.currency == "EUR"


def test_a_named_category_that_is_not_sold_is_said_to_be_so_and_the_nearest_offered(shop):
    answer = search(Question(text="umbrella"))

    assert (answer.band, answer.reason) == (Band.NOTHING_CLOSE, "category_not_sold")
    assert answer.selected.category.slug == "umbrellas"
    assert not answer.selected.category_applied
    assert len(answer.results) == 10
    assert {result.band for result in answer.results} == {Band.NOTHING_CLOSE}


def test_several_values_mean_any_of_them(shop):
    filters = Filters(brands=("linden", "vale"), colors=("burgundy", "red"))

    assert set(skus(search(Question(image=picture(1), category="all", filters=filters)))) == {"S-wine", "B-red"}


@pytest.fixture
def wardrobe(shelf, monkeypatch):
    """Striped and plain tops, heels and flats, as the encoder's heads would have seen them."""
    monkeypatch.setattr("catalog.search.wishes.article_types", lambda: ("heels", "flats", "tops"))
    for number in range(6):
        shelf.put(f"T-striped-{number}", number, category="tops", seen={"pattern": ["striped", 0.9]})
        shelf.put(f"S-heels-{number}", 30 + number, seen={"article_type": ["heels", 0.95]})
    shelf.put("T-plain", 20, category="tops", seen={"pattern": ["plain", 0.9]})
    shelf.put("T-titled", 21, category="tops", title="Top with stripes", seen={"pattern": ["plain", 0.9]})
    shelf.put("S-flat", 22, seen={"article_type": ["flats", 0.9]})
    shelf.put("S-unsure", 23, seen={"article_type": ["heels", 0.5]})
    return shelf


def test_a_pattern_in_words_narrows_to_what_is_known_to_have_it(wardrobe):
    answer = search(Question(text="striped tops"))

    assert set(skus(answer)) == {*(f"T-striped-{number}" for number in range(6)), "T-titled"}
    assert [(wish.kind, wish.label) for wish in answer.wishes] == [("pattern", "Striped"), ("category", "Tops")]


def test_a_pattern_that_hardly_anything_has_is_a_word_like_any_other(wardrobe):
    heeded = heed(Question(image=picture(1), text="checked"))

    assert (heeded.chips, heeded.filters, heeded.rest) == ((), Filters(), "checked")


def test_a_kind_finer_than_the_category_narrows_to_it(wardrobe):
    answer = search(Question(text="heels"))

    assert set(skus(answer)) == {f"S-heels-{number}" for number in range(6)}
    assert [(wish.kind, wish.label) for wish in answer.wishes] == [("article_type", "Heels")]
    assert answer.selected.category.slug == "shoes"


def test_a_kind_that_hardly_anything_is_known_to_be_stands_for_its_category(wardrobe):
    assert chips("flats") == [("category", "Shoes")]


def test_the_other_wishes_count_when_a_kind_is_asked_whether_there_is_enough(wardrobe):
    wardrobe.put("S-red", 40, colors=["Red"], seen={"article_type": ["heels", 0.95]})

    assert chips("red heels") == [("color", "Red"), ("category", "Shoes")]


def test_without_heel_leaves_out_what_is_seen_to_have_one(wardrobe):
    answer = search(Question(text="shoes without heel"))

    assert set(skus(answer)) == {"S-flat", "S-unsure"}
    assert "heel" not in answer.rest


def test_without_stripes_leaves_out_what_is_striped(wardrobe):
    assert set(skus(search(Question(text="tops without stripes")))) == {"T-plain"}


def test_the_issues_own_example_is_held_whole(shelf):
    """Like this but red, under 50, without heel, in stock, from a brand."""
    shelf.put("right", 1, brand="Nike", colors=["Red"], price=Decimal("49.90"))
    shelf.put("dear", 2, brand="Nike", colors=["Red"], price=Decimal("50.10"))
    shelf.put("blue", 3, brand="Nike", colors=["Blue"], price=Decimal(20))
    shelf.put("heeled", 4, brand="Nike", colors=["Red"], price=Decimal(20), title="Pump with 7 cm heel")
    shelf.put("gone", 5, brand="Nike", colors=["Red"], price=Decimal(20), in_stock=False)
    shelf.put("other", 6, brand="Vale", colors=["Red"], price=Decimal(20))
    text = "like this but red, under 50, without heel, in stock, Nike"

    answer = search(Question(image=picture(1), text=text, category="all"))

    assert skus(answer) == ["right"]
    assert {wish.kind for wish in answer.wishes} == {"color", "price", "excluded", "in_stock", "brand"}
