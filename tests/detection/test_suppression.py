import numpy as np
import pytest
from numpy.typing import NDArray

from detection.crops import iou as iou_of
from detection.suppression import Known, suppress
from detection.types import Box


def raw(*rows: tuple[float, ...], classes: int = 2) -> NDArray[np.float32]:
    """Rows of x1, y1, x2, y2, then a score per class, as a head gives them."""
    table = np.array(rows, np.float32).reshape(-1, 4 + classes)
    x1, y1, x2, y2 = table[:, :4].T
    boxes = np.stack([(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1])
    return np.concatenate([boxes, table[:, 4:].T]).astype(np.float32)


def kept(
    *rows: tuple[float, ...], max_detections: int = 50, iou: float = 0.5, known: Known | None = None
) -> list[tuple[list[float], int, float]]:
    result = suppress(raw(*rows), confidence=0.25, iou=iou, max_detections=max_detections, known=known)
    return [
        (box.tolist(), int(index), round(float(confidence), 2))
        for box, index, confidence in zip(result.boxes, result.classes, result.confidences, strict=True)
    ]


A = (0.0, 0.0, 10.0, 10.0)
NEAR_A = (0.0, 1.0, 10.0, 11.0)  # IoU .82 with A
HALF_A = (0.0, 5.0, 10.0, 15.0)  # IoU .33
FAR = (50.0, 50.0, 60.0, 60.0)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], []),
        ([(*A, 0.2, 0.1)], []),
        ([(*A, 0.9, 0.1)], [(list(A), 0, 0.9)]),
        ([(*A, 0.3, 0.8)], [(list(A), 1, 0.8)]),
        ([(*A, 0.6, 0.0), (*NEAR_A, 0.9, 0.0)], [(list(NEAR_A), 0, 0.9)]),
        ([(*A, 0.6, 0.0), (*NEAR_A, 0.0, 0.9)], [(list(NEAR_A), 1, 0.9), (list(A), 0, 0.6)]),
        ([(*A, 0.6, 0.0), (*HALF_A, 0.9, 0.0)], [(list(HALF_A), 0, 0.9), (list(A), 0, 0.6)]),
        ([(*A, 0.6, 0.0), (*FAR, 0.9, 0.0)], [(list(FAR), 0, 0.9), (list(A), 0, 0.6)]),
    ],
)
def test_the_surest_of_overlapping_boxes_of_a_class_is_kept(
    rows: list[tuple[float, ...]], expected: list[tuple[list[float], int, float]]
) -> None:
    assert kept(*rows) == expected


def test_a_chain_of_overlaps_keeps_its_ends() -> None:
    chain = [(0.0, float(y), 10.0, y + 10.0, 0.9 - y / 100, 0.0) for y in (0, 3, 6)]
    assert [box[1] for box, _, _ in kept(*chain)] == [0, 6]


def test_no_more_boxes_are_kept_than_asked_for() -> None:
    rows = [(i * 20.0, 0.0, i * 20.0 + 10, 10.0, 0.5 + i / 100, 0.0) for i in range(10)]
    assert [c for _, _, c in kept(*rows, max_detections=3)] == [0.59, 0.58, 0.57]


def test_the_answer_is_that_of_the_textbook_for_random_boxes() -> None:
    random = np.random.default_rng(3)
    corners = random.uniform(0, 60, (300, 2))
    boxes = np.concatenate([corners, corners + random.uniform(5, 40, (300, 2))], axis=1)
    scores = random.uniform(0, 1, (300, 2))
    rows = [(*box, *score) for box, score in zip(boxes, scores, strict=True)]
    result = suppress(raw(*rows), confidence=0.25, iou=0.45, max_detections=300)
    waiting = sorted((max(r[4:]), int(np.argmax(r[4:])), (r[0], r[1], r[2], r[3])) for r in rows if max(r[4:]) > 0.25)
    expected: list[tuple[float, int, Box]] = []
    for score, index, box in reversed(waiting):
        if all(index != other or iou_of(box, kept_box) <= 0.45 for _, other, kept_box in expected):
            expected.append((score, index, box))
    assert result.classes.tolist() == [index for _, index, _ in expected]
    assert result.boxes == pytest.approx(np.array([box for _, _, box in expected]), abs=1e-3)


SECOND = Known(index=1, confidence=0.05)


def test_what_may_be_either_is_the_one_that_the_picture_is_known_to_show() -> None:
    assert kept((*A, 0.6, 0.3)) == [(list(A), 0, 0.6)]
    assert kept((*A, 0.6, 0.3), known=SECOND) == [(list(A), 1, 0.3)]


def test_where_nothing_is_sure_the_likeliest_box_is_the_known_thing() -> None:
    assert kept((*A, 0.0, 0.1), (*FAR, 0.0, 0.08)) == []
    assert kept((*A, 0.0, 0.1), (*FAR, 0.0, 0.08), known=SECOND) == [(list(A), 1, 0.1)]
    assert kept((*A, 0.0, 0.04), known=SECOND) == []
    assert kept(known=SECOND) == []


def test_beside_a_sure_box_of_the_known_thing_unlikely_ones_stay_out() -> None:
    assert kept((*A, 0.0, 0.9), (*FAR, 0.0, 0.1), known=SECOND) == [(list(A), 1, 0.9)]
