import itertools

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from embeddings.color import ColorShare, color_names, color_similarity, dominant_colors
from embeddings.color_names import NAMES, nearest_names, normalize_color_word
from embeddings.lab import difference, to_lab, to_rgb

PAINTS = {
    "black": (20, 20, 22),
    "gray": (128, 128, 128),
    "white": (250, 250, 250),
    "beige": (222, 205, 172),
    "brown": (104, 66, 40),
    "red": (200, 30, 40),
    "burgundy": (110, 24, 44),
    "orange": (240, 130, 40),
    "yellow": (245, 220, 60),
    "green": (40, 130, 70),
    "olive": (110, 112, 62),
    "turquoise": (70, 190, 185),
    "blue": (50, 90, 190),
    "navy": (26, 34, 66),
    "purple": (110, 60, 140),
    "pink": (240, 140, 170),
}


def item(color: tuple[int, int, int], *, on: tuple[int, int, int] = (255, 255, 255)) -> Image.Image:
    """A round thing in the middle of an even background."""
    image = Image.new("RGB", (300, 400), on)
    ImageDraw.Draw(image).ellipse((70, 90, 230, 310), fill=color)
    return image


@pytest.mark.parametrize("name", [name for name in PAINTS if name != "white"])
def test_a_product_on_white_has_its_own_color_and_not_the_background(name: str) -> None:
    (color,) = dominant_colors(item(PAINTS[name]))
    assert color.name == name
    assert color.share == pytest.approx(1)


def test_a_white_product_is_white_whether_or_not_its_edge_can_be_seen() -> None:
    assert dominant_colors(item((255, 255, 255)))[0].name == "white"
    assert dominant_colors(item((244, 244, 242), on=(255, 255, 255)))[0].name == "white"
    assert dominant_colors(item((250, 250, 250), on=(40, 90, 60)))[0].name == "white"


def test_any_even_background_is_left_out() -> None:
    for background in ((240, 238, 235), (30, 30, 30), (190, 170, 140)):
        assert [color.name for color in dominant_colors(item(PAINTS["blue"], on=background))] == ["blue"]


def test_background_seen_through_a_handle_is_not_reached_from_the_edge() -> None:
    """Closed in by the product, it could be its lining; it takes some share but not the first place."""
    image = item(PAINTS["red"])
    ImageDraw.Draw(image).ellipse((120, 170, 180, 230), fill=(255, 255, 255))
    names = [color.name for color in dominant_colors(image)]
    assert names[0] == "red"
    assert "white" in names


def test_a_product_that_fills_the_crop_needs_no_background() -> None:
    image = Image.new("RGB", (200, 200), PAINTS["green"])
    assert [color.name for color in dominant_colors(image)] == ["green"]


def test_a_busy_street_behind_the_product_does_not_win() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (400, 300, 3), dtype=np.uint8)
    image = Image.fromarray(noise).resize((30, 40)).resize((300, 400), Image.Resampling.NEAREST)
    ImageDraw.Draw(image).ellipse((20, 30, 280, 370), fill=PAINTS["red"])
    assert dominant_colors(image)[0].name == "red"


def test_two_colors_come_with_their_shares() -> None:
    image = Image.new("RGB", (400, 400), "white")
    draw = ImageDraw.Draw(image)
    draw.rectangle((100, 100, 300, 239), fill=PAINTS["navy"])
    draw.rectangle((100, 240, 300, 300), fill=PAINTS["yellow"])
    first, second = dominant_colors(image)
    assert (first.name, second.name) == ("navy", "yellow")
    assert first.share + second.share == pytest.approx(1)
    assert 0.6 < first.share < 0.85


