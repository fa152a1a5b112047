"""The reference detector: the checkpoint itself in torch, for GPU machines and for checking exports."""

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL.Image import Image

from detection.backends.reading import Reading
from detection.backends.yolo import YOLO
from detection.letterbox import letterbox
from detection.suppression import Kept, Known, suppress
from detection.types import Detection
from shop_search.errors import ServiceError
from shop_search.model_card import ModelCard


class UltralyticsDetector:
    """Runs a YOLO checkpoint as its card says. Thread-safe: callers take turns.

    `weights` replaces the card's own checkpoint ("source"). `device` is torch's, like "cuda:0": by default a GPU if
    there is one. Raises ServiceError when the card or the checkpoint can't be used, or their class counts differ.
    """

    def __init__(
        self,
        *,
        card: Path | str,
        weights: Path | str | None = None,
        confidence: float | None = None,
        device: str | None = None,
    ) -> None:
        self.card = ModelCard.load(card)
        self._reading = Reading.of(self.card, confidence=confidence)
        self._lock = threading.Lock()
        self._device = device or ("cuda:0" if torch.cuda.is_available() else "cpu")
        path = Path(weights) if weights is not None else self.card.path("source")
        try:
            self._model = YOLO(path, task="detect")
        except (OSError, RuntimeError, KeyError, AttributeError, TypeError) as error:
            raise ServiceError("model_file_damaged", f"ultralytics can't load {path}: {error}") from error
        if len(self._model.names) != len(self.card.classes):
            raise ServiceError(
                "model_file_damaged",
                f"{path} knows {len(self._model.names)} classes, its card {len(self.card.classes)}.",
            )

    def detect(self, images: Sequence[Image], categories: Sequence[str | None] | None = None) -> list[list[Detection]]:
        """Returns, for each upright RGB image, its detections by falling confidence; an empty list where none.

        `categories` tells what each image is known to show, None where that isn't known. Where it is, ultralytics' own
        suppression can't be asked, so ours reads the network's output.
        """
        known = [self._reading.known(category) for category in categories or [None] * len(images)]
        rest = iter(self._predict([image for image, one in zip(images, known, strict=True) if one is None]))
        return [
            next(rest) if one is None else self._detect_known(image, one)
            for image, one in zip(images, known, strict=True)
        ]

    def _detect_known(self, image: Image, known: Known) -> list[Detection]:
        reading = self._reading
        square = letterbox(image, reading.side)
        pixels = torch.from_numpy(square.pixels.transpose(2, 0, 1).copy())[None].to(self._device).float() / 255
        with self._lock, torch.inference_mode():
            network = self._model.model.to(self._device).float().eval()
            output = network(pixels)
        raw = (output[0] if isinstance(output, tuple | list) else output)[0].cpu().numpy()
        kept = suppress(
            raw,
            confidence=reading.confidence,
            iou=reading.iou,
            max_detections=reading.max_detections,
            known=known,
        )
        return reading.detections(square, kept)

    def _predict(self, images: Sequence[Image]) -> list[list[Detection]]:
        if not images:
            return []
        reading = self._reading
        squares = [letterbox(image, reading.side) for image in images]
        with self._lock:
            results = self._model.predict(
                [np.ascontiguousarray(square.pixels[..., ::-1]) for square in squares],  # ultralytics takes BGR
                imgsz=reading.side,
                conf=reading.confidence,
                iou=reading.iou,
                max_det=reading.max_detections,
                device=self._device,
                verbose=False,
            )
        return [
            reading.detections(
                square,
                Kept(
                    boxes=result.boxes.xyxy.cpu().numpy(),
                    classes=result.boxes.cls.cpu().numpy().astype(np.int64),
                    confidences=result.boxes.conf.cpu().numpy(),
                ),
            )
            for square, result in zip(squares, results, strict=True)
        ]
