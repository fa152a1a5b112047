"""The detector that serves: an exported YOLO in OpenVINO, on the CPU, without torch."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino.preprocess import PrePostProcessor
from PIL.Image import Image

from detection.backends.reading import Reading
from detection.letterbox import letterbox
from detection.suppression import suppress
from detection.types import Detection
from shop_search.errors import ServiceError
from shop_search.model_card import ModelCard


class OpenVINODetector:
    """Serves the model of a card. Thread-safe: callers prepare and read in parallel and take turns at the model,
    which uses every core anyway.

    `threads` bounds the cores (default: all). `confidence` replaces the card's threshold. `precision` is "f32", or
    "bf16" on machines that have it: faster, but answers may differ in the third decimal from machine to machine.
    Raises ServiceError when the card or its files can't be used.
    """

    def __init__(
        self,
        *,
        card: Path | str,
        threads: int | None = None,
        confidence: float | None = None,
        precision: str = "f32",
    ) -> None:
        self.card = ModelCard.load(card)
        self._reading = Reading.of(self.card, confidence=confidence)
        self._lock = threading.Lock()
        self._request = _compile(self.card, threads=threads, precision=precision).create_infer_request()

    def detect(self, images: Sequence[Image], categories: Sequence[str | None] | None = None) -> list[list[Detection]]:
        """Returns, for each upright RGB image, its detections by falling confidence; an empty list where none.

        `categories` tells what each image is known to show, None where that isn't known.
        """
        known = categories or [None] * len(images)
        return [self._detect_one(image, category) for image, category in zip(images, known, strict=True)]

    def _detect_one(self, image: Image, category: str | None) -> list[Detection]:
        reading = self._reading
        square = letterbox(image, reading.side)
        raw = self._infer(square.pixels[np.newaxis])
        kept = suppress(
            raw[0],
            confidence=reading.confidence,
            iou=reading.iou,
            max_detections=reading.max_detections,
            known=reading.known(category),
        )
        return reading.detections(square, kept)

    def _infer(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Returns (1, 4 + classes, boxes) float32 for (1, side, side, 3) uint8."""
        with self._lock:
            self._request.infer([pixels])
            raw: NDArray[np.float32] = self._request.get_output_tensor(0).data.copy()
        return raw


def _compile(card: ModelCard, *, threads: int | None, precision: str) -> ov.CompiledModel:
    """Returns the model, taking RGB bytes: scaling and layout run inside it."""
    options: dict[str, Any] = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": precision,
        "ENABLE_CPU_PINNING": False,  # web and worker share the cores; pinned, both would sit on the same ones
    }
    if threads is not None:
        options["INFERENCE_NUM_THREADS"] = threads
    try:
        core = ov.Core()
        model = core.read_model(card.path("model"), card.path("model_bin"))
        steps = PrePostProcessor(model)
        steps.input().tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
        steps.input().preprocess().convert_element_type(ov.Type.f32).scale(255.0)
        steps.input().model().set_layout(ov.Layout("NCHW"))
        return core.compile_model(steps.build(), "CPU", options)
    except RuntimeError as error:  # OpenVINO raises nothing finer
        raise ServiceError("model_file_damaged", f"OpenVINO can't load {card.label}: {error}") from error
