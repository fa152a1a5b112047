"""What every detector backend must do. Each is built from the bundled card and shown scenes that the project draws."""

import threading
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest
from django.conf import settings
from PIL import Image

from detection.categories import DETECTED
from detection.crops import iou
from detection.types import Detection, Detector
from fixtures import Scene, draw_scene
from shop_search.errors import ServiceError
from shop_search.model_card import ModelCard

CARD = Path(settings.BASE_DIR) / "detection" / "weights" / "card.json"
SCENES = range(7_000_000, 7_000_010)  # far from the seeds of the training set

Build = Callable[..., Detector]


def openvino(**options: object) -> Detector:
    from detection.backends.openvino import OpenVINODetector

    return OpenVINODetector(**{"card": CARD, **options})  # type: ignore[arg-type]


def ultralytics(**options: object) -> Detector:
    if find_spec("ultralytics") is None:
        pytest.skip("ultralytics is not installed: it comes with the 'train' extra")
    from detection.backends.ultralytics import UltralyticsDetector

    return UltralyticsDetector(**{"card": CARD, **options})  # type: ignore[arg-type]


@pytest.fixture(scope="module", params=[openvino, ultralytics])
def build(request: pytest.FixtureRequest) -> Build:
    made: Build = request.param
    return made


@pytest.fixture(scope="module")
def detector(build: Build) -> Detector:
    return build()


@cache
def scene(seed: int) -> Scene:
    return draw_scene(seed)


@pytest.fixture(scope="module")
def found_in(detector: Detector) -> Callable[[int], list[Detection]]:
    """What the detector finds in a scene: looked for once, asked about by several."""

    @cache
    def found_in(seed: int) -> list[Detection]:
        return detector.detect([scene(seed).image])[0]

    return found_in


def assert_alike(found: list[Detection], expected: list[Detection], *, least_iou: float = 0.99) -> None:
    assert [d.category for d in found] == [d.category for d in expected]
    for mine, theirs in zip(found, expected, strict=True):
        assert iou(mine.xyxy, theirs.xyxy) >= least_iou
        assert mine.confidence == pytest.approx(theirs.confidence, abs=0.01)


def test_no_images_give_no_answers(detector: Detector) -> None:
    assert detector.detect([]) == []


def test_a_picture_of_nothing_has_no_detections(detector: Detector) -> None:
    assert detector.detect([Image.new("RGB", (300, 200), (127, 127, 127))]) == [[]]


def test_the_card_is_a_detectors(detector: Detector) -> None:
    assert (detector.card.kind, detector.card.classes) == ("detector", DETECTED)


@pytest.mark.parametrize("seed", SCENES)
def test_detections_lie_in_the_picture_and_come_by_falling_confidence(
    detector: Detector, found_in: Callable[[int], list[Detection]], seed: int
) -> None:
    image, found = scene(seed).image, found_in(seed)
    assert found
    for detection in found:
        x1, y1, x2, y2 = detection.xyxy
        assert 0 <= x1 < x2 <= image.width
        assert 0 <= y1 < y2 <= image.height
        assert detection.category in DETECTED
        assert detector.card.preprocessing["confidence"] <= detection.confidence <= 1
    assert [d.confidence for d in found] == sorted((d.confidence for d in found), reverse=True)


def test_most_products_of_drawn_scenes_are_found_where_they_are(found_in: Callable[[int], list[Detection]]) -> None:
    found = seen = 0
    for seed in SCENES:
        detections = found_in(seed)
        for item in scene(seed).items:
            seen += 1
            found += any(d.category == item.category and iou(d.xyxy, item.xyxy) >= 0.5 for d in detections)
    assert found >= 0.85 * seen, f"{found} of {seen}"


