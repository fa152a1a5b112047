"""Queries made of the catalog's own pictures, and what they find."""

import json
from io import StringIO

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from catalog.models import Measurement, Product, ProductImage, SearchRecord
from catalog.review.self_measurement import SPOILED, Found, chosen, cropped, dim, measure, queries, report, rotated
from tests.fakes import picture


def white(dice, width, height):
    return Image.new("RGB", (width, height), "white")


def measured(products=20, seed=0):
    dice = np.random.default_rng(seed)
    return measure(chosen(products, dice), dice, white)


def ranks(found, kind):
    return [one.rank for one in found.found if one.kind == kind]


def test_a_second_photo_that_shows_the_same_finds_its_product(shelf):
    shelf.put("A", 1, 1)
    for seed in range(2, 8):
        shelf.put(f"P{seed}", seed)

    assert ranks(measured(), "second_photo") == [1]


def test_a_second_photo_is_never_found_by_itself(shelf):
    """Its main picture shows something else, and a stranger's looks just like the second."""
    shelf.put("A", 1, 2)
    shelf.put_picture("stranger", picture(2, format="JPEG"))

    assert ranks(measured(), "second_photo") == [2]


def test_another_listing_of_the_product_is_as_good_as_the_product(shelf):
    shelf.put("A", 1, 2, gtin="4006381333931")
    shelf.put("B", 1, 2, gtin="4006381333931")
    shelf.put("C", 3)

    assert set(ranks(measured(), "second_photo")) == {1}


def test_every_product_is_asked_for_in_every_spoiled_way(shelf):
    for seed in range(1, 4):
        shelf.put(f"P{seed}", seed)
    found = measured()

    assert {kind: len(ranks(found, kind)) for kind in SPOILED} == dict.fromkeys(SPOILED, 3)
    assert queries(chosen(9, np.random.default_rng(0))) == len(found.found) == 12


def test_the_same_seed_measures_the_same(shelf):
    for seed in range(1, 5):
        shelf.put(f"P{seed}", seed)
    assert measured(seed=3) == measured(seed=3)


def test_measuring_records_no_search_and_changes_no_product(shelf):
    shelf.put("A", 1, 1)
    before = list(Product.objects.values()), list(ProductImage.objects.values())
    measured()

    assert not SearchRecord.objects.exists()
    assert before == (list(Product.objects.values()), list(ProductImage.objects.values()))


def test_a_picture_that_is_gone_costs_its_product_alone(shelf):
    shelf.put("A", 1)
    shelf.put("B", 2)
    ProductImage.objects.get(product__sku="A").file.delete(save=False)
    found = measured()

    assert (found.products, found.unreadable) == (1, 1)


def test_the_report_has_every_category_with_interval_and_n():
    found = [Found("dim", "shoes", 1), Found("dim", "shoes", 4), Found("dim", "hats", None), Found("dim", "hats", 10)]
    made = report(found)["dim"]

    assert list(made) == ["all", "hats", "shoes"]
    assert [made["all"][f"recall@{k}"]["value"] for k in (1, 5, 10)] == [0.25, 0.5, 0.75]
    assert made["all"]["recall@1"]["n"] == 4
    assert made["shoes"]["recall@5"]["low"] < 1 == made["shoes"]["recall@5"]["high"]


@pytest.mark.parametrize("spoil", [rotated, cropped, dim])
@pytest.mark.parametrize("size", [(40, 40), (300, 120), (120, 300)])
def test_spoiling_leaves_a_picture_that_can_be_searched_with(spoil, size):
    picture = Image.effect_noise(size, 80).convert("RGB")
    spoiled = spoil(picture, np.random.default_rng(1))

    assert spoiled.mode == "RGB"
    assert min(spoiled.size) >= 32
    assert spoiled.tobytes() != picture.tobytes()


def test_a_dim_picture_is_darker():
    picture = Image.new("RGB", (64, 64), (200, 200, 200))
    assert np.asarray(dim(picture, np.random.default_rng(1))).mean() < 130


def test_the_command_keeps_what_it_measured_and_says_that_it_is_synthetic(shelf):
    shelf.put("A", 1, 1)
    shelf.put("B", 2)
    out = StringIO()
    call_command("measure_catalog", "--json", stdout=out)
    document = json.loads(out.getvalue())

    assert document["synthetic"] is True
    assert Measurement.objects.get().report == document["report"]
    assert document["report"]["second_photo"]["shoes"]["recall@1"]["n"] == 1


def test_a_dry_run_keeps_nothing(shelf):
    shelf.put("A", 1)
    out = StringIO()
    call_command("measure_catalog", "--dry-run", stdout=out)

    assert "recall@10" in out.getvalue()
    assert not Measurement.objects.exists()


@pytest.mark.parametrize("options", [["--sample", "0"], ["--seed", "-1"], []])
def test_what_cannot_be_measured_is_refused_with_words(shelf, options):
    with pytest.raises(CommandError, match=r"at least 1|0 or more|No product"):
        call_command("measure_catalog", *options)
