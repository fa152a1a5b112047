"""Text over pictures, on drawn ones: a plain product on white, and what shops lay over it."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from catalog.doctor.components import components
from catalog.doctor.lettering import NAMES, NONE, lettering, rows_of, weights

SIZE = (360, 480)
BOX = (90.0, 100.0, 270.0, 380.0)


def packshot(seed: int = 1) -> Image.Image:
    """Returns a shaded shape on white, as a product is photographed."""
    chance = np.random.default_rng(seed)
    image = Image.new("RGB", SIZE, "white")
    color = tuple(int(level) for level in chance.integers(60, 200, 3))
    ImageDraw.Draw(image).rounded_rectangle(BOX, 40, fill=color)
    shade = Image.fromarray((chance.random((8, 6)) * 40).astype(np.uint8)).resize(SIZE, Image.Resampling.BICUBIC)
    darker = Image.eval(image, lambda level: max(0, level - 40))
    return Image.composite(darker, image, shade.point(lambda level: level * 3)).filter(ImageFilter.GaussianBlur(1))


def font(size: int) -> ImageFont.FreeTypeFont:
    chosen = ImageFont.load_default(size)
    assert isinstance(chosen, ImageFont.FreeTypeFont)
    return chosen


def with_sticker(image: Image.Image) -> Image.Image:
    draw = ImageDraw.Draw(image)
    draw.rectangle([4, 4, 134, 54], fill="#d00")
    draw.text((69, 29), "SALE -30%", font=font(24), fill="white", anchor="mm")
    return image


def with_banner(image: Image.Image) -> Image.Image:
    draw = ImageDraw.Draw(image)
    draw.rectangle([0, 430, 360, 480], fill="#0a58ca")
    draw.text((180, 455), "FREE SHIPPING", font=font(30), fill="white", anchor="mm")
    return image


def with_caption(image: Image.Image) -> Image.Image:
    ImageDraw.Draw(image).text((180, 462), "www.linden-shoes.com", font=font(20), fill="#333", anchor="mm")
    return image


def with_tiled_watermark(image: Image.Image) -> Image.Image:
    layer = Image.new("L", (900, 900), 0)
    draw = ImageDraw.Draw(layer)
    for y in range(0, 900, 90):
        for x in range(0, 900, 170):
            draw.text((x, y), "Preview", font=font(32), fill=110)
    mask = layer.rotate(30).crop((270, 210, 630, 690))
    return Image.composite(Image.new("RGB", SIZE, "#444"), image, mask)


OVERLAYS = [with_sticker, with_banner, with_caption, with_tiled_watermark]


@pytest.mark.parametrize("seed", range(4))
def test_a_plain_product_has_no_lettering(seed):
    assert lettering(packshot(seed), BOX).score <= 0


@pytest.mark.parametrize("lay", OVERLAYS, ids=lambda lay: lay.__name__)
def test_text_over_a_picture_is_told(lay):
    assert lettering(lay(packshot()), BOX).score > 0


@pytest.mark.parametrize("size", [(180, 240), (1080, 1440)])
def test_it_is_told_at_any_size_of_the_picture(size):
    large = with_banner(packshot()).resize(size, Image.Resampling.LANCZOS)
    factor = size[0] / SIZE[0]

    found = lettering(large, (BOX[0] * factor, BOX[1] * factor, BOX[2] * factor, BOX[3] * factor))

    assert found.score > 0
    assert found.box[1] > size[1] * 0.85  # in pixels of this picture


def test_where_the_text_is_is_told():
    x1, y1, x2, y2 = lettering(with_sticker(packshot()), BOX).box

    assert 4 <= x1 < x2 <= 134
    assert 4 <= y1 <= y2 <= 54


@pytest.mark.parametrize(
    "image", [Image.new("RGB", (300, 300), "white"), Image.new("RGB", (16, 500))], ids=["even", "thin"]
)
def test_a_picture_of_nothing_has_no_rows(image):
    assert lettering(image, (0.0, 0.0, 16.0, 16.0)) == NONE


def test_noise_is_no_lettering_and_costs_no_more_than_a_limit_of_rows():
    noise = Image.fromarray(np.random.default_rng(3).integers(0, 256, (400, 400, 3), dtype=np.uint8))
    rows, boxes = rows_of(noise, (0.0, 0.0, 400.0, 400.0))

    assert rows.shape == (len(boxes), len(NAMES))
    assert len(boxes) <= 48
    assert np.isfinite(rows).all()
    assert lettering(noise, (0.0, 0.0, 400.0, 400.0)).score <= 0


def test_the_weights_fit_the_numbers():
    assert weights().hidden.shape == (len(NAMES), len(weights().out))


def test_components_are_what_hangs_together_corners_too():
    mask = np.array(
        [
            [1, 0, 0, 0, 1, 1],
            [0, 1, 0, 0, 0, 1],
            [0, 0, 0, 1, 0, 1],
            [1, 1, 0, 0, 1, 0],
        ],
        bool,
    )

    found = components(mask)

    assert found.area.tolist() == [2, 6, 2]
    assert list(zip(found.left, found.top, found.right, found.bottom, strict=True)) == [
        (0, 0, 2, 2),
        (3, 0, 6, 4),
        (0, 3, 2, 4),
    ]
    assert found.mean(np.arange(24).reshape(4, 6)).tolist() == pytest.approx([3.5, 74 / 6, 18.5])


def test_components_of_noise_are_those_of_a_flood_fill():
    mask = np.random.default_rng(5).random((40, 50)) < 0.45
    todo, count = {(int(y), int(x)) for y, x in np.argwhere(mask)}, 0
    while todo:
        count += 1
        edge = [todo.pop()]
        while edge:
            y, x = edge.pop()
            near = {(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)} & todo
            todo -= near
            edge += near

    found = components(mask)

    assert len(found) == count
    assert found.area.sum() == mask.sum()


def test_an_empty_mask_has_no_components():
    empty = components(np.zeros((4, 5), bool))

    assert len(empty) == 0
    assert empty.mean(np.zeros((4, 5))).tolist() == []
