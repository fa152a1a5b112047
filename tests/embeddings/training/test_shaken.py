"""Photos of an unsteady hand: the same from the same dice, as large as before, and no straight smear among them."""

import numpy as np
import pytest
from PIL import Image

from embeddings.training.shaken import defocus, few_pixels, fingers, shaken, tremble
from tests.embeddings.training.conftest import picture

POINT = np.zeros((101, 101, 3), np.float32)
POINT[50, 50] = 1


def dice(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_the_same_dice_make_the_same_photo_and_others_another():
    assert shaken(picture(1), dice(1)).tobytes() == shaken(picture(1), dice(1)).tobytes()
    assert shaken(picture(1), dice(1)).tobytes() != shaken(picture(1), dice(2)).tobytes()


@pytest.mark.parametrize("size", [(12, 12), (9, 200), (224, 224)])
def test_a_photo_keeps_its_size(size):
    for seed in range(8):
        assert shaken(Image.new("RGB", size, "navy"), dice(seed)).size == size


@pytest.mark.parametrize("blur", [defocus, tremble])
def test_a_blur_spreads_a_point_and_loses_no_light(blur):
    for seed in range(20):
        made = blur(POINT, dice(seed))[..., 0]
        assert made.max() < 0.9
        assert made.sum() == pytest.approx(1, abs=1e-3)


def test_a_trembling_hand_never_draws_a_straight_line():
    """What `degraded` measures: along a straight smear, a point has no width."""
    for seed in range(50):
        y, x = np.nonzero(tremble(np.pad(POINT, ((50, 50), (50, 50), (0, 0))), dice(seed))[..., 0] > 1e-3)
        narrow, wide = np.sqrt(np.linalg.eigvalsh(np.cov(np.stack([x, y]).astype(float))))
        assert narrow > 0.2 * wide


def test_few_pixels_and_fingers_change_the_picture_but_not_its_size():
    photo = picture(2, (224, 224))
    for spoil in (few_pixels, fingers):
        made = spoil(photo, dice())
        assert made.size == photo.size
        assert made.tobytes() != photo.tobytes()
