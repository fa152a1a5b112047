"""Pictures made from pictures: the same from the same seed, and of the product."""

import numpy as np
import pytest
from PIL import Image

from embeddings.training.augment import cutout, developed, framed, jittered, phone_photo, trimmed
from tests.embeddings.training.conftest import picture


def dice(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_a_cutout_is_the_product_without_its_white_background():
    cut = cutout(picture(1))
    assert cut is not None
    assert cut.mode == "RGBA"
    assert abs(cut.width - 36) <= 2
    assert abs(cut.height - 48) <= 2


@pytest.mark.parametrize("color", ["white", "gray"])
def test_a_picture_of_nothing_or_of_everything_has_no_cutout(color):
    assert cutout(Image.new("RGB", (60, 80), color)) is None


def test_trimming_leaves_the_product_with_a_small_margin():
    made = trimmed(picture(1))
    assert 36 <= made.width <= 42
    assert 48 <= made.height <= 56


def test_a_white_picture_is_not_trimmed_away():
    assert trimmed(Image.new("RGB", (60, 80), "white")).size == (60, 80)


@pytest.mark.parametrize("box", [(0, 0, 60, 80), (-20, -20, 90, 90), (59, 79, 60, 80), (10, 10, 10, 10)])
def test_a_frame_stays_in_the_picture_and_has_an_area(box):
    made = framed(picture(1), box)
    assert 0 < made.width <= 60
    assert 0 < made.height <= 80


def test_a_phone_photo_is_the_same_from_the_same_seed_and_another_from_another():
    street = [Image.effect_noise((200, 200), 90).convert("RGB")]
    first, again, other = (phone_photo(picture(3), dice(seed), street) for seed in (5, 5, 6))
    assert first.size == again.size
    assert np.array_equal(np.asarray(first), np.asarray(again))
    assert other.size != first.size or not np.array_equal(np.asarray(other), np.asarray(first))


def test_a_phone_photo_has_another_background():
    street = [Image.new("RGB", (100, 100), (0, 200, 0))]
    made = np.asarray(phone_photo(picture(3), dice(2), street).resize((40, 40)), int)
    corners = made[[0, 0, -1, -1], [0, -1, 0, -1]]
    assert (corners[:, 1] > corners[:, 0]).sum() >= 2


def test_a_picture_without_a_cutout_is_still_made_a_phone_photo():
    assert phone_photo(Image.effect_noise((60, 80), 60).convert("RGB"), dice(), []).mode == "RGB"


def test_jitter_cuts_off_at_most_its_share():
    for seed in range(10):
        made = jittered(picture(1), dice(seed), by=0.1)
        assert made.width >= 60 * 0.8 - 1
        assert made.height >= 80 * 0.8 - 1


def test_development_keeps_the_size():
    for seed in range(10):
        assert developed(picture(1), dice(seed)).size == (60, 80)
