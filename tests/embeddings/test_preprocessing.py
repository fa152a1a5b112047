"""How pictures are prepared: sizes, modes, and agreement with open_clip's own transforms."""

from importlib.util import find_spec

import numpy as np
import pytest
from PIL import Image

from embeddings.preprocessing import Preprocessing
from shop_search.errors import ServiceError

FACTS = {"size": 32, "mean": [0.5, 0.4, 0.3], "std": [0.2, 0.3, 0.4]}
SIZES = [(32, 32), (64, 32), (31, 77), (200, 50), (8, 9), (1, 1), (1, 400)]


def picture(size: tuple[int, int], seed: int = 0) -> Image.Image:
    dice = np.random.default_rng(seed)
    return Image.fromarray(dice.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8))


@pytest.mark.parametrize("mode", ["crop", "pad", "squash"])
@pytest.mark.parametrize("size", SIZES)
def test_every_picture_becomes_the_models_size(mode, size):
    made = Preprocessing.from_card({**FACTS, "resize": mode}).pixels([picture(size)])
    assert (made.shape, made.dtype) == ((1, 32, 32, 3), np.uint8)


def test_no_pictures_make_an_empty_batch():
    assert Preprocessing.from_card(FACTS).pixels([]).shape == (0, 32, 32, 3)


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK"])
def test_a_picture_that_is_not_rgb_is_made_so(mode):
    assert Preprocessing.from_card(FACTS).pixels([picture((40, 40)).convert(mode)]).shape == (1, 32, 32, 3)


def test_padding_has_the_cards_color():
    pixels = Preprocessing.from_card({**FACTS, "resize": "pad", "fill": [1, 2, 3]}).pixels([picture((64, 32))])
    assert pixels[0, 0, 0].tolist() == [1, 2, 3]
    assert pixels[0, 16, 16].tolist() != [1, 2, 3]


def test_normalizing_subtracts_the_mean_and_divides_by_the_deviation():
    white = np.full((1, 32, 32, 3), 255, np.uint8)
    made = Preprocessing.from_card(FACTS).normalize(white)
    assert made.shape == (1, 3, 32, 32)
    assert made[0, :, 5, 5] == pytest.approx([0.5 / 0.2, 0.6 / 0.3, 0.7 / 0.4], rel=1e-5)


def test_a_card_can_be_read_back():
    made = Preprocessing.from_card({**FACTS, "resize": "pad", "size": [32, 48], "fill": [9, 9, 9]})
    assert Preprocessing.from_card(made.to_card()) == made


@pytest.mark.parametrize("wrong", [{"size": None}, {"mean": None}, {"resize": "stretch"}, {"interpolation": "cubist"}])
def test_a_card_with_a_wrong_fact_is_refused(wrong):
    with pytest.raises(ServiceError, match="card"):
        Preprocessing.from_card({**FACTS, **wrong})


@pytest.mark.parametrize(("mode", "theirs"), [("crop", "shortest"), ("pad", "longest"), ("squash", "squash")])
@pytest.mark.parametrize("size", [(320, 200), (201, 307), (64, 64), (40, 500)])
def test_pictures_are_prepared_as_open_clip_prepares_them(mode, theirs, size):
    if find_spec("open_clip") is None:
        pytest.skip("open_clip is not installed: it comes with the 'train' extra")
    from open_clip.transform import image_transform

    transform = image_transform(
        64, is_train=False, mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.4), resize_mode=theirs, interpolation="bicubic"
    )
    ours = Preprocessing.from_card({**FACTS, "size": 64, "resize": mode})
    image = picture(size)
    assert np.abs(ours.normalize(ours.pixels([image]))[0] - transform(image).numpy()).max() < 1e-5
