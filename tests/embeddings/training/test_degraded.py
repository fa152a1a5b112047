"""Bad photos: the same from the same seed, still of the product, and never on a street that training saw."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from embeddings.training import degraded
from embeddings.training.augment import cutout_and_place
from embeddings.training.dataset import read_products
from embeddings.training.evaluate import degraded_task
from shop_search.errors import InputError
from tests.embeddings.training.conftest import picture
from tests.fakes import FakeEncoder

STREETS = [Image.new("RGB", (90, 120), color) for color in ("#7a8", "#445", "#cba")]


def dice(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def bad_photo(seed: int) -> Image.Image:
    found = cutout_and_place(picture(1))
    assert found is not None
    return degraded.photograph(found[0], (0, 0, *found[0].size), STREETS, dice(seed))


def test_the_same_seed_makes_the_same_photo_and_another_seed_another():
    assert bad_photo(3).tobytes() == bad_photo(3).tobytes()
    assert bad_photo(3).tobytes() != bad_photo(4).tobytes()


@pytest.mark.parametrize("size", [(4, 4), (3, 200), (300, 5)])
def test_a_product_of_any_shape_gives_a_photo(size):
    cut = Image.new("RGBA", size, (200, 20, 20, 255))
    made = degraded.photograph(cut, (0, 0, *size), STREETS, dice())
    assert min(made.size) >= 2


def test_the_crop_is_of_the_part_that_is_for_sale():
    """A red shirt over blue trousers: asked for the shirt, the photo is mostly red."""
    worn = Image.new("RGBA", (100, 200), (30, 40, 200, 255))
    worn.paste((200, 30, 30, 255), (0, 0, 100, 100))
    for seed in range(8):
        made = np.asarray(degraded.photograph(worn, (0, 0, 100, 100), STREETS, dice(seed)), int)
        assert (made[..., 0] > made[..., 2]).mean() > 0.5


def test_a_box_moves_with_the_lens():
    sheet = Image.new("RGB", (400, 300), "white")
    ImageDraw.Draw(sheet).rectangle((150, 100, 299, 219), fill="black")
    made = degraded.barrel(np.asarray(np.asarray(sheet) / 255, np.float32), 0.14)
    dark = made[150, :, 0] < 0.5, made[:, 200, 0] < 0.5
    (left, right), (top, bottom) = ((line.argmax(), len(line) - line[::-1].argmax()) for line in dark)
    assert degraded.bent((150, 100, 300, 220), sheet.size, 0.14) == pytest.approx((left, top, right, bottom), abs=3)


@pytest.mark.parametrize("spoil", [degraded.shadow, degraded.glare, degraded.gamma, degraded.motion, degraded.noise])
def test_each_way_to_spoil_a_picture_changes_it_and_keeps_its_shape(spoil):
    pixels = np.asarray(np.asarray(picture(1)) / 255, np.float32)
    made = spoil(pixels, dice())
    assert made.shape == pixels.shape
    assert made.dtype == np.float32
    assert np.abs(made - pixels).mean() > 0.005


def test_only_products_that_training_never_saw_are_asked_for(products):
    pictures = read_products(products)
    boxes = {str(one.path): None for one in pictures}
    made = list(degraded.spoiled(pictures, boxes, STREETS))
    assert [one.index for one in made] == [index for index, one in enumerate(pictures) if one.held_out]
    assert made


def test_a_photo_stays_the_same_when_other_products_join(products):
    pictures = [replace(one, held_out=True) for one in read_products(products)]
    boxes = {str(one.path): None for one in pictures}
    few, many = (list(degraded.spoiled(some, boxes, STREETS)) for some in (pictures[-3:], pictures))
    assert [one.image.tobytes() for one in few] == [one.image.tobytes() for one in many[-3:]]


def test_the_same_pixels_under_another_id_are_a_right_answer(products):
    pictures = read_products(products)
    asked = next(index for index, one in enumerate(pictures) if one.held_out)
    twin = Path(pictures[asked].path).with_name("twin.jpg")
    twin.write_bytes(pictures[asked].path.read_bytes())
    both = [pictures[asked], replace(pictures[asked], path=twin, product="products/twin", held_out=False)]
    encoder = FakeEncoder()
    catalog = encoder.encode_images([Image.open(one.path) for one in both])
    measured = degraded_task(encoder, both, {str(one.path): None for one in both}, STREETS, catalog)
    assert (measured["recall@1"].value, measured["mAP"].value, measured["mAP"].n) == (1.0, 1.0, 1)


@pytest.mark.parametrize(("name", "code"), [("train", "backgrounds_trained_on"), ("val", "backgrounds_missing")])
def test_streets_of_training_and_empty_folders_are_refused(tmp_path, name, code):
    (tmp_path / name).mkdir()
    with pytest.raises(InputError) as caught:
        degraded.read_streets(tmp_path / name)
    assert caught.value.code == code
