# ruff: noqa: RUF001 - letters that look like others are what some of these tests are about
from decimal import Decimal
from typing import Any

import pytest

from catalog.words.query import Wishes, parse_words, without

BRANDS = frozenset(
    [
        "Nike",
        "Puma",
        "H&M",
        "Levi's",
        "Under Armour",
        "Red Tape",
        "Orange",
        "Only",
        "The North Face",
        "s.Oliver",
        "L'Oréal",
        "Pell & Oake",
        "7 For All Mankind",
    ]
)
CATEGORIES = {
    "dress": "dresses",
    "dresses": "dresses",
    "bag": "bags",
    "bags": "bags",
    "shoes": "shoes",
    "sneakers": "shoes",
    "heels": "shoes",
    "heel": "shoes",
    "jeans": "pants",
    "denim": "pants",
    "shirt": "tops",
    "top": "tops",
    "t-shirt": "tops",
    "tie": "ties",
    "belt": "belts",
    "jacket": "jackets",
    "short": "shorts",
    "shorts": "shorts",
    "khaki": "pants",
    "crop top": "tops",
}


def parse(text: str) -> Wishes:
    return parse_words(text, brands=BRANDS, categories=CATEGORIES.get)


def found(text: str) -> dict[str, Any]:
    """Returns only what was understood, without the chips, prices as numbers."""
    wishes = parse(text)
    every = {name: getattr(wishes, name) for name in Wishes.__slots__ if name != "chips"}
    return {
        name: float(value) if isinstance(value, Decimal) else value
        for name, value in every.items()
        if value not in (None, (), "")
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("   ", {}),
        ("like this but red", {"colors": ("red",)}),
        ("i want something like this but in green please", {"colors": ("green",)}),
        ("RED", {"colors": ("red",)}),
        ("navy blue", {"colors": ("navy",)}),
        ("dark green jacket", {"colors": ("green",), "category": "jackets"}),
        ("red or blue bag", {"colors": ("red", "blue"), "category": "bags"}),
        (
            "black and white striped t-shirt",
            {"colors": ("black", "white"), "category": "tops", "patterns": ("striped",)},
        ),
        ("a dress in color burgundy", {"colors": ("burgundy",), "category": "dresses"}),
        ("orange", {"colors": ("orange",)}),  # also a brand here, and a fruit elsewhere
        ("khaki jacket", {"colors": ("beige",), "category": "jackets"}),
        ("rose print dress", {"category": "dresses", "rest": "rose print"}),
        ("stone washed jeans", {"category": "pants", "rest": "stone washed"}),
        ("jeans in stone", {"category": "pants", "colors": ("beige",)}),
    ],
)
def test_colors_are_read_with_what_is_said_around_them(text: str, expected: dict[str, Any]) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(
    ("text", "low", "high", "currency"),
    [
        ("under 50", None, 50, None),
        ("below 50", None, 50, None),
        ("less than 50", None, 50, None),
        ("cheaper than 30", None, 30, None),
        ("up to 1,000.50", None, 1000.5, None),
        ("under 1.000,50 €", None, 1000.5, "EUR"),
        ("at most £20", None, 20, "GBP"),
        ("no more than 50", None, 50, None),
        ("not more than $30", None, 30, "USD"),
        ("max 50 eur", None, 50, "EUR"),
        ("50€ max", None, 50, "EUR"),
        ("50 or less", None, 50, None),
        ("<= 50", None, 50, None),
        ("price under 30", None, 30, None),
        ("over 19,50", 19.5, None, None),
        ("more than 100 dollars", 100, None, "USD"),
        ("at least 40", 40, None, None),
        ("from 20 eur", 20, None, "EUR"),
        ("$50 and up", 50, None, "USD"),
        ("between 20 and 40 eur", 20, 40, "EUR"),
        ("between 40 and 20", 20, 40, None),
        ("from 20 to 40", 20, 40, None),
        ("20-40 eur", 20, 40, "EUR"),
        ("€20\u201340", 20, 40, "EUR"),
        ("20 to 40 pounds", 20, 40, "GBP"),
        ("around 100", 80, 120, None),
        ("$50", 40, 60, "USD"),
        ("ｕｎｄｅｒ ５０", None, 50, None),
        ("under ٥٠", None, 50, None),
    ],
)
def test_prices_are_read_as_shoppers_write_them(
    text: str, low: float | None, high: float | None, currency: str | None
) -> None:
    wishes = parse(text)
    assert (wishes.price_min, wishes.price_max, wishes.currency, wishes.rest) == (low, high, currency, "")
    assert [wish.kind for wish in wishes.chips] == ["price"]
    assert text[wishes.chips[0].start : wishes.chips[0].end] == text


