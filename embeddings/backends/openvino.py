"""Embeddings by OpenVINO on a CPU: what serves by default. Needs neither torch nor open_clip."""

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino.preprocess import PrePostProcessor
from PIL.Image import Image

from embeddings.preprocessing import Preprocessing
from embeddings.tokenization import Tokenizer
from shop_search.errors import ServiceError
from shop_search.model_card import ModelCard

BATCH = 16  # more pictures at once gain nothing on a CPU and cost memory


class OpenVINOEncoder:
    """An exported encoder. The image tower is loaded at once, the text tower with the first text. Thread-safe.

    `threads`: CPU threads per inference, all of them by default. `precision`: "f32" makes the same embedding on every
    machine; "bf16" is faster where the CPU has it and off by about 1e-3.
    """

    def __init__(self, card: Path | str, *, threads: int | None = None, precision: str = "f32") -> None:
        self.card = ModelCard.load(card)
        self.preprocessing = Preprocessing.from_card(self.card.preprocessing)
        self._config: dict[str, str | int] = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": precision}
        if threads:
            self._config["INFERENCE_NUM_THREADS"] = threads
        self._core = ov.Core()
        self._image = _Tower(self._compile_image())
        self._text: tuple[Tokenizer, _Tower] | None = None
        self._lock = threading.Lock()

    def encode_images(self, images: Sequence[Image]) -> NDArray[np.float32]:
        """Returns (n, dim) float32, unit rows; (0, dim) for no images."""
        return self._rows(
            [self._image(self.preprocessing.pixels(images[i : i + BATCH])) for i in range(0, len(images), BATCH)]
        )

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Returns (n, dim) float32, unit rows; (0, dim) for no texts."""
        if not texts:
            return self._rows([])
        tokenizer, tower = self._text_tower()
        return self._rows([tower(tokenizer(texts[i : i + BATCH])) for i in range(0, len(texts), BATCH)])

    def _rows(self, batches: list[NDArray[np.float32]]) -> NDArray[np.float32]:
        if not batches:
            return np.zeros((0, self.card.dim), np.float32)
        rows = np.concatenate(batches)
        norms = np.linalg.norm(rows, axis=1, keepdims=True)
        return np.asarray(rows / np.maximum(norms, 1e-12), np.float32)

    def _text_tower(self) -> tuple["Tokenizer", "_Tower"]:
        with self._lock:
            if self._text is None:
                clean = self.card.preprocessing.get("text", {}).get("clean", "none")
                tokenizer = Tokenizer(self.card.path("tokenizer"), clean=clean)
                self._text = tokenizer, _Tower(self._compile(self._read("text")))
            return self._text

    def _compile_image(self) -> ov.CompiledModel:
        """Takes the bytes of resized pictures; scaling to mean and std becomes a part of the model."""
        steps = PrePostProcessor(self._read("image"))
        steps.input().tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
        steps.input().model().set_layout(ov.Layout("NCHW"))
        steps.input().preprocess().convert_element_type(ov.Type.f32).mean(
            [255 * value for value in self.preprocessing.mean]
        ).scale([255 * value for value in self.preprocessing.std])
        return self._compile(steps.build())

    def _read(self, role: str) -> ov.Model:
        xml, weights = self.card.path(role), self.card.path(f"{role}_bin")
        try:
            return self._core.read_model(str(xml), str(weights))
        except RuntimeError as error:
            raise ServiceError("model_file_damaged", f"OpenVINO can't read {xml}: {error}") from error

    def _compile(self, model: ov.Model) -> ov.CompiledModel:
        try:
            return self._core.compile_model(model, "CPU", self._config)
        except RuntimeError as error:
            raise ServiceError("model_file_damaged", f"OpenVINO can't load {self.card.label}: {error}") from error


class _Tower:
    """One compiled model. Each thread has its own inference request: a shared one would mix up two callers."""

    def __init__(self, compiled: ov.CompiledModel) -> None:
        self._compiled = compiled
        self._threads = threading.local()

    def __call__(self, batch: NDArray[np.generic]) -> NDArray[np.float32]:
        request = getattr(self._threads, "request", None)
        if request is None:
            request = self._threads.request = self._compiled.create_infer_request()
        request.infer([batch])
        return np.array(request.get_output_tensor().data, np.float32)
