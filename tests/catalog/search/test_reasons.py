import io

import numpy as np
import pytest
from PIL import Image, ImageFilter

from catalog.search.reasons import is_blurred, sharpness
from tests.fakes import picture

SHARP = Image.open(io.BytesIO(picture(1, size=(256, 256)))).convert("RGB")


def moved(image: Image.Image, length: int, degrees: float) -> Image.Image:
    """Returns the picture as a camera sees it that moves by so many pixels while it looks."""
    ways = np.linspace(-length / 2, length / 2, 2 * length + 1)
    steps = [(way * np.cos(np.radians(degrees)), way * np.sin(np.radians(degrees))) for way in ways]
    seen = [
        np.asarray(image.transform(image.size, Image.Transform.AFFINE, (1, 0, x, 0, 1, y), Image.Resampling.BILINEAR))
        for x, y in steps
    ]
    return Image.fromarray(np.mean(seen, axis=0).astype(np.uint8))


@pytest.mark.parametrize("degrees", [0, 30, 45, 90, 120])
def test_a_photo_of_a_moved_camera_is_blurred_whichever_way_it_moved(degrees: float) -> None:
    assert is_blurred(moved(SHARP, 20, degrees))


def test_a_photo_out_of_focus_is_blurred_and_a_sharp_one_is_not() -> None:
    assert is_blurred(SHARP.filter(ImageFilter.GaussianBlur(4)))
    assert not is_blurred(SHARP)


def test_nothing_can_be_blurred_in_an_even_picture() -> None:
    assert not is_blurred(Image.new("RGB", (200, 200), "gray"))


def test_a_photo_is_as_sharp_as_its_thumbnail() -> None:
    assert sharpness(SHARP.resize((1024, 1024), Image.Resampling.NEAREST)) == pytest.approx(sharpness(SHARP), rel=0.01)
