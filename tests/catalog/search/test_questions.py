from decimal import Decimal

import pytest

from catalog.search.questions import MAX_LIMIT, MAX_OFFSET, Filters, Question
from shop_search.errors import InputError


def test_a_question_needs_a_photo_a_product_or_words():
    with pytest.raises(InputError) as caught:
        Question(text="   ").check()

    assert caught.value.code == "question_missing"


def test_a_question_has_a_photo_or_a_product_but_not_both():
    with pytest.raises(InputError) as caught:
        Question(image=b"x", product=1).check()

    assert caught.value.code == "question_ambiguous"


@pytest.mark.parametrize(
    ("question", "field"),
    [
        (Question(text="a", limit=0), "limit"),
        (Question(text="a", limit=MAX_LIMIT + 1), "limit"),
        (Question(text="a", offset=-1), "offset"),
        (Question(text="a", offset=MAX_OFFSET + 1), "offset"),
        (Question(text="a" * 201), "q"),
        (Question(text="a", box=(0, 0, 1, 1)), "box"),
    ],
)
def test_a_field_out_of_bounds_is_named(question, field):
    with pytest.raises(InputError) as caught:
        question.check()

    assert caught.value.code == "question_invalid"
    assert list(caught.value.fields) == [field]


def test_a_photo_over_the_limit_is_refused_before_it_is_decoded(settings):
    settings.SEARCH_MAX_IMAGE_BYTES = 2**20

    with pytest.raises(InputError) as caught:
        Question(image=bytes(2**20 + 1)).check()

    assert caught.value.code == "image_too_large"
    assert "1 MiB" in caught.value.message


def test_no_filters_mean_an_open_question_to_the_store():
    where = Filters().where()

    assert (dict(where.match), dict(where.within), where.exclude) == ({}, {}, ())


def test_filters_become_conditions_of_the_store():
    filters = Filters(
        price_min=Decimal(10),
        price_max=Decimal("49.90"),
        brands=("Linden", "Pell & Oake"),
        colors=("RED", "Navy Blue"),
        genders=("men",),
        merchants=("atelier",),
        in_stock=True,
        excluded_brands=("Vale",),
        excluded_colors=("green",),
    )

    where = filters.where("shoes", exclude=(4,))

    assert where.match == {
        "category": ("shoes",),
        "brand": ("linden", "pell & oake"),
        "colors": ("red", "navy blue", "navy"),
        "gender": ("male", "unisex"),
        "merchant": ("atelier",),
        "in_stock": (True,),
    }
    assert where.within == {"price": (10.0, 49.9)}
    assert where.exclude == (4,)
    assert where.reject == {"brand": ("vale",), "colors": ("green",)}


def test_one_end_of_a_price_range_may_stay_open():
    assert Filters(price_max=Decimal(50)).where().within == {"price": (None, 50.0)}
