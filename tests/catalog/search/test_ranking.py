from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from catalog.bands import Band, Bands
from catalog.search.ranking import Candidate, Wants, candidates, collapse, rank
from embeddings.types import Hit

BANDS = Bands({Band.SIMILAR: 0.5, Band.SAME_PRODUCT: 0.8}, {"bags": {Band.SIMILAR: 0.2}})
RED, BLUE = [[50.0, 70.0, 50.0, 1.0]], [[40.0, 10.0, -50.0, 1.0]]


def hit(image: int, score: float, *, product: int = 1, category: str = "shoes") -> Hit:
    return Hit(image, score, {"product": product, "category": category})


def one(product: int, score: float = 0.6, *, band: Band = Band.SIMILAR, keys=(), created_at=None, clicks=0, **payload):
    payload = {"in_stock": True, **payload}
    return Candidate(product, product * 10, score, score, band, payload, created_at or timezone.now(), clicks, keys)


def order(found, wants: Wants | None = None) -> list[int]:
    return [candidate.product_id for candidate, _ in rank(found, wants or Wants())]


def test_no_hits_rank_to_no_products():
    assert candidates([], bands=BANDS) == []
    assert rank([], Wants()) == []
    assert collapse([]) == []


def test_a_product_with_several_images_appears_once_by_its_best():
    found = candidates([hit(10, 0.7, product=1), hit(11, 0.9, product=1), hit(20, 0.8, product=2)], bands=BANDS)

    assert [(one.product_id, one.image_id) for one in found] == [(1, 11), (2, 20)]


def test_equal_scores_keep_the_stores_order():
    found = candidates([hit(10, 0.5, product=7), hit(20, 0.5, product=3)], bands=BANDS)

    assert [one.product_id for one in found] == [7, 3]


def test_each_product_is_banded_by_its_own_category():
    found = candidates([hit(1, 0.3, product=1, category="bags"), hit(2, 0.3, product=2)], bands=BANDS)

    assert [one.band for one in found] == [Band.SIMILAR, Band.NOTHING_CLOSE]


def test_none_is_called_the_same_product_before_its_look_alikes_are_known():
    assert candidates([hit(1, 0.9)], bands=BANDS)[0].band is Band.SIMILAR


def test_scores_of_words_are_never_called_the_same_photo():
    assert candidates([hit(1, 1.0)], bands=None)[0].band is Band.SIMILAR


def test_what_looks_more_alike_comes_first():
    assert order([one(1, 0.5), one(2, 0.7), one(3, 0.6)]) == [2, 3, 1]


def test_of_two_that_look_alike_the_one_of_the_photos_color_comes_first():
    found = [one(1, 0.61, palette=BLUE), one(2, 0.6, palette=RED)]

    assert order(found) == [1, 2]
    assert order(found, Wants(palette=((52.0, 68.0, 48.0, 1.0),))) == [2, 1]


def test_a_product_whose_colors_nobody_looked_at_is_neither_helped_nor_harmed():
    found = [one(1, palette=RED), one(2), one(3, palette=BLUE)]

    assert order(found, Wants(palette=((50.0, 70.0, 50.0, 1.0),))) == [1, 2, 3]


@pytest.mark.parametrize(
    ("wants", "payload"),
    [
        (Wants(genders={"female": 0.9, "male": 0.1}), {"gender": "female"}),
        (Wants(brand="linden"), {"brand": "linden"}),
        (Wants(categories={"bags": 0.8, "shoes": 0.2}), {"category": "bags"}),
    ],
)
def test_what_agrees_with_what_is_known_comes_first(wants, payload):
    others: dict[str, Any] = {"gender": "male", "brand": "vale", "category": "shoes"}

    assert order([one(1, **others), one(2, **{**others, **payload})], wants) == [2, 1]


def test_what_can_be_bought_comes_before_what_is_sold_out():
    assert order([one(1, in_stock=False), one(2)]) == [2, 1]


def test_what_is_new_comes_before_what_is_old():
    assert order([one(1, created_at=timezone.now() - timedelta(days=900)), one(2)]) == [2, 1]


def test_what_others_chose_comes_first():
    assert order([one(1, clicks=1), one(2, clicks=40)]) == [2, 1]


def test_a_surer_band_comes_first_whatever_the_rest_says():
    sold_out = one(1, 0.81, band=Band.SAME_PRODUCT, in_stock=False, palette=BLUE)

    assert order([one(2, 0.79, palette=RED), sold_out], Wants(palette=((50.0, 70.0, 50.0, 1.0),))) == [1, 2]


def test_weights_are_the_shops_to_choose(settings):
    found = [one(1, 0.9, in_stock=False), one(2, 0.3)]
    settings.RANKING_WEIGHTS = {"appearance": 0.0, "color": 0.0, "attributes": 0.0, "quality": 1.0}

    assert order(found) == [2, 1]


def test_every_part_of_the_score_lies_between_0_and_1():
    wants = Wants(palette=((50.0, 70.0, 50.0, 1.0),), genders={"male": 0.7}, brand="linden")
    found = [one(1, -0.3, palette=BLUE, gender="male"), one(2, 1.0, palette=RED, brand="linden", clicks=3), one(3)]

    for _, parts in rank(found, wants):
        assert all(0 <= part <= 1 for part in (parts.appearance, parts.color, parts.attributes, parts.quality))


def test_listings_of_one_thing_share_a_card():
    found = [one(1, 0.9, keys=("gtin 1",)), one(2, 0.8, keys=("gtin 2",)), one(3, 0.7, keys=("gtin 1",))]

    cards = collapse(rank(found, Wants()))

    assert [(card.product_id, card.others) for card in cards] == [(1, (3,)), (2, ())]


def test_a_listing_joins_by_any_of_its_keys():
    found = [one(1, 0.9, keys=("gtin 1",)), one(2, 0.8, keys=("gtin 1", "picture x")), one(3, 0.7, keys=("picture x",))]

    assert [card.others for card in collapse(rank(found, Wants()))] == [(2, 3)]


def test_listings_without_a_key_stay_apart():
    assert len(collapse(rank([one(1), one(2)], Wants()))) == 2
