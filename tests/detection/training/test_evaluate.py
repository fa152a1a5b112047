from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from PIL import Image

from detection.training.dataset import Label, Sample, write, write_yaml
from detection.training.evaluate import Evaluation, answers, answers_when_told, average_precision, of_known, score
from detection.types import Box, Detection

A: Box = (0, 0, 10, 10)
NEAR_A: Box = (0, 1, 10, 11)  # IoU .82 with A
B: Box = (50, 50, 60, 60)


def scored(found: list[list[Detection]], truth: list[list[Label]]) -> Evaluation:
    return score(found, truth, categories=["bags", "shoes"], confidence=0.25)


def bag(box: Box, confidence: float = 0.9) -> Detection:
    return Detection(xyxy=box, category="bags", confidence=confidence)


def test_without_pictures_there_is_nothing_to_measure() -> None:
    result = scored([], [])
    assert (result.map50, result.images, result.categories["bags"].ap50) == (None, 0, None)


def test_a_perfect_answer_scores_one() -> None:
    result = scored([[bag(A), bag(B)]], [[Label("bags", A), Label("bags", B)]])
    bags = result.categories["bags"]
    assert (bags.n, bags.ap50, bags.ap50_95, bags.precision, bags.recall) == (2, 1.0, 1.0, 1.0, 1.0)
    assert result.categories["shoes"].ap50 is None
    assert result.map50 == 1.0


def test_an_empty_answer_scores_zero() -> None:
    result = scored([[]], [[Label("bags", A)]])
    bags = result.categories["bags"]
    assert (bags.ap50, bags.precision, bags.recall) == (0.0, None, 0.0)


def test_the_right_box_of_the_wrong_category_is_wrong() -> None:
    result = scored([[bag(A)]], [[Label("shoes", A)]])
    assert result.categories["shoes"].recall == 0.0
    assert result.categories["bags"].precision == 0.0


def test_a_second_detection_of_one_object_is_a_false_one() -> None:
    bags = scored([[bag(A), bag(NEAR_A, 0.5)]], [[Label("bags", A)]]).categories["bags"]
    assert (bags.precision, bags.recall, bags.ap50) == (0.5, 1.0, 1.0)


def test_a_loose_box_counts_at_low_ious_only() -> None:
    bags = scored([[bag(NEAR_A)]], [[Label("bags", A)]]).categories["bags"]
    assert bags.ap50 == 1.0
    assert bags.ap50_95 == pytest.approx(0.7)  # .5 .55 .6 .65 .7 .75 .8


def test_an_unsure_detection_counts_for_average_precision_but_is_not_served() -> None:
    bags = scored([[bag(A, 0.1)]], [[Label("bags", A)]]).categories["bags"]
    assert (bags.ap50, bags.recall, bags.precision) == (1.0, 0.0, None)


def test_boxes_match_within_their_own_picture_only() -> None:
    bags = scored([[], [bag(A)]], [[Label("bags", A)], []]).categories["bags"]
    assert bags.recall == 0.0


def test_false_alarms_are_counted_on_empty_pictures() -> None:
    result = scored([[bag(A)], [], [bag(A, 0.1)]], [[], [], []])
    assert (result.empty_images, result.empty_images_alarmed) == (3, 1)


@pytest.mark.parametrize(
    ("hits", "n", "expected"),
    [
        ([], 3, 0.0),
        ([1], 1, 1.0),
        ([1], 2, 51 / 101),  # recall .5 is reached: points 0 to .5
        ([0, 1], 1, 0.5),
        ([0, 0], 2, 0.0),
        ([1, 0, 1], 2, (51 + 50 * 2 / 3) / 101),
    ],
)
def test_average_precision_is_the_area_under_the_curve(hits: list[int], n: int, expected: float) -> None:
    assert average_precision(np.array(hits, bool), n) == pytest.approx(expected)


def test_our_average_precision_is_that_of_ultralytics_for_random_detections() -> None:
    pytest.importorskip("detection.backends.yolo", reason="ultralytics comes with the 'train' extra")
    from ultralytics.utils import metrics

    random = np.random.default_rng(5)
    for _ in range(20):
        hits = random.random(200) < np.linspace(0.9, 0.1, 200)
        n = int(hits.sum() * 1.3) + 1
        recall = np.cumsum(hits) / n
        theirs, *_ = metrics.compute_ap(recall, np.cumsum(hits) / np.arange(1, 201))
        assert average_precision(hits, n) == pytest.approx(theirs, abs=0.01)


class Torn:
    """Takes a bag for a shoe unless it is told that there is a bag, and always sees a hat that isn't there."""

    card = SimpleNamespace(preprocessing={"confidence": 0.25}, classes=("bags", "shoes", "hats"))

    def detect(self, images: Sequence[Any], categories: Sequence[str] | None = None) -> list[list[Detection]]:
        hat = Detection(xyxy=B, category="hats", confidence=0.9)
        seen = categories or ["shoes"] * len(images)
        return [[Detection(xyxy=A, category=category, confidence=0.5), hat] for category in seen]


def test_telling_the_category_is_compared_on_the_categories_that_are_there(tmp_path: Path) -> None:
    Image.new("RGB", (100, 100)).save(tmp_path / "one.png")
    for split in ("train", "val"):
        write([Sample(tmp_path / "one.png", (Label("bags", (0.0, 0.0, 0.1, 0.1)),))], tmp_path / "set", split)

    torn, data = cast(Any, Torn()), write_yaml(tmp_path / "set")
    everything, told = answers(torn, data), answers_when_told(torn, data)
    not_told = of_known(everything)

    assert everything.scored().categories["hats"].precision == 0.0

    assert (not_told.scored().map50, told.scored().map50) == (0.0, 1.0)
    for found in (not_told, told):
        assert found.scored().categories["hats"].precision is None  # the hat counts in neither
