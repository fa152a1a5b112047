from typing import Any

import pytest

from catalog.doctor.diagnoses import DIAGNOSES, Evidence, examine, urgency
from catalog.doctor.findability import Standing
from catalog.doctor.wording import WORDS, sentence, title
from catalog.models import Category, PictureCheck, Product, ProductImage
from catalog.taxonomy import Taxonomy


def product(**fields) -> Product:
    whole = {"title": "Shoe", "brand": "Linden", "colors": ["red"], "price": 10, "in_stock": True}
    return Product(pk=1, sku="S-1", category=Category(slug="shoes"), **{**whole, **fields})


def of_category(slug: str) -> Product:
    its = product()
    its.category = Category(slug=slug)
    return its


def image(pk=1, **fields) -> ProductImage:
    whole = {"state": "indexed", "detected_category": "shoes", "box": [0, 0, 300, 300], "width": 300, "height": 300}
    return ProductImage(pk=pk, product_id=1, **{**whole, **fields})


def check(*seen, **measures) -> PictureCheck:
    good = {"brightness": 180, "highlight": 250, "contrast": 60, "sharpness": 900}
    return PictureCheck(seen=[list(one) for one in seen], **{**good, **measures})


def codes(*, of=None, images=None, checks=None, **evidence) -> list[str]:
    images = [image()] if images is None else images
    checks = {one.pk: check(("shoes", 0.9, 0, 0, 300, 300)) for one in images} if checks is None else checks
    return [one.code for one in examine(Evidence(of or product(), images, checks, **evidence))]


def test_a_good_product_has_no_findings():
    assert codes() == []


def test_every_code_has_words_and_advice():
    assert set(WORDS) == set(DIAGNOSES)
    assert all(title(code) and WORDS[code][2] for code in DIAGNOSES)


def test_what_a_feed_left_out_is_named():
    assert codes(of=product(price=None, brand=" ", colors=[])) == ["no_price", "no_brand", "no_color"]


def test_a_product_without_a_picture_comes_first_unless_its_picture_is_on_the_way():
    assert codes(images=[]) == ["no_picture"]
    assert codes(images=[], is_awaited=True) == []


def test_a_picture_that_failed_says_why():
    failed = image(state="failed", box=None, error_code="image_truncated", error="The file ends too early.")
    (symptom,) = examine(Evidence(product(), [failed], {}))

    assert symptom.code == "picture_failed"
    assert sentence(symptom.code, symptom.detail) == "The file ends too early."


@pytest.mark.parametrize(("side", "expected"), [(111, ["too_small"]), (112, [])])
def test_a_small_crop_is_told_by_its_smaller_side(side, expected):
    assert codes(images=[image(box=[10, 10, 10 + side, 400])]) == expected


def test_the_smallest_of_several_pictures_is_named():
    small = [image(1, box=[0, 0, 100, 300]), image(2, box=[0, 0, 50, 300])]
    symptoms = examine(Evidence(product(), small, {1: check(), 2: check()}))

    assert [(one.code, one.image, one.detail["pixels"]) for one in symptoms if one.code == "too_small"] == [
        ("too_small", 2, 50)
    ]


def test_a_picture_without_edges_is_blurred_but_an_even_one_is_not():
    assert codes(checks={1: check(("shoes", 0.9, 0, 0, 1, 1), sharpness=12)}) == ["blurred"]
    assert codes(checks={1: check(("shoes", 0.9, 0, 0, 1, 1), sharpness=1, contrast=2)}) == []


def test_a_black_shoe_on_white_is_not_dark():
    assert codes(checks={1: check(("shoes", 0.9, 0, 0, 1, 1), brightness=50, highlight=255)}) == []
    assert codes(checks={1: check(("shoes", 0.9, 0, 0, 1, 1), brightness=30, highlight=70)}) == ["dark"]


def test_a_picture_in_which_the_declared_category_was_not_made_out_is_flagged():
    assert codes(images=[image(detected_category="")], checks={1: check()}) == ["nothing_found"]


def test_a_category_that_the_detector_does_not_know_is_not_missed_in_the_picture():
    watch = of_category("watches")
    assert codes(of=watch, images=[image(detected_category="")], checks={1: check()}) == []


BAG = ("bags", 0.8, 0, 0, 300, 300)


@pytest.mark.parametrize(
    ("seen", "neighbors", "expected"),
    [
        ([BAG], (("bags", 8), ("shoes", 2)), "wrong_category"),
        ([BAG], (("shoes", 8), ("bags", 2)), "nothing_found"),
        ([BAG], (("hats", 10),), "nothing_found"),  # sure, but not certain
        ([("bags", 0.95, 0, 0, 9, 9)], (("hats", 10),), "wrong_category"),
        ([("bags", 0.95, 0, 0, 9, 9), ("tops", 0.6, 0, 0, 9, 9)], (("hats", 10),), "nothing_found"),
        ([("bags", 0.95, 0, 0, 9, 9)], (("shoes", 4), ("hats", 6)), "nothing_found"),
        ([("bags", 0.5, 0, 0, 9, 9)], (("bags", 10),), "nothing_found"),
    ],
)
def test_a_wrong_category_needs_a_sure_detector_and_neighbors_that_do_not_object(seen, neighbors, expected):
    checks = {1: check(*seen)}
    assert codes(images=[image(detected_category="")], checks=checks, standing=Standing(neighbors=neighbors)) == [
        expected
    ]


