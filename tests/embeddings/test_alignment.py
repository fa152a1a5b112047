from functools import cache

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps

from embeddings.alignment import align
from embeddings.fingerprint import AS_IS, MIRRORED, TURNS, turned
from fixtures import demo_products, draw_product


def fractal() -> Image.Image:
    return Image.effect_mandelbrot((300, 200), (-2, -1.2, 1, 1.5), 80).convert("RGB")


@cache
def product(category: str, number: int = 0) -> Image.Image:
    chosen = [one for one in demo_products() if one.category == category][number]
    return draw_product(chosen, view=0, size=256)


def near(box: tuple[float, ...], expected: tuple[float, ...], pixels: float = 3) -> bool:
    return bool(np.abs(np.subtract(box, expected)).max() <= pixels)


def test_a_picture_lies_over_itself() -> None:
    image = fractal()
    found = align(image, image)
    assert found.agreement > 0.999
    assert (found.distance, found.turn) == (0, AS_IS)
    assert near(found.first_box, (0, 0, 300, 200))
    assert near(found.second_box, (0, 0, 300, 200))


@pytest.mark.parametrize("box", [(10, 5, 290, 195), (60, 40, 300, 200), (0, 0, 180, 140), (120, 60, 290, 190)])
def test_a_crop_is_found_where_it_was_cut_out(box: tuple[int, int, int, int]) -> None:
    image = fractal()
    part = image.crop(box)
    found = align(part, image)
    assert found.is_copy
    assert near(found.first_box, (0, 0, *part.size))
    assert near(found.second_box, box)


def test_it_works_both_ways_round() -> None:
    image = fractal()
    box = (60, 40, 280, 190)
    found = align(image, image.crop(box))
    assert found.is_copy
    assert near(found.first_box, box)
    assert near(found.second_box, (0, 0, 220, 150))


@pytest.mark.parametrize("turn", TURNS)
def test_a_turned_crop_is_found_and_its_box_is_in_the_pixels_of_the_picture_as_given(turn: int) -> None:
    image = fractal()
    box = (30, 40, 210, 180)
    found = align(image, turned(image.crop(box), turn), turns=TURNS)
    assert (found.turn, found.is_copy) == (turn, True)
    assert near(found.first_box, box)


@pytest.mark.parametrize("category", ["shoes", "bags", "dresses", "sunglasses"])
def test_a_product_picture_is_found_in_a_border_a_square_and_a_screenshot(category: str) -> None:
    image = product(category)
    square = Image.new("RGB", (400, 400), "white")
    square.paste(image, (72, 100))
    screen = Image.new("RGB", (320, 480), (245, 245, 247))
    ImageDraw.Draw(screen).rectangle((0, 0, 320, 40), fill=(30, 30, 34))
    ImageDraw.Draw(screen).rectangle((40, 400, 280, 450), fill=(255, 90, 30))
    screen.paste(image, (32, 80))
    for around, at in ((ImageOps.expand(image, 12, (30, 30, 30)), (12, 12)), (square, (72, 100)), (screen, (32, 80))):
        found = align(around, image)
        assert found.is_copy
        assert near(found.first_box, (*at, at[0] + 256, at[1] + 256), pixels=4)


def test_writing_over_a_copy_does_not_hide_it() -> None:
    image = product("bags")
    written = image.copy()
    ImageDraw.Draw(written).text((30, 100), "SALE 50%", fill=(220, 30, 30), font_size=36)
    assert align(written, image).is_copy


def test_a_small_and_a_recolored_copy_agree() -> None:
    image = product("shoes")
    hue, saturation, value = image.convert("HSV").split()
    recolored = Image.merge("HSV", (hue.point(lambda level: (level + 90) % 256), saturation, value)).convert("RGB")
    for copy in (image.resize((64, 64)), recolored, ImageOps.mirror(image)):
        assert align(copy, image).is_copy
    assert align(ImageOps.mirror(image), image).turn == MIRRORED


@pytest.mark.parametrize("category", ["shoes", "bags", "dresses", "jackets"])
def test_another_product_of_the_category_does_not_agree(category: str) -> None:
    assert not align(product(category, 0), product(category, 5)).is_copy


@pytest.mark.parametrize(
    ("first", "second"),
    [((16, 16), (16, 16)), ((16, 300), (300, 16)), ((400, 20), (64, 64)), ((32, 32), (640, 480))],
)
@pytest.mark.parametrize("mode", ["RGB", "L", "P"])
def test_even_and_narrow_pictures_are_answered_without_agreeing(
    first: tuple[int, int], second: tuple[int, int], mode: str
) -> None:
    found = align(Image.new(mode, first), Image.new(mode, second))
    assert found.agreement == pytest.approx(0, abs=1e-6)
    assert not found.is_copy
