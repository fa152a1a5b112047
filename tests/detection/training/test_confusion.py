import numpy as np
import pytest

from detection.training.confusion import confusion
from detection.training.dataset import Label
from detection.training.evaluate import Answers
from detection.types import Box, Detection

A: Box = (0, 0, 10, 10)
NEAR_A: Box = (0, 1, 10, 11)  # IoU .82 with A
B: Box = (50, 50, 60, 60)
BAGS, SHOES, NOTHING = 0, 1, 2


def counted(found: list[list[Detection]], truth: list[list[Label]]) -> dict[tuple[int, int], int]:
    """Returns the cells that aren't zero."""
    answers = Answers(tuple(map(tuple, found)), tuple(map(tuple, truth)), ("bags", "shoes"), 0.25)
    counts = confusion(answers)
    assert counts.shape == (3, 3)
    return {(int(row), int(column)): int(counts[row, column]) for row, column in np.argwhere(counts)}


def seen(category: str, box: Box, confidence: float = 0.9) -> Detection:
    return Detection(xyxy=box, category=category, confidence=confidence)


def test_without_pictures_nothing_is_counted() -> None:
    assert counted([], []) == {}


@pytest.mark.parametrize(
    ("found", "truth", "cell"),
    [
        (seen("bags", A), Label("bags", A), (BAGS, BAGS)),
        (seen("shoes", NEAR_A), Label("bags", A), (BAGS, SHOES)),
        (None, Label("bags", A), (BAGS, NOTHING)),
        (seen("shoes", A), None, (NOTHING, SHOES)),
    ],
)
def test_each_thing_is_counted_where_it_belongs(
    found: Detection | None, truth: Label | None, cell: tuple[int, int]
) -> None:
    assert counted([[found] if found else []], [[truth] if truth else []]) == {cell: 1}


def test_a_detection_elsewhere_is_a_miss_and_a_false_alarm() -> None:
    assert counted([[seen("bags", B)]], [[Label("bags", A)]]) == {(BAGS, NOTHING): 1, (NOTHING, BAGS): 1}


def test_what_is_not_served_is_not_counted() -> None:
    assert counted([[seen("bags", A, 0.2)]], [[Label("bags", A)]]) == {(BAGS, NOTHING): 1}


def test_an_object_goes_to_its_own_category_though_another_is_surer() -> None:
    found = [seen("shoes", A, 0.9), seen("bags", NEAR_A, 0.5)]
    assert counted([found], [[Label("bags", A)]]) == {(BAGS, BAGS): 1, (NOTHING, SHOES): 1}


def test_one_object_is_found_once() -> None:
    found = [seen("bags", A, 0.9), seen("bags", NEAR_A, 0.5)]
    assert counted([found], [[Label("bags", A)]]) == {(BAGS, BAGS): 1, (NOTHING, BAGS): 1}
