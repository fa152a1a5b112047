import time

import pytest

from catalog.models import Product
from catalog.words.assortment import FRESH_S, assortment, forget
from catalog.words.genders import values_of, word_of


@pytest.mark.parametrize(
    ("phrase", "slug"),
    [
        ("shoe", "shoes"),
        ("shoes", "shoes"),
        ("sneakers", "shoes"),
        ("watch", "watches"),  # nobody sells one here, but the word is known
        ("phone case", "phone-cases"),
        ("phone cases", "phone-cases"),
        ("nothing of the kind", None),
        ("other", None),
    ],
)
def test_a_category_is_known_by_the_shops_words_and_by_everyones(shelf, phrase, slug):
    shelf.put("S-1", 1)
    shelf.put("P-1", 2, category="phone-cases")

    assert assortment().category_of(phrase) == slug


def test_only_what_is_sold_is_counted(shelf):
    shelf.put("S-1", 1, brand="Vale", gender="female")
    gone = shelf.put("B-1", 2, category="bags", brand="Linden", gender="male", currency="SEK")
    Product.objects.filter(pk=gone.pk).withdraw()
    forget()

    shop = assortment()

    assert dict(shop.category_counts) == {"shoes": 1}
    assert (shop.brands, shop.genders, shop.currencies) == ({"Vale"}, {"women"}, {"EUR"})
    assert dict(shop.merchant_names) == {"atelier": "Atelier"}


def test_it_is_read_again_after_a_while_and_not_before(shelf, monkeypatch, django_assert_num_queries):
    shelf.put("S-1", 1, brand="Vale")
    assortment()
    Product.objects.update(brand="Linden")
    with django_assert_num_queries(0):
        assert assortment().brands == {"Vale"}
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + FRESH_S + 1)

    assert assortment().brands == {"Linden"}


@pytest.mark.parametrize(
    ("words", "values"),
    [
        (("men",), ("male", "unisex")),
        (("male",), ("male", "unisex")),
        (("men", "women"), ("male", "unisex", "female")),
        (("kids",), ("kids", "boys", "girls")),
        (("aliens",), ("aliens",)),
        ((), ()),
    ],
)
def test_a_gender_stands_for_all_that_may_be_shown(words, values):
    assert values_of(words) == values


def test_a_value_of_the_index_has_a_word():
    assert [word_of(value) for value in ("male", "Female", "unisex", "boys")] == ["men", "women", "unisex", "boys"]
