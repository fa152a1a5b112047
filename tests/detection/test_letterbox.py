import numpy as np
import pytest
from PIL import Image

from detection.letterbox import GRAY, letterbox


@pytest.mark.parametrize("size", [(416, 416), (832, 416), (100, 300), (37, 1000), (1, 1)])
def test_a_picture_fills_one_side_of_the_square_and_gray_the_rest(size: tuple[int, int]) -> None:
    square = letterbox(Image.new("RGB", size, "red"), 416)
    assert square.pixels.shape == (416, 416, 3)
    is_gray = (square.pixels == GRAY).all(axis=2)
    is_red = (square.pixels == (255, 0, 0)).all(axis=2)
    assert (is_gray | is_red).all()
    assert is_red.any(axis=0).all() or is_red.any(axis=1).all()


@pytest.mark.parametrize("size", [(416, 416), (1000, 750), (100, 300), (37, 999)])
def test_boxes_come_back_to_where_they_were(size: tuple[int, int]) -> None:
    width, height = size
    square = letterbox(Image.new("RGB", size), 416)
    corners = np.array([[square.left, square.top, 416 - square.left, 416 - square.top]], np.float32)
    back = square.unmap(corners)[0]
    assert back == pytest.approx((0, 0, width, height), abs=max(size) / 416 + 0.01)


def test_boxes_in_the_gray_are_clipped_to_the_picture() -> None:
    square = letterbox(Image.new("RGB", (200, 100)), 400)
    boxes = square.unmap(np.array([[0, 0, 400, 400], [-50, -50, 0, 0]], np.float32))
    assert boxes.tolist() == [[0, 0, 200, 100], [0, 0, 0, 0]]


def test_no_boxes_come_back_as_none() -> None:
    assert letterbox(Image.new("RGB", (9, 9)), 32).unmap(np.zeros((0, 4), np.float32)).shape == (0, 4)


def test_a_large_picture_is_averaged_not_sampled() -> None:
    stripes = np.zeros((1664, 1664, 3), np.uint8)
    stripes[:, ::4] = 255  # one column of four: plain sampling would show all or nothing
    pixels = letterbox(Image.fromarray(stripes), 416).pixels
    assert pixels[50:-50, 50:-50].std() < 8
