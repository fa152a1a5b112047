import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from catalog.bands import scores as scores_of
from catalog.bands import shopper_photos
from catalog.bands.scores import counts, gather, pictures, sample
from catalog.bands.thresholds import Kind, Score
from catalog.models import Product, ProductImage
from tests.fakes import picture


@pytest.fixture(autouse=True)
def _small_photos_are_quick_to_make(monkeypatch):
    monkeypatch.setattr(shopper_photos, "PHOTO", (90, 120))


def paper(dice: np.random.Generator, width: int, height: int) -> Image.Image:
    return Image.new("RGB", (width, height), "white")


def scores(shelf, *, never_sold: tuple[Path, ...] = (), size: int = 50) -> list[Score]:
    dice = np.random.default_rng(1)
    return gather(sample(size, dice), never_sold, dice, paper).scores


def of(kind: Kind, found: list[Score]) -> list[Score]:
    return [one for one in found if one.kind is kind]


def test_a_photo_is_held_against_its_product_and_against_the_others(shelf):
    shelf.put("red", 1)
    shelf.put("blue", 2)
    found = scores(shelf)

    assert len(of(Kind.OWN_PHOTO, found)) == len(of(Kind.REMOVED, found)) == 2
    assert {one.category for one in found} == {"shoes"}


def test_the_only_product_is_not_found_once_it_is_taken_out(shelf):
    shelf.put("only", 1)
    found = scores(shelf)

    assert of(Kind.OWN_PHOTO, found)
    assert of(Kind.REMOVED, found) == of(Kind.CATEGORY_REMOVED, found) == of(Kind.COPY_REMOVED, found) == []


def test_with_its_category_taken_out_only_others_are_found(shelf):
    shelf.put("shoe", 1)
    shelf.put("bag", 2, category="bags")
    found = of(Kind.CATEGORY_REMOVED, scores(shelf))

    assert sorted(one.category for one in found) == ["bags", "shoes"]


def test_a_product_has_no_crowd_where_another_one_is_nearer_to_the_photo(shelf, monkeypatch):
    monkeypatch.setattr(scores_of, "shopper_photo", lambda picture, dice, surface: picture)
    monkeypatch.setattr(scores_of, "crowd_of", lambda collection, image, *, exclude=(): 0.7)
    shelf.put("front-and-back", 1, 2)
    altered = Image.open(io.BytesIO(picture(1)))
    altered.putpixel((0, 0), (1, 2, 3))
    stream = io.BytesIO()
    altered.save(stream, "PNG")
    shelf.put_picture("like-the-front", stream.getvalue())
    (one,) = [one for one in sample(5, np.random.default_rng(1)) if len(one.files) == 2]
    crowds = set()
    for seed in range(6):  # made of the front or of the back
        found = gather([one], [], np.random.default_rng(seed), paper).scores
        (second,), (removed,) = of(Kind.SECOND_PHOTO, found), of(Kind.REMOVED, found)
        assert removed.crowd == 0.7
        assert second.crowd == (0.7 if second.score >= removed.score else None)
        crowds.add(second.crowd)
    assert None in crowds


def test_a_second_photo_is_held_against_the_other_pictures_only(shelf):
    product = shelf.put("shoe", 1, 2)
    dice = np.random.default_rng(1)
    (one,) = sample(5, dice)
    found = gather([one], [], dice, paper).scores

    assert len(one.files) == 2
    assert one.product == product.pk
    assert len(of(Kind.SECOND_PHOTO, found)) == 1
    assert of(Kind.OWN_PHOTO, found) == []
    assert of(Kind.SECOND_PHOTO, found)[0].score < of(Kind.COPY, found)[0].score


@pytest.mark.parametrize("same", [{"gtin": "4006381333931"}, {"item_group": "G"}, {"title": "The Same  Title"}])
def test_a_product_under_two_numbers_is_taken_out_under_both(shelf, same):
    shelf.put("one", 1, **same)
    shelf.put("two", 1, **{key: value.upper().replace("  ", " ") for key, value in same.items()})
    shelf.put("other", 9)
    twins = {one.product: one.twins for one in sample(9, np.random.default_rng(1))}
    pks = dict(Product.objects.values_list("sku", "pk"))

    assert twins[pks["one"]] == twins[pks["two"]]
    assert len(twins[pks["one"]]) == 2
    assert len(twins[pks["other"]]) == 1


def test_the_same_picture_makes_twins(shelf):
    shelf.put("one", 1)
    shelf.put("two", 1)
    ProductImage.objects.update(sha256="a" * 64)

    assert {len(one.twins) for one in sample(9, np.random.default_rng(1))} == {2}


def test_a_title_that_many_share_makes_no_twins(shelf):
    for number in range(13):
        shelf.put(f"tee-{number}", number, title="T-shirt")

    assert {len(one.twins) for one in sample(20, np.random.default_rng(1))} == {1}


def test_twins_are_in_one_fold(shelf):
    for number in range(10):
        shelf.put(f"a{number}", number, title=f"Title {number}")
        shelf.put(f"b{number}", number + 50, title=f"Title {number}")
    halves: dict[tuple[int, ...], set[int]] = {}
    for one in sample(20, np.random.default_rng(1)):
        halves.setdefault(one.twins, set()).add(one.fold)

    assert len(halves) == 10
    assert {len(of_both) for of_both in halves.values()} == {1}
    assert set.union(*halves.values()) == {0, 1}


def test_withdrawn_products_are_not_sampled(shelf):
    shelf.put("gone", 1)
    shelf.put("here", 2)
    Product.objects.filter(sku="gone").withdraw()

    assert len(sample(9, np.random.default_rng(1))) == 1


def test_a_thing_that_is_not_sold_is_held_against_everything(shelf, tmp_path):
    shelf.put("shoe", 1)
    (tmp_path / "pear.png").write_bytes(picture(7))
    found = of(Kind.NEVER_SOLD, scores(shelf, never_sold=(tmp_path / "pear.png",)))

    assert [one.category for one in found] == ["shoes"]


def test_a_picture_that_can_not_be_read_is_counted_and_left_out(shelf, tmp_path):
    shelf.put("shoe", 1)
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    ProductImage.objects.update(file="products/gone.png")
    dice = np.random.default_rng(1)
    done: list[int] = []
    sampled = sample(9, dice)
    (tmp_path / "products").mkdir(exist_ok=True)
    gathered = gather(sampled, [tmp_path / "broken.jpg"], dice, paper, progress=done.append)

    assert (gathered.scores, gathered.unreadable) == ([], 3)
    assert sum(done) == pictures(sampled, [tmp_path / "broken.jpg"]) == 3


def test_every_kind_is_counted(shelf):
    assert counts([Score(Kind.COPY, "shoes", 0.9, 0)])["copy"] == 1
    assert counts([])["removed"] == 0
