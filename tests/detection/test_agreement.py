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


@pytest.fixture(scope="module")
def reference() -> Detector:
    pytest.importorskip(
        "detection.backends.yolo", reason="ultralytics is not installed: it comes with the 'train' extra"
    )
    from detection.backends.ultralytics import UltralyticsDetector

    return UltralyticsDetector(card=CARD)


@pytest.fixture(scope="module")
def in_float(reference: Detector, tmp_path_factory: pytest.TempPathFactory) -> Detector:
    from detection.training.export import Origin, export

    side = int(reference.card.preprocessing["side"])
    card = export(CARD.parent / "source.pt", tmp_path_factory.mktemp("float"), side=side, origin=Origin())
    return OpenVINODetector(card=card.folder / "card.json")


def drawn() -> Iterator[Image.Image]:
    for seed in range(7_100_000, 7_100_012):
        yield draw_scene(seed).image


def photographed() -> Iterator[Image.Image]:
    if not PHOTOS.is_dir():
        pytest.skip("there are no street photos beside the repository")
    for path in sorted(PHOTOS.iterdir())[::12]:
        yield Image.open(path).convert("RGB")


@pytest.mark.parametrize("pictures", [drawn, photographed])
def test_a_detector_exported_in_float_agrees_with_its_checkpoint(
    in_float: Detector, reference: Detector, pictures: Callable[[], Iterator[Image.Image]]
) -> None:
    alike = [alike for image in pictures() for alike in compare(in_float, reference, image, iou=0.95, confidence=0.02)]
    assert len(alike) > 60
    assert all(alike)


@pytest.mark.parametrize("pictures", [drawn, photographed])
def test_the_bundled_detector_in_eight_bits_nearly_agrees_with_its_checkpoint(
    reference: Detector, pictures: Callable[[], Iterator[Image.Image]]
) -> None:
    bundled = OpenVINODetector(card=CARD)
    alike = [alike for image in pictures() for alike in compare(bundled, reference, image, iou=0.9, confidence=0.1)]
    assert len(alike) > 60
    assert sum(alike) >= 0.9 * len(alike)


def compare(one: Detector, other: Detector, image: Image.Image, *, iou: float, confidence: float) -> Iterator[bool]:
    """Yields, for each detection of either that is clearly above the threshold, whether the other has its like."""
    (these,), (those,) = one.detect([image]), other.detect([image])
    least = float(one.card.preprocessing["confidence"]) + confidence
    for found, others in ((these, those), (those, these)):
        for detection in found:
            if detection.confidence >= least:
                yield any(is_like(detection, like, iou, confidence) for like in others)


def is_like(this: Detection, other: Detection, least_iou: float, confidence: float) -> bool:
    return (
        this.category == other.category
        and iou(this.xyxy, other.xyxy) >= least_iou
        and abs(this.confidence - other.confidence) <= confidence
    )
