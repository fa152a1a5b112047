import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from embeddings.grain import MOST_BLUR, noise_of, without_grain

DICE = np.random.default_rng(4)


def photo(size: tuple[int, int] = (300, 400)) -> Image.Image:
    """Something with edges and shades, a little soft, as lenses draw it."""
    image = Image.linear_gradient("L").resize(size).convert("RGB")
    draw = ImageDraw.Draw(image)
    draw.rectangle([60, 80, 200, 300], fill=(180, 60, 40))
    draw.ellipse([120, 120, 260, 260], fill=(30, 90, 160))
    return image.filter(ImageFilter.GaussianBlur(1))


def grainy(image: Image.Image, levels: float) -> Image.Image:
    pixels = np.asarray(image, np.float32)
    return Image.fromarray(np.clip(pixels + DICE.normal(0, levels, pixels.shape), 0, 255).astype(np.uint8))


def away(one: Image.Image, other: Image.Image) -> float:
    return float(np.abs(np.asarray(one, np.float32) - np.asarray(other, np.float32)).mean())


def test_a_photo_without_grain_comes_back_as_it_is():
    clean = photo()

    assert without_grain(clean) is clean


@pytest.mark.parametrize("levels", [16, 30])
def test_grain_is_smoothed_towards_what_it_lies_on(levels):
    clean = photo()
    spoiled = grainy(clean, levels)

    assert away(without_grain(spoiled), clean) < 0.5 * away(spoiled, clean)


def test_a_little_grain_stays_because_the_encoder_sees_through_it():
    spoiled = grainy(photo(), 4)

    assert noise_of(spoiled) > 0
    assert without_grain(spoiled) is spoiled


@pytest.mark.parametrize("levels", [8, 16, 32])
def test_the_noise_is_told_in_gray_levels(levels):
    gray = Image.new("L", (256, 256), 128)
    noise = np.asarray(gray, np.float32) + DICE.normal(0, levels, (256, 256))

    assert noise_of(Image.fromarray(np.clip(noise, 0, 255).astype(np.uint8))) == pytest.approx(levels, rel=0.05)


def test_stripes_and_checks_of_cloth_are_no_grain():
    y, x = np.mgrid[:300, :300]
    cloth = [(x // 6 % 2) * 120, ((x // 8 + y // 8) % 2) * 200, 128 + 100 * np.sin(x / 3 + y / 4)]

    assert [noise_of(Image.fromarray(one.astype(np.uint8))) for one in cloth] == [0, 0, 0]


@pytest.mark.parametrize("size", [(1, 1), (2, 300), (3, 3)])
def test_the_smallest_picture_has_none(size):
    even = Image.new("RGB", size, "red")

    assert without_grain(even) is even


def test_there_is_a_most_that_is_smoothed():
    wild = Image.fromarray(DICE.integers(0, 256, (200, 200)).astype(np.uint8))

    assert without_grain(wild) == wild.filter(ImageFilter.GaussianBlur(MOST_BLUR))