@pytest.mark.parametrize(
    "text",
    [
        "size 42",
        "size between 38 and 40",
        "20 to 40",  # sizes as likely as prices
        "air max 90",
        "501",
        "100% cotton",
        "under 10 cm",
        "over 18 years",
        "from 2023",
        "from the 90s",
        "y2k",
        "mp3",
        "under 50k",
        "under 9999999999",
        "under 1.2345",
        "under 1,2,3",
    ],
)
def test_other_numbers_are_no_prices(text: str) -> None:
    wishes = parse(text)
    assert (wishes.price_min, wishes.price_max) == (None, None)
    assert not wishes.chips


def test_a_size_and_a_price_are_told_apart() -> None:
    assert found("size 42 under 50") == {"price_max": 50, "rest": "size 42"}
    assert found("nike air max 90 under 120") == {"brands": ("Nike",), "price_max": 120, "rest": "air max 90"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("bags under 50", {"category": "bags", "price_max": 50}),
        ("shirt dress", {"category": "dresses", "rest": "shirt"}),
        ("dress with belt", {"category": "dresses", "rest": "belt"}),
        ("tie dye shirt", {"category": "tops", "rest": "tie dye"}),
        ("bag and shoes", {"category": "bags", "rest": "shoes"}),
        ("high top sneakers", {"category": "shoes", "rest": "high top"}),
        ("crop top", {"category": "tops"}),
        ("short dress", {"category": "dresses", "rest": "short"}),
        ("short", {"rest": "short"}),
        ("one shoulder dress", {"category": "dresses", "rest": "one shoulder"}),
        ("shoes for men like these", {"category": "shoes", "genders": ("men",)}),
        ("sofa", {"rest": "sofa"}),
    ],
)
def test_the_category_is_the_head_of_its_phrase(text: str, expected: dict[str, Any]) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Nike", {"brands": ("Nike",)}),
        ("nike's shoes", {"brands": ("Nike",), "category": "shoes"}),
        ("shoes from puma", {"brands": ("Puma",), "category": "shoes"}),
        ("nike or puma", {"brands": ("Nike", "Puma")}),
        ("h & m", {"brands": ("H&M",)}),
        ("H&M jeans", {"brands": ("H&M",), "category": "pants"}),
        ("levis 501", {"brands": ("Levi's",), "rest": "501"}),
        ("levi\u2019s", {"brands": ("Levi's",)}),
        ("loreal", {"brands": ("L'Oréal",)}),
        ("pell and oake", {"brands": ("Pell & Oake",)}),
        ("S OLIVER", {"brands": ("s.Oliver",)}),
        ("7 for all mankind jeans", {"brands": ("7 For All Mankind",), "category": "pants"}),
        ("the north face jacket", {"brands": ("The North Face",), "category": "jackets"}),
        ("under armour under 40", {"brands": ("Under Armour",), "price_max": 40}),
        ("red tape shoes", {"brands": ("Red Tape",), "category": "shoes"}),
        ("only black", {"colors": ("black",)}),
        ("jeans by only", {"brands": ("Only",), "category": "pants"}),
        ("black Only jeans", {"brands": ("Only",), "colors": ("black",), "category": "pants"}),
    ],
)
def test_brands_are_found_however_they_are_spelled(text: str, expected: dict[str, Any]) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("without heel", {"excluded": ("heel",)}),
        ("without the heel", {"excluded": ("heel",)}),
        ("no side pockets", {"excluded": ("side pockets",)}),
        ("without heel or logo", {"excluded": ("heel", "logo")}),
        ("without heel black", {"excluded": ("heel",), "colors": ("black",)}),
        ("without logo under 50", {"excluded": ("logo",), "price_max": 50}),
        ("shoes -heel", {"excluded": ("heel",), "category": "shoes"}),
        ("-heel shoes", {"excluded": ("heel",), "category": "shoes"}),
        ("not black", {"excluded_colors": ("black",)}),
        ("not black or white", {"excluded_colors": ("black", "white")}),
        ("red not nike", {"colors": ("red",), "excluded_brands": ("Nike",)}),
        ("dress with pockets and no sleeves", {"category": "dresses", "excluded": ("sleeves",), "rest": "pockets"}),
        ("no show socks", {"rest": "no show socks"}),
        ("not too tight", {"rest": "not too tight"}),
        ("v-neck", {"rest": "v-neck"}),
        ("without", {"rest": "without"}),
        ("no", {"rest": "no"}),
    ],
)
def test_what_is_not_wanted_is_set_apart(text: str, expected: dict[str, Any]) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("for men", {"genders": ("men",)}),
        ("women's running shoes", {"genders": ("women",), "category": "shoes", "rest": "running"}),
        ("for men and women", {"genders": ("men", "women")}),
        ("jeans for my wife", {"genders": ("women",), "category": "pants"}),
        ("boyfriend jeans", {"category": "pants", "rest": "boyfriend"}),
        ("unisex", {"genders": ("unisex",)}),
        ("in stock", {"in_stock": True}),
        ("available now", {"in_stock": True}),
        ("not sold out", {"in_stock": True}),
        ("out of stock", {"in_stock": False}),
        ("available in red", {"colors": ("red",), "rest": "available"}),
    ],
)
def test_gender_and_stock_are_read(text: str, expected: dict[str, Any]) -> None:
    assert found(text) == expected


