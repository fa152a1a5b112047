"""Photos of an unsteady hand: the same from the same dice, as large as before, and no straight smear among them."""

import numpy as np
import pytest
from PIL import Image

from embeddings.training.shaken import defocus, edges, few_pixels, fingers, fringes, haze, pane, screen, shaken, tremble
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
    for seed in range(24):
        assert shaken(Image.new("RGB", size, "navy"), dice(seed), [picture(3)]).size == size


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


def test_behind_a_pane_nothing_gets_darker_and_the_street_shines_in():
    photo, street = picture(2, (224, 224)), Image.new("RGB", (50, 80), "white")
    before, after = (np.asarray(one, np.int16) for one in (photo, pane(photo, street, dice())))
    assert (after >= before).all()
    assert (after > before)[before < 200].all()
    assert pane(photo, Image.new("RGB", (50, 80), "black"), dice()).tobytes() == photo.tobytes()


def test_off_a_screen_a_plain_picture_has_stripes():
    gray = np.full((60, 60, 3), 0.5, np.float32)
    for seed in range(20):
        made = screen(gray, dice(seed))
        assert made.max() <= 0.5
        assert 0.01 < np.ptp(made) < 0.14


def test_through_a_greasy_lens_black_is_gray_beside_light():
    half = np.zeros((80, 80, 3), np.float32)
    half[:, 40:] = 1
    for seed in range(20):
        made = haze(half, dice(seed))
        assert made[:, 39].min() > 0.01
        assert 0 <= made.min() <= made.max() <= 1.0001


def test_fringes_move_red_and_blue_apart_and_leave_green():
    for seed in range(20):
        made = fringes(POINT, dice(seed))
        assert np.array_equal(made[..., 1], POINT[..., 1])
        red, blue = (np.argwhere(made[..., channel] > 0).mean(axis=0) for channel in (0, 2))
        assert np.hypot(*(red - blue)) > 0.5


def test_sharpened_edges_have_halos_and_plain_places_stay():
    half = np.full((80, 80, 3), 0.3, np.float32)
    half[:, 40:] = 0.6
    made = edges(half, dice())
    assert made.max() > 0.65
    assert made.min() < 0.25
    assert made[:, :20] == pytest.approx(0.3, abs=1e-3)
