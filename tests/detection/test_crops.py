import pytest
from PIL import Image

from detection.crops import (
    area,
    centrality,
    choose_for_sale,
    choose_for_shopper,
    clip,
    crop,
    distinct,
    iou,
    pad_box,
)
from detection.types import Box, Detection

PHOTO = (100, 200)


@pytest.mark.parametrize(
    ("box", "expected"),
    [((0, 0, 0, 0), 0), ((0, 0, 10, 20), 200), ((10, 10, 5, 20), 0), ((-5, -5, 5, 5), 100)],
)
def test_an_empty_or_inverted_box_has_no_area(box: Box, expected: float) -> None:
    assert area(box) == expected


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ((0, 0, 0, 0), (0, 0, 0, 0), 0.0),
        ((0, 0, 10, 10), (20, 20, 30, 30), 0.0),
        ((0, 0, 10, 10), (10, 0, 20, 10), 0.0),
        ((0, 0, 10, 10), (0, 0, 10, 10), 1.0),
        ((0, 0, 10, 10), (5, 0, 15, 10), 1 / 3),
        ((0, 0, 10, 10), (0, 0, 5, 10), 0.5),
    ],
)
def test_iou_is_the_shared_part_of_two_boxes(a: Box, b: Box, expected: float) -> None:
    assert iou(a, b) == pytest.approx(expected)
    assert iou(b, a) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ((10, 10, 20, 20), (10, 10, 20, 20)),
        ((-10, -10, 500, 500), (0, 0, 100, 200)),
        ((-20, -20, -10, -10), (0, 0, 0, 0)),
        ((200, 300, 210, 310), (100, 200, 100, 200)),
    ],
)
def test_a_clipped_box_stays_inside_the_picture(box: Box, expected: Box) -> None:
    assert clip(box, PHOTO) == expected


def test_padding_grows_each_side_by_a_share_of_that_side() -> None:
    assert pad_box((10, 10, 30, 50), 0.1) == pytest.approx((8, 6, 32, 54))


@pytest.mark.parametrize(
    ("box", "margin", "size"),
    [
        ((10, 20, 30, 60), 0.0, (20, 40)),
        ((10, 20, 30, 60), 0.5, (40, 80)),
        ((0, 0, 100, 200), 0.5, (100, 200)),
        ((50, 50, 50, 50), 0.0, (1, 1)),
        ((100, 200, 100, 200), 0.0, (1, 1)),
        ((300, 300, 400, 400), 0.0, (1, 1)),
        ((40, 40, 20, 20), 0.0, (1, 1)),
    ],
)
def test_a_crop_is_never_empty_and_never_leaves_the_picture(box: Box, margin: float, size: tuple[int, int]) -> None:
    assert crop(Image.new("RGB", PHOTO), box, margin).size == size


def test_a_crop_shows_the_pixels_of_its_box() -> None:
    image = Image.new("RGB", PHOTO, "white")
    image.paste("red", (10, 20, 30, 60))
    assert crop(image, (10, 20, 30, 60)).getcolors() == [(800, (255, 0, 0))]


@pytest.mark.parametrize(
    ("box", "expected"),
    [((40, 90, 60, 110), 1.0), ((0, 0, 0, 0), 0.0), ((100, 200, 100, 200), 0.0), ((90, 90, 110, 110), 0.5)],
)
def test_centrality_falls_from_the_middle_to_the_corners(box: Box, expected: float) -> None:
    assert centrality(box, PHOTO) == pytest.approx(expected)


def found(category: str, confidence: float, *box: float) -> Detection:
    return Detection(xyxy=(box[0], box[1], box[2], box[3]), category=category, confidence=confidence)


MIDDLE = (30, 60, 70, 140)
CORNER = (0, 0, 40, 80)  # as large as MIDDLE


@pytest.mark.parametrize(
    ("detections", "expected"),
    [
        ([], None),
        ([found("bags", 0.3, *CORNER)], 0),
        ([found("bags", 0.8, *CORNER), found("bags", 0.8, *MIDDLE)], 1),
        ([found("shoes", 0.9, 48, 98, 52, 102), found("dresses", 0.8, *MIDDLE)], 1),
        ([found("dresses", 0.3, *MIDDLE), found("dresses", 0.9, *MIDDLE)], 1),
        ([found("bags", 0.8, *MIDDLE), found("shoes", 0.8, *MIDDLE)], 0),
    ],
)
def test_the_shopper_means_what_is_sure_large_and_central(detections: list[Detection], expected: int | None) -> None:
    assert choose_for_shopper(detections, PHOTO) == expected


@pytest.mark.parametrize(
    ("detections", "category", "expected"),
    [
        ([], "shoes", None),
        ([found("shoes", 0.9, *MIDDLE)], "watches", None),
        ([found("pants", 0.9, *MIDDLE)], "shoes", None),
        ([found("pants", 0.9, *MIDDLE), found("shoes", 0.4, *CORNER)], "shoes", 1),
        ([found("shoes", 0.4, *MIDDLE), found("shoes", 0.6, *CORNER)], "shoes", 1),
        ([found("shoes", 0.9, 0, 0, 5, 5)], "shoes", None),
    ],
)
def test_for_sale_is_the_surest_detection_of_the_products_own_category(
    detections: list[Detection], category: str, expected: int | None
) -> None:
    assert choose_for_sale(detections, category, PHOTO) == expected


TWIN = (31, 61, 71, 141)  # IoU .9 with MIDDLE


@pytest.mark.parametrize(
    ("detections", "kept"),
    [
        ([], []),
        ([found("tops", 0.5, *MIDDLE)], ["tops"]),
        ([found("tops", 0.5, *MIDDLE), found("jackets", 0.7, *TWIN)], ["jackets"]),
        ([found("jackets", 0.7, *TWIN), found("tops", 0.5, *MIDDLE), found("bags", 0.3, *CORNER)], ["jackets", "bags"]),
        ([found("dresses", 0.7, 30, 60, 70, 140), found("tops", 0.6, 30, 60, 70, 100)], ["dresses", "tops"]),
    ],
)
def test_one_thing_seen_as_two_categories_is_shown_once(detections: list[Detection], kept: list[str]) -> None:
    assert [d.category for d in distinct(detections)] == kept
