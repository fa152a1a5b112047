"""Embeddings by OpenVINO on a CPU: what serves by default. Needs neither torch nor open_clip."""

import os
import threading
from collections.abc import Iterable, Sequence
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

BATCH = 16  # texts: more at once gain nothing on a CPU and cost memory
# From so many pictures on, nobody waits for a single one of them: a photo's regions are fewer. Each core then embeds
# pictures of its own, which stay in its cache: 12.5 ms of CPU a picture, where all cores at one batch of 16 take 16.8.
BULK = 8
MOST_AT_ONCE = 16  # each takes 20 MB; where there are more cores, several share one inference


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
        self._bulk: _Cores | None = None
        self._text: tuple[Tokenizer, _Tower] | None = None
        self._lock = threading.Lock()

    def encode_images(self, images: Sequence[Image]) -> NDArray[np.float32]:
        """Returns (n, dim) float32, unit rows; (0, dim) for no images."""
        if len(images) >= BULK:
            return self._rows(self._cores()(self.preprocessing.pixels([image]) for image in images))
        return self._rows([self._image(self.preprocessing.pixels(images))] if images else [])

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

    def _cores(self) -> "_Cores":
        with self._lock:
            if self._bulk is None:
                threads = int(self._config.get("INFERENCE_NUM_THREADS") or os.cpu_count() or 1)
                at_once = min(threads, MOST_AT_ONCE)
                compiled = self._compile_image(PERFORMANCE_HINT="THROUGHPUT", NUM_STREAMS=at_once)
                self._bulk = _Cores(compiled, at_once)
            return self._bulk

    def _text_tower(self) -> tuple["Tokenizer", "_Tower"]:
        with self._lock:
            if self._text is None:
                clean = self.card.preprocessing.get("text", {}).get("clean", "none")
                tokenizer = Tokenizer(self.card.path("tokenizer"), clean=clean)
                self._text = tokenizer, _Tower(self._compile(self._read("text")))
            return self._text

    def _compile_image(self, **config: str | int) -> ov.CompiledModel:
        """Takes the bytes of resized pictures; scaling to mean and std becomes a part of the model."""
        steps = PrePostProcessor(self._read("image"))
        steps.input().tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
        steps.input().model().set_layout(ov.Layout("NCHW"))
        steps.input().preprocess().convert_element_type(ov.Type.f32).mean(
            [255 * value for value in self.preprocessing.mean]
        ).scale([255 * value for value in self.preprocessing.std])
        return self._compile(steps.build(), **config)

    def _read(self, role: str) -> ov.Model:
        xml, weights = self.card.path(role), self.card.path(f"{role}_bin")
        try:
            return self._core.read_model(str(xml), str(weights))
        except RuntimeError as error:
            raise ServiceError("model_file_damaged", f"OpenVINO can't read {xml}: {error}") from error

    def _compile(self, model: ov.Model, **config: str | int) -> ov.CompiledModel:
        try:
            return self._core.compile_model(model, "CPU", {**self._config, **config})
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


class _Cores:
    """One compiled model of which each core runs its own inferences. Thread-safe: callers share the cores."""

    def __init__(self, compiled: ov.CompiledModel, count: int) -> None:
        self._compiled = compiled
        self._count = count
        self._idle: list[ov.AsyncInferQueue] = []  # making one takes longer than an inference

    def __call__(self, inputs: Iterable[NDArray[np.generic]]) -> list[NDArray[np.float32]]:
        """Returns the output for each input, in their order. An input is made while the cores are at those before."""
        try:
            queue = self._idle.pop()
        except IndexError:
            queue = ov.AsyncInferQueue(self._compiled, self._count)
        outputs: dict[int, NDArray[np.float32]] = {}

        def keep(request: ov.InferRequest, place: int) -> None:
            outputs[place] = np.array(request.get_output_tensor().data, np.float32)

        queue.set_callback(keep)
        try:
            for place, one in enumerate(inputs):
                queue.start_async([one], place)
        finally:
            queue.wait_all()  # before the inputs and this function's own variables go
        self._idle.append(queue)
        return [outputs[place] for place in sorted(outputs)]