def test_shading_does_not_split_a_color() -> None:
    ramp = np.linspace(0.6, 1.1, 300)[None, :, None] * np.array(PAINTS["red"])
    shaded = Image.fromarray(np.broadcast_to(ramp, (300, 300, 3)).clip(0, 255).astype(np.uint8))
    assert dominant_colors(shaded)[0].name == "red"
    assert dominant_colors(shaded)[0].share > 0.6


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (16, 16), (3000, 20)])
@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P", "CMYK", "1"])
def test_every_picture_has_a_color(size: tuple[int, int], mode: str) -> None:
    colors = dominant_colors(Image.new(mode, size))
    assert len(colors) >= 1
    assert sum(color.share for color in colors) == pytest.approx(1)


def test_at_most_as_many_colors_as_asked_for_and_each_name_once() -> None:
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 256, (9, 9, 3), dtype=np.uint8)).resize((300, 300))
    for count in (1, 2, 3, 5):
        colors = dominant_colors(noise, count=count)
        assert 1 <= len(colors) <= count
        assert len({color.name for color in colors}) == len(colors)
        assert [color.share for color in colors] == sorted((color.share for color in colors), reverse=True)


def test_the_same_picture_has_the_same_colors_every_time() -> None:
    image = Image.effect_mandelbrot((200, 200), (-2, -1.5, 1, 1.5), 60)
    assert dominant_colors(image) == dominant_colors(image.copy())


def test_a_slight_blur_or_a_smaller_size_hardly_changes_the_colors() -> None:
    image = item(PAINTS["purple"])
    colors = dominant_colors(image)
    for changed in (image.filter(ImageFilter.GaussianBlur(2)), image.resize((90, 120))):
        assert color_similarity(colors, dominant_colors(changed)) > 0.9


def share(name: str, part: float = 1.0) -> ColorShare:
    lightness, a, b = (float(value) for value in to_lab(np.array(PAINTS[name], dtype=np.uint8)))
    return ColorShare(name, (lightness, a, b), part)


def test_similarity_is_one_for_the_same_nothing_for_opposites_and_symmetric() -> None:
    assert color_similarity([share("red")], [share("red")]) == 1
    assert color_similarity([share("black")], [share("white")]) == 0
    sets = [[share("red", 0.7), share("black", 0.3)], [share("pink", 0.5), share("gray", 0.5)], [share("navy")]]
    for first, second in itertools.permutations(sets, 2):
        assert color_similarity(first, second) == pytest.approx(color_similarity(second, first))


def test_similarity_orders_colors_as_people_do() -> None:
    burgundy = [share("burgundy")]
    others = ["burgundy", "red", "navy", "turquoise"]
    scores = [color_similarity(burgundy, [share(name)]) for name in others]
    assert scores == sorted(scores, reverse=True)
    assert scores[1] > scores[3]


def test_similarity_looks_at_shares_and_not_only_at_which_colors_there_are() -> None:
    mostly_red = [share("red", 0.9), share("white", 0.1)]
    hardly_red = [share("white", 0.9), share("red", 0.1)]
    assert color_similarity(mostly_red, hardly_red) == pytest.approx(0.2, abs=0.02)


def test_nothing_is_like_no_color() -> None:
    assert color_similarity([], [share("red")]) == 0
    assert color_similarity([share("red")], []) == 0


def test_a_product_is_filed_under_its_larger_colors() -> None:
    assert color_names([share("red", 0.9), share("white", 0.1)]) == ("red",)
    assert color_names([share("red", 0.6), share("white", 0.4)]) == ("red", "white")
    three = [share("red", 0.4), share("white", 0.35), share("blue", 0.25)]
    assert color_names(three) == ("red", "white", "blue", "multicolor")
    assert color_names([]) == ()


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("Navy Blue", "navy"),
        ("NAVY-BLUE", "navy"),
        (" navy  blue ", "navy"),
        ("Blue", "blue"),
        ("light blue", "blue"),
        ("dark blue", "navy"),
        ("Dark Green", "green"),
        ("Grey", "gray"),
        ("Grey Melange", "gray"),
        ("Off White", "white"),
        ("Maroon", "burgundy"),
        ("Coffee Brown", "brown"),
        ("Mushroom Brown", "brown"),
        ("Turquoise Blue", "turquoise"),
        ("Fluorescent Green", "green"),
        ("reddish brown", "brown"),
        ("Steel", "silver"),
        ("Multi", "multicolor"),
        ("rose gold", "pink"),
        ("black color", "black"),
        ("Weiß", "white"),
        ("", None),
        ("NA", None),
        ("dark", None),
        ("red shoes", None),
        ("Blue/White", "white"),
        ("shoes", None),
        ("42", None),
        ("\U0001f534", None),
        ("x" * 500, None),
    ],
)
def test_the_words_of_shops_become_the_names_of_the_palette(word: str, name: str | None) -> None:
    assert normalize_color_word(word) == name