def test_a_category_whose_borders_shops_draw_differently_is_no_wrong_one():
    vest = of_category("jackets")
    found = {"images": [image(detected_category="")], "checks": {1: check(("tops", 0.95, 0, 0, 9, 9))}}

    assert codes(of=vest, **found, standing=Standing(neighbors=(("tops", 10),))) == ["nothing_found"]


def test_without_an_index_no_category_is_called_wrong():
    assert codes(images=[image(detected_category="")], checks={1: check(BAG)}) == ["nothing_found"]


FOOTWEAR = Taxonomy(slugs={"shoes": "footwear"}, classes={"shoes": "footwear", "tops": "clothes", "jackets": "coats"})


def test_what_is_seen_goes_by_the_names_that_admins_gave_the_categories():
    renamed: Any = {"of": of_category("footwear"), "taxonomy": FOOTWEAR}
    nothing = {"images": [image(detected_category="")]}

    assert codes(**renamed) == []
    assert codes(**renamed, **nothing, checks={1: check()}) == ["nothing_found"]
    sure = {1: check(("bags", 0.95, 0, 0, 9, 9))}
    assert codes(**renamed, **nothing, checks=sure, standing=Standing(neighbors=(("hats", 10),))) == ["wrong_category"]
    pair = {1: check(("shoes", 0.9, 0, 0, 100, 100), ("shoes", 0.9, 150, 0, 250, 100))}
    assert codes(**renamed, checks=pair) == []
    vest = {"of": of_category("coats"), "taxonomy": FOOTWEAR, **nothing}
    seen = {1: check(("tops", 0.95, 0, 0, 9, 9))}
    assert codes(**vest, checks=seen, standing=Standing(neighbors=(("clothes", 10),))) == ["nothing_found"]


def test_a_category_whose_class_went_to_another_one_is_not_missed_in_the_picture():
    moved: Any = {"of": of_category("shoes"), "taxonomy": FOOTWEAR, "images": [image(detected_category="")]}
    assert codes(**moved, checks={1: check()}) == []


def test_a_bag_beside_the_declared_shoes_is_no_wrong_category():
    seen = {1: check(BAG, ("shoes", 0.4, 0, 0, 50, 50))}
    assert codes(checks=seen, standing=Standing(neighbors=(("bags", 10),))) == []


@pytest.mark.parametrize(
    ("category", "boxes", "parts"),
    [
        ("bags", [], 0),
        ("bags", [(0, 0, 100, 100)], 0),
        ("bags", [(0, 0, 100, 100), (150, 0, 250, 100)], 2),
        ("bags", [(0, 0, 100, 100), (102, 0, 202, 100)], 0),  # side by side
        ("bags", [(0, 0, 100, 100), (50, 0, 150, 100)], 0),  # one over the other
        ("bags", [(0, 0, 100, 100), (150, 0, 170, 20)], 0),  # a detail
        ("shoes", [(0, 0, 100, 100), (150, 0, 250, 100)], 0),  # a pair
        ("shoes", [(0, 0, 100, 100), (150, 0, 250, 100), (0, 150, 100, 250)], 3),
    ],
)
def test_a_collage_is_several_like_things_apart_and_a_pair_of_shoes_is_none(category, boxes, parts):
    of = of_category(category)
    seen = {1: check(*((category, 0.9, *box) for box in boxes))}
    told = [one.detail["parts"] for one in examine(Evidence(of, [image()], seen)) if one.code == "collage"]
    assert told == ([parts] if parts else [])


@pytest.mark.parametrize(("rank", "expected"), [(1, []), (10, []), (11, ["not_findable"]), (None, ["not_findable"])])
def test_a_product_far_down_the_results_of_its_own_second_picture_is_not_findable(rank, expected):
    assert codes(standing=Standing(second=2, rank=rank)) == expected


def test_a_product_with_one_picture_is_not_asked_to_find_itself():
    assert codes(standing=Standing(second=None, rank=None)) == []


def test_what_keeps_a_product_from_being_found_weighs_more_than_all_notes():
    notes = examine(Evidence(product(brand="", colors=[]), [image()], {1: check(("shoes", 0.9, 0, 0, 1, 1))}))
    grave = examine(Evidence(product(), [], {}))

    assert urgency(grave, in_stock=True) > urgency(notes, in_stock=True) > 0
    assert urgency(grave, in_stock=False) < urgency(grave, in_stock=True)


def test_a_rank_is_said_in_words():
    assert "number 31" in sentence("not_findable", {"rank": 31})
    assert "not even" in sentence("not_findable", {"rank": None})
    assert sentence("same_picture", {"skus": ["A", "B"]}) == "It is also the picture of A, B."
    assert sentence("blurred", {}) == title("blurred")


@pytest.mark.parametrize(("score", "expected"), [(0.1, ["lettering"]), (0.0, []), (-3.0, []), (None, [])])
def test_text_over_a_picture_is_a_finding(score, expected):
    assert codes(checks={1: check(("shoes", 0.9, 0, 0, 300, 300), lettering=score)}) == expected


@pytest.mark.parametrize(
    ("box", "place"),
    [
        ([0, 0, 60, 60], "at the upper left"),
        ([120, 260, 180, 300], "at the bottom"),
        ([240, 120, 300, 160], "at the right"),
        ([50, 50, 250, 250], "in the middle"),
        (None, "in the middle"),
    ],
)
def test_where_the_text_is_is_said(box, place):
    seen = check(("shoes", 0.9, 0, 0, 300, 300), lettering=2.0, lettering_box=box)
    (symptom,) = examine(Evidence(product(), [image()], {1: seen}))

    assert f"over the picture: {place}." in sentence(symptom.code, symptom.detail)
