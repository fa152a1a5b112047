import numpy as np
import pytest
from PIL import Image, ImageDraw

from catalog.bands.shopper_photos import PHOTO, cut_out, near_copy, shopper_photo


def packshot(ground: tuple[int, int, int] = (250, 250, 250)) -> Image.Image:
    image = Image.new("RGB", (200, 240), ground)
    ImageDraw.Draw(image).ellipse((50, 60, 150, 200), fill=(180, 20, 30))
    return image


def wood(dice: np.random.Generator, width: int, height: int) -> Image.Image:
    return Image.new("RGB", (width, height), (120, 90, 60))


def test_a_product_is_cut_from_its_plain_background():
    cut = cut_out(packshot())

    assert cut is not None
    assert cut.size == pytest.approx((101, 141), abs=4)
    alpha = np.asarray(cut)[..., 3]
    assert (alpha[70, 50], alpha[1, 1] < 30) == (255, True)


@pytest.mark.parametrize(
    "image", [Image.effect_noise((200, 240), 90).convert("RGB"), Image.new("RGB", (50, 50), "white")]
)
def test_a_picture_without_a_plain_background_is_left_whole(image):
    assert cut_out(image) is None


def test_a_photo_shows_the_product_on_another_ground_in_other_light():
    photo = shopper_photo(packshot(), np.random.default_rng(1), wood)
    pixels = np.asarray(photo, np.int16)

    assert photo.size == PHOTO
    assert pixels.max() < 250  # no white is left
    assert ((pixels[..., 0] - pixels[..., 1]) > 60).mean() > 0.02  # the red is there


def test_the_same_dice_make_the_same_photo():
    first, again = (shopper_photo(packshot(), np.random.default_rng(5), wood) for _ in range(2))

    assert first.tobytes() == again.tobytes()
    assert first.tobytes() != shopper_photo(packshot(), np.random.default_rng(6), wood).tobytes()


@pytest.mark.parametrize("size", [(16, 500), (500, 16), (20, 20), (3000, 2000)])
def test_pictures_of_any_shape_can_be_photographed(size):
    image = Image.effect_noise(size, 90).convert("RGB")

    assert shopper_photo(image, np.random.default_rng(2), wood).size == PHOTO


def test_a_copy_looks_the_same_but_is_another_file():
    copy = near_copy(packshot(), np.random.default_rng(3))
    small = np.asarray(copy.resize((20, 24)), np.int16) - np.asarray(packshot().resize((20, 24)), np.int16)

    assert copy.size != packshot().size
    assert np.abs(small).mean() < 6