def test_every_wish_of_a_long_query_is_a_chip_over_its_own_words() -> None:
    text = "like this but red, under 50, without heel, Nike, for men, in stock"
    wishes = parse(text)
    shown = [(wish.kind, text[wish.start : wish.end]) for wish in wishes.chips]
    assert shown == [
        ("color", "red"),
        ("price", "under 50"),
        ("excluded", "without heel"),
        ("brand", "Nike"),
        ("gender", "for men"),
        ("in_stock", "in stock"),
    ]
    assert wishes.rest == ""


def test_taking_a_chip_away_takes_its_wish_away_and_nothing_else() -> None:
    text = "Red dress under 50 for a wedding"
    wishes = parse(text)
    price = next(wish for wish in wishes.chips if wish.kind == "price")
    shorter = without(text, price)
    assert shorter == "Red dress for a wedding"
    assert found(shorter) == {"colors": ("red",), "category": "dresses", "rest": "wedding"}
    for _ in range(2):
        shorter = without(shorter, parse(shorter).chips[0])
    assert (parse(shorter).chips, parse(shorter).rest) == ((), "wedding")


@pytest.mark.parametrize(
    "text",
    [
        "👗",
        "红色连衣裙",
        "КРАСНОЕ платье",
        "فستان أحمر",
        "लाल पोशाक",
        "ﬁne ﬂoral",
        "İstanbul ẞtyle",
        "\u202ered\u202c dress",
        "a\u0301b\u0300c",
        "re\u200bd",
        "\x00\x07dress",
        "?!...",
        "x" * 200,
        "under " * 33,
        "- " * 100,
        "not " * 50,
        "red " * 50,
        "1,1" * 66,
        "'" * 200,
        "a-" * 100,
        "between 1 and " * 14,
        "in in in in the the the",
        "from from for for by by",
    ],
)
def test_any_text_is_read_without_failing_and_spans_stay_inside_it(text: str) -> None:
    wishes = parse(text)
    ends = [0]
    for wish in wishes.chips:
        assert ends[-1] <= wish.start < wish.end <= len(text)
        ends.append(wish.end)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("striped shirt", {"patterns": ("striped",), "category": "tops"}),
        ("plaid or striped", {"patterns": ("checked", "striped")}),
        ("leopard print dress", {"category": "dresses", "rest": "leopard print"}),
        ("heels", {"article_type": "heels", "category": "shoes"}),
        ("red casual shoes under 50", {"article_type": "casual shoes", "category": "shoes", "colors": ("red",)}),
        ("shoes", {"category": "shoes"}),
    ],
)
def test_patterns_and_types_finer_than_a_category_are_read(text: str, expected: dict[str, Any]) -> None:
    types = {"heels": "heels", "heel": "heels", "casual shoes": "casual shoes"}
    wishes = parse_words(text, brands=BRANDS, categories=CATEGORIES.get, article_types=types.get)

    every = ("article_type", "category", "colors", "patterns", "rest")
    assert {name: getattr(wishes, name) for name in every if getattr(wishes, name)} == expected


def test_text_in_a_language_we_do_not_read_goes_to_the_embedding_whole() -> None:
    for text in ("红色连衣裙", "КРАСНОЕ платье", "👗", "???"):
        assert parse(text) == Wishes(rest=text)


def test_a_shop_without_brands_or_categories_still_reads_the_rest() -> None:
    wishes = parse_words("red Nike dress under 50", brands=(), categories=lambda phrase: None)
    assert (wishes.colors, wishes.price_max, wishes.rest) == (("red",), Decimal(50), "Nike dress")
