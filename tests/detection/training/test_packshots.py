import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from detection.types import Box, Detection

pytest.importorskip("cv2", reason="OpenCV comes with the 'train' extra")

from detection.training.packshots import cut_out, find_on_anything, find_on_white, is_alone, trust

NAVY = (30, 40, 90)
SKIN = (205, 150, 120)


def studio(box: Box, color: tuple[int, int, int] = NAVY) -> Image.Image:
    image = Image.new("RGB", (200, 240), (250, 250, 252))
    ImageDraw.Draw(image).rectangle((box[0], box[1], box[2] - 1, box[3] - 1), fill=color)
    return image


def test_a_product_on_white_is_boxed() -> None:
    found = find_on_white(studio((50, 60, 150, 200)))
    assert found is not None
    assert found.fill == 1.0
    assert found.box == (50, 60, 150, 200)


def test_a_product_that_stands_whole_on_white_is_alone() -> None:
    found = find_on_white(studio((50, 60, 150, 200)))
    assert found is not None
    assert is_alone(found, "tops")


def test_both_parts_of_a_pair_are_in_one_box() -> None:
    image = studio((20, 60, 80, 200))
    ImageDraw.Draw(image).rectangle((120, 60, 179, 199), fill=NAVY)
    found = find_on_white(image)
    assert found is not None
    assert found.box == (20, 60, 180, 200)


def test_specks_do_not_widen_the_box() -> None:
    image = studio((50, 60, 150, 200))
    ImageDraw.Draw(image).rectangle((5, 5, 8, 8), fill="black")
    found = find_on_white(image)
    assert found is not None
    assert found.box == (50, 60, 150, 200)


def test_a_cut_out_keeps_its_white_print_and_lets_the_air_in_its_handle_through() -> None:
    image = studio((50, 60, 150, 200))
    draw = ImageDraw.Draw(image)
    draw.rectangle((95, 150, 104, 159), fill="white")  # a print
    draw.rectangle((70, 70, 129, 109), fill=(250, 250, 252))  # a handle's inside
    cut = cut_out(image)
    assert cut is not None
    assert cut.size == (100, 140)
    alpha = cut.getchannel("A")
    assert [alpha.getpixel(at) for at in ((2, 2), (50, 95), (50, 30))] == [255, 255, 0]


def test_what_the_picture_cuts_cannot_be_cut_out() -> None:
    assert cut_out(studio((50, 60, 150, 240))) is None


def test_nothing_on_white_is_nothing() -> None:
    assert find_on_white(Image.new("RGB", (100, 100), "white")) is None


def test_a_dark_background_is_no_studio() -> None:
    assert find_on_white(Image.new("RGB", (100, 100), (90, 90, 90))) is None


def test_what_the_picture_cuts_is_not_alone() -> None:
    found = find_on_white(studio((50, 60, 150, 240)))
    assert found is not None
    assert not is_alone(found, "bags")


def test_a_worn_garment_is_not_alone_but_a_tan_bag_is() -> None:
    found = find_on_white(studio((50, 60, 150, 200), SKIN))
    assert found is not None
    assert found.skin_share > 0.9
    assert not is_alone(found, "tops")
    assert is_alone(found, "bags")


def test_a_red_cap_is_not_skin() -> None:
    found = find_on_white(studio((50, 60, 150, 200), (200, 20, 30)))
    assert found is not None
    assert found.skin_share == 0


def test_a_garment_on_a_floor_is_boxed() -> None:
    floor = Image.effect_noise((240, 240), 30).convert("RGB")
    floor = Image.blend(floor, Image.new("RGB", floor.size, (190, 160, 110)), 0.7)
    ImageDraw.Draw(floor).rectangle((60, 50, 179, 199), fill=NAVY)
    found = find_on_anything(floor.filter(ImageFilter.GaussianBlur(1)))
    assert found is not None
    assert np.abs(np.array(found.box) - (60, 50, 180, 200)).max() <= 8


def test_a_picture_of_one_texture_has_no_product() -> None:
    assert find_on_anything(Image.new("RGB", (200, 200), NAVY)) is None


def seen(category: str, confidence: float) -> Detection:
    return Detection(xyxy=(0, 0, 9, 9), category=category, confidence=confidence)


@pytest.mark.parametrize(
    ("detections", "kept"),
    [
        ([], 0),
        ([seen("shoes", 0.9)], 0),
        ([seen("tops", 0.5)], 0),
        ([seen("tops", 0.7)], 1),
        ([seen("tops", 0.7), seen("pants", 0.5)], 2),
        ([seen("tops", 0.7), seen("pants", 0.3)], 0),
    ],
)
def test_a_teacher_is_trusted_where_it_is_sure_of_the_product_and_of_the_rest(
    detections: list[Detection], kept: int
) -> None:
    assert len(trust(detections, "tops")) == kept