def test_a_thing_is_found_more_often_where_it_is_known_to_be(detector: Detector) -> None:
    plain = known = 0
    for seed in SCENES:
        image = scene(seed).image.resize((90, 120))  # so small that the detector is unsure of many
        (without,) = detector.detect([image])
        items = scene(seed).items
        each_told = detector.detect([image] * len(items), [item.category for item in items])
        for item, told in zip(items, each_told, strict=True):
            plain += any(d.category == item.category for d in without)
            known += any(d.category == item.category for d in told)
            assert {d.category for d in told} <= {*(d.category for d in without), item.category}
    assert known > plain


def test_a_category_that_the_detector_does_not_know_changes_nothing(detector: Detector) -> None:
    images = [scene(seed).image for seed in SCENES[:2]]
    told = detector.detect(images, ["watches", None])
    for with_it, without in zip(told, detector.detect(images), strict=True):
        assert_alike(with_it, without)


def test_a_batch_answers_as_its_images_do_alone(detector: Detector) -> None:
    images = [scene(seed).image for seed in SCENES[:4]]
    for together, alone in zip(detector.detect(images), (detector.detect([i])[0] for i in images), strict=True):
        assert_alike(together, alone)


def test_a_picture_in_a_batch_does_not_depend_on_the_others(detector: Detector) -> None:
    image = scene(SCENES[0]).image
    blank = Image.new("RGB", (40, 900))
    first = detector.detect([image, blank])[0]
    last = detector.detect([blank, blank, image])[2]
    assert_alike(first, last)


def test_a_picture_of_twice_the_size_has_boxes_of_twice_the_size(detector: Detector) -> None:
    image = scene(SCENES[1]).image
    (small,) = detector.detect([image])
    (large,) = detector.detect([image.resize((image.width * 2, image.height * 2), Image.Resampling.BICUBIC)])
    sure = [d for d in small if d.confidence > 0.5]
    assert sure
    for detection in sure:
        x1, y1, x2, y2 = (2 * edge for edge in detection.xyxy)
        assert any(d.category == detection.category and iou(d.xyxy, (x1, y1, x2, y2)) > 0.9 for d in large)


@pytest.mark.parametrize("size", [(16, 16), (1, 1), (20, 600), (2000, 30)])
def test_any_size_of_picture_is_taken(detector: Detector, size: tuple[int, int]) -> None:
    (found,) = detector.detect([Image.new("RGB", size, "white")])
    assert all(d.xyxy[2] <= size[0] and d.xyxy[3] <= size[1] for d in found)


def test_a_higher_confidence_gives_the_surer_part_of_the_same_detections(build: Build, detector: Detector) -> None:
    image = scene(SCENES[2]).image
    (all_of_them,) = detector.detect([image])
    (sure,) = build(confidence=0.6).detect([image])
    assert_alike(sure, [d for d in all_of_them if d.confidence > 0.6])


def test_many_threads_get_the_same_answers(detector: Detector) -> None:
    images = [scene(seed).image for seed in SCENES[:4]]
    expected = detector.detect(images)
    answers: dict[int, list[list[Detection]]] = {}

    def work(number: int) -> None:
        answers[number] = detector.detect(images)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 4
    for answer in answers.values():
        for found, wanted in zip(answer, expected, strict=True):
            assert_alike(found, wanted)


def test_a_missing_card_is_a_service_error(build: Build, tmp_path: Path) -> None:
    with pytest.raises(ServiceError) as caught:
        build(card=tmp_path / "card.json")
    assert caught.value.code == "model_card_unreadable"


def test_weights_that_are_not_the_cards_are_refused(build: Build, tmp_path: Path) -> None:
    for file in CARD.parent.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes()[:1000] if file.name != "card.json" else file.read_bytes())
    with pytest.raises(ServiceError) as caught:
        build(card=tmp_path / "card.json")
    assert caught.value.code == "model_file_damaged"


def test_a_card_of_an_encoder_is_refused(build: Build, tmp_path: Path) -> None:
    ModelCard(name="e", kind="encoder", version="1", license="", files={}, preprocessing={}).save(
        tmp_path / "card.json"
    )
    with pytest.raises(ServiceError) as caught:
        build(card=tmp_path / "card.json")
    assert caught.value.code == "model_card_unreadable"
