from itertools import pairwise

import pytest

from detection.types import Detection
from detection.windows import MOST, joined, windows


@pytest.mark.parametrize("size", [(400, 300), (300, 740), (1000, 1000)])
def test_a_picture_of_usual_shape_is_looked_at_whole(size):
    assert windows(size) == [(0, 0, *size)]


@pytest.mark.parametrize("size", [(600, 9000), (9000, 700), (640, 1700), (100, 3200), (3200, 100)])
def test_the_windows_of_a_long_picture_cover_it_and_overlap(size):
    found = windows(size)
    along = 1 if size[1] > size[0] else 0
    spans = sorted((box[along], box[along + 2]) for box in found)

    assert 1 < len(found) <= MOST
    assert spans[0][0] == 0
    assert spans[-1][1] == pytest.approx(max(size))
    assert all(following[0] < span[1] for span, following in pairwise(spans))
    assert all(box[1 - along] == 0 and box[3 - along] == min(size) for box in found)


def test_a_thing_that_two_windows_see_is_one_thing_where_it_is_seen_best():
    whole = Detection((10, 100, 60, 180), "shoes", 0.9)
    cut = Detection((10, 0, 60, 50), "shoes", 0.6)  # its lower part, in the next window
    bag = Detection((10, 0, 60, 50), "bags", 0.5)

    assert joined([((0, 0, 100, 150), [whole]), ((0, 130, 100, 280), [cut, bag])]) == [
        whole,
        Detection((10, 130, 60, 180), "bags", 0.5),
    ]


def test_without_detections_nothing_is_joined():
    assert joined([((0, 0, 10, 10), [])]) == []