def test_every_name_is_its_own_word_and_names_are_lower_case() -> None:
    for name in NAMES:
        assert normalize_color_word(name) == name
        assert name == name.lower()


def test_no_colors_have_no_names() -> None:
    assert nearest_names(np.empty((0, 3))) == []


# Lab pairs and their difference, from the test data of Sharma, Wu and Dalal, 2005.
SHARMA = [
    ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
    ((50, -1.3802, -84.2814), (50, 0, -82.7485), 1.0000),
    ((50, 0, 0), (50, -1, 2), 2.3669),
    ((50, 2.49, -0.001), (50, -2.49, 0.0009), 7.1792),
    ((50, 2.49, -0.001), (50, -2.49, 0.0011), 7.2195),
    ((50, 2.5, 0), (50, 0, -2.5), 4.3065),
    ((50, 2.5, 0), (73, 25, -18), 27.1492),
    ((50, 2.5, 0), (61, -5, 29), 22.8977),
    ((50, 2.5, 0), (56, -27, -3), 31.9030),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ((35.0831, -44.1164, 3.7933), (35.0232, -40.0716, 1.5901), 1.8645),
    ((22.7233, 20.0904, -46.6940), (23.0331, 14.9730, -42.5619), 2.0373),
    ((90.8027, -2.0831, 1.4410), (91.1528, -1.6435, 0.0447), 1.4441),
    ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
]


@pytest.mark.parametrize(("first", "second", "expected"), SHARMA)
def test_differences_are_those_of_the_standard(
    first: tuple[float, ...], second: tuple[float, ...], expected: float
) -> None:
    for one, other in ((first, second), (second, first)):
        assert difference(np.array([one]), np.array([other]))[0, 0] == pytest.approx(expected, abs=1e-4)


def test_differences_come_as_a_table_and_may_be_empty() -> None:
    some = np.array([[50.0, 0, 0], [60, 10, 10]])
    assert difference(some, some[:1]).shape == (2, 1)
    assert difference(np.empty((0, 3)), some).shape == (0, 2)
    assert np.diag(difference(some, some)) == pytest.approx([0, 0])


@pytest.mark.parametrize(
    ("rgb", "lab"),
    [
        ((0, 0, 0), (0, 0, 0)),
        ((255, 255, 255), (100, 0, 0)),
        ((255, 0, 0), (53.24, 80.09, 67.20)),
        ((0, 0, 255), (32.30, 79.19, -107.86)),
        ((119, 119, 119), (50.03, 0, 0)),
    ],
)
def test_lab_is_that_of_the_standard(rgb: tuple[int, ...], lab: tuple[float, ...]) -> None:
    assert to_lab(np.array(rgb, dtype=np.uint8)) == pytest.approx(lab, abs=0.02)


def test_lab_goes_back_to_the_color_it_came_from() -> None:
    rgb = np.random.default_rng(2).integers(0, 256, (500, 3)).astype(np.uint8)
    assert np.array_equal(to_rgb(to_lab(rgb)), rgb)


def test_a_color_that_no_screen_shows_becomes_one_that_it_does() -> None:
    assert to_rgb(np.array([[150.0, 0.0, 0.0], [-5.0, 0.0, 0.0]])).tolist() == [[255, 255, 255], [0, 0, 0]]
