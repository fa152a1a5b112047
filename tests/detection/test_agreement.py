"""The exported detector must answer as the checkpoint that it came from."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from PIL import Image

from detection.backends.openvino import OpenVINODetector
from detection.crops import iou
from detection.types import Detection, Detector
from fixtures import draw_scene

CARD = Path(settings.BASE_DIR) / "detection" / "weights" / "card.json"
PHOTOS = Path(settings.BASE_DIR).parent / "shared" / "data" / "street" / "images" / "val"
CLEAR = 0.02  # detections this near to the threshold may be served by one side only


@pytest.fixture(scope="module")
def pair() -> tuple[Detector, Detector]:
    pytest.importorskip(
        "detection.backends.yolo", reason="ultralytics is not installed: it comes with the 'train' extra"
    )
    from detection.backends.ultralytics import UltralyticsDetector

    return OpenVINODetector(card=CARD), UltralyticsDetector(card=CARD)


def drawn() -> Iterator[Image.Image]:
    for seed in range(7_100_000, 7_100_012):
        yield draw_scene(seed).image


def photographed() -> Iterator[Image.Image]:
    if not PHOTOS.is_dir():
        pytest.skip("there are no street photos beside the repository")
    for path in sorted(PHOTOS.iterdir())[::12]:
        yield Image.open(path).convert("RGB")


@pytest.mark.parametrize("pictures", [drawn, photographed])
def test_the_exported_detector_agrees_with_its_checkpoint(
    pair: tuple[Detector, Detector], pictures: Callable[[], Iterator[Image.Image]]
) -> None:
    exported, reference = pair
    compared = 0
    for image in pictures():
        (served,), (expected,) = exported.detect([image]), reference.detect([image])
        compared += assert_each_is_in(served, expected, exported) + assert_each_is_in(expected, served, exported)
    assert compared > 60


def assert_each_is_in(these: list[Detection], others: list[Detection], detector: Detector) -> int:
    """Checks that each clear detection has its like among the others; returns how many were clear."""
    clear = [d for d in these if d.confidence >= float(detector.card.preprocessing["confidence"]) + CLEAR]
    for detection in clear:
        likes = [d for d in others if d.category == detection.category and iou(d.xyxy, detection.xyxy) >= 0.95]
        assert likes, detection
        assert min(abs(d.confidence - detection.confidence) for d in likes) <= 0.02
    return len(clear)
