"""Small, deterministic stand-ins for the models and the vector store, for tests whose subject is neither.

They keep the protocols' promises, so that what passes with them passes with the real ones: unit rows, detections inside
the picture, `collection_missing` for a collection that isn't there.
"""

import hashlib
import io
import threading
import time
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from detection.types import Detection
from embeddings.stores.checks import check_finite
from embeddings.types import Hit, Payload, Point, Scalar, Where
from shop_search.errors import ServiceError
from shop_search.model_card import ModelCard

DIM = 64


def card(kind: str, version: str) -> ModelCard:
    """Returns a card whose fingerprint changes with `version`."""
    return ModelCard(
        name=f"fake-{kind}",
        kind=kind,
        version=version,
        license="AGPL-3.0-or-later",
        files={},
        preprocessing={"version": version},
        classes=("shoes",) if kind == "detector" else (),
        dim=DIM if kind == "encoder" else 0,
    )


class FakeDetector:
    """Finds what is not white: one detection, of the category it was made with. An all-white picture has none."""

    def __init__(self, category: str = "shoes", confidence: float = 0.9, version: str = "1") -> None:
        self.card = card("detector", version)
        self._category = category
        self._confidence = confidence

    def detect(
        self, images: Sequence[Image.Image], categories: Sequence[str | None] | None = None
    ) -> list[list[Detection]]:
        return [self._find(image) for image in images]

    def _find(self, image: Image.Image) -> list[Detection]:
        box = image.convert("L").point(lambda value: 255 if value < 245 else 0).getbbox()
        if box is None:
            return []
        x1, y1, x2, y2 = box
        return [Detection((float(x1), float(y1), float(x2), float(y2)), self._category, self._confidence)]


class FakeEncoder:
    """Embeds a crop as its pixels at 4 x 4, and their edges. `encoded` counts the images it was asked for.

    Version "poor" sees nothing but how large a crop is. `delay_s` is slept for each image, for tests that interrupt.
    """

    def __init__(self, version: str = "1", delay_s: float = 0.0) -> None:
        self.card = card("encoder", version)
        self.encoded = 0
        self._delay_s = delay_s
        self._turn = int(version) if version.isdecimal() else 0  # another version is another space

    def encode_images(self, images: Sequence[Image.Image]) -> NDArray[np.float32]:
        self.encoded += len(images)
        time.sleep(self._delay_s * len(images))
        see = _size if self.card.version == "poor" else _pixels
        rows = [np.roll(see(image), self._turn) for image in images]
        return _unit(np.array(rows, dtype=np.float32).reshape(len(images), DIM))

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        seeds = [int.from_bytes(hashlib.sha256(text.casefold().encode()).digest()[:8]) for text in texts]
        rows = [np.random.default_rng(seed).standard_normal(DIM) for seed in seeds]
        return _unit(np.array(rows, dtype=np.float32).reshape(len(texts), DIM))


def _size(image: Image.Image) -> NDArray[np.float32]:
    return np.random.default_rng(image.width * 1000 + image.height).standard_normal(DIM).astype(np.float32)


def _pixels(image: Image.Image) -> NDArray[np.float32]:
    small = image.convert("RGB").resize((4, 4), Image.Resampling.BOX)
    edges = image.convert("L").filter(ImageFilter.FIND_EDGES).resize((4, 4), Image.Resampling.BOX)
    return np.concatenate([np.asarray(small, np.float32).ravel() - 127.5, np.asarray(edges, np.float32).ravel() + 1])


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)
    return (rows / lengths).astype(np.float32)


class MemoryStore:
    """A VectorStore of this process only. `failing` makes every call fail, as when a store is down."""

    def __init__(self) -> None:
        self.failing = False
        self._dims: dict[str, dict[str, int]] = {}
        self._points: dict[str, dict[int, Point]] = {}
        self._aliases: dict[str, str] = {}
        self._lock = threading.RLock()

    def ensure(self, collection: str, vectors: Mapping[str, int]) -> None:
        self._check()
        with self._lock:
            if collection in self._aliases or self._dims.get(collection, dict(vectors)) != dict(vectors):
                raise _mismatch(collection)
            self._dims.setdefault(collection, dict(vectors))
            self._points.setdefault(collection, {})

    def upsert(self, collection: str, points: Sequence[Point]) -> None:
        with self._lock:
            name = self._name(collection)
            for point in points:
                for using, vector in point.vectors.items():
                    self._check_vector(name, using, vector)
            for point in points:
                self._points[name][point.id] = point

    def set_payload(self, collection: str, payloads: Mapping[int, Payload]) -> None:
        with self._lock:
            points = self._points[self._name(collection)]
            for pk, payload in payloads.items():
                if pk in points:
                    points[pk] = Point(pk, points[pk].vectors, dict(payload))

    def delete(self, collection: str, ids: Sequence[int]) -> None:
        with self._lock:
            points = self._points[self._name(collection)]
            for pk in ids:
                points.pop(pk, None)

    def query(
        self, collection: str, vector: NDArray[np.float32], *, using: str, limit: int, where: Where | None = None
    ) -> list[Hit]:
        with self._lock:
            name = self._name(collection)
            self._check_vector(name, using, vector)
            hits = [
                Hit(point.id, float(point.vectors[using] @ vector), point.payload)
                for point in self._points[name].values()
                if using in point.vectors and _holds(point, where or Where())
            ]
        return sorted(hits, key=lambda hit: (-hit.score, hit.id))[:limit]

    def retrieve(self, collection: str, ids: Sequence[int], *, using: str) -> dict[int, NDArray[np.float32]]:
        with self._lock:
            points = self._points[self._name(collection)]
            return {pk: points[pk].vectors[using] for pk in ids if pk in points and using in points[pk].vectors}

    def count(self, collection: str, where: Where | None = None) -> int:
        with self._lock:
            return sum(_holds(point, where or Where()) for point in self._points[self._name(collection)].values())

    def scroll(self, collection: str) -> Iterator[tuple[int, Payload]]:
        with self._lock:
            points = sorted(self._points[self._name(collection)].items())
        for pk, point in points:
            yield pk, point.payload

    def collections(self) -> dict[str, int]:
        self._check()
        with self._lock:
            return {name: len(points) for name, points in self._points.items()}

    def drop(self, collection: str) -> None:
        self._check()
        with self._lock:
            self._points.pop(collection, None)
            self._dims.pop(collection, None)
            self._aliases = {alias: target for alias, target in self._aliases.items() if target != collection}

    def alias(self, name: str, collection: str) -> None:
        with self._lock:
            if name in self._points:
                raise _mismatch(name)
            self._aliases[name] = self._name(collection)

    def resolve(self, name: str) -> str | None:
        self._check()
        return self._aliases.get(name)

    def _check(self) -> None:
        if self.failing:
            raise ServiceError("vector_store_unavailable", "The vector store of this test is switched off.")

    def _check_vector(self, collection: str, using: str, vector: NDArray[np.float32]) -> None:
        if self._dims[collection].get(using) != len(vector):
            raise _mismatch(collection)
        check_finite(vector, using)

    def _name(self, collection: str) -> str:
        self._check()
        name = self._aliases.get(collection, collection)
        if name not in self._points:
            raise ServiceError("collection_missing", f"There is no collection {collection!r}.")
        return name


def _mismatch(collection: str) -> ServiceError:
    return ServiceError("collection_mismatch", f"{collection!r} is something else than what was asked of it.")


def _holds(point: Point, where: Where) -> bool:
    if point.id in where.exclude:
        return False
    if not all(_has_one_of(point, field, values) for field, values in where.match.items()):
        return False
    if any(_has_one_of(point, field, values) for field, values in where.reject.items()):
        return False
    for field, (low, high) in where.within.items():
        if low is None and high is None:
            continue
        number = point.payload.get(field)
        if not isinstance(number, int | float):
            return False
        if (low is not None and number < low) or (high is not None and number > high):
            return False
    return True


def _has_one_of(point: Point, field: str, values: Sequence[Scalar]) -> bool:
    held = point.payload.get(field)
    return bool(set(held if isinstance(held, list) else [held]) & set(values))


def picture(seed: int, *, size: tuple[int, int] = (96, 96), format: str = "PNG") -> bytes:
    """Returns the bytes of a drawn picture: two shapes on white, different for each seed."""
    random = np.random.default_rng(seed)
    image = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(image)
    width, height = size
    for draw in (pen.rectangle, pen.ellipse):
        left, top = random.uniform(0.05, 0.35, 2)
        right, bottom = random.uniform(0.6, 0.95, 2)
        color = tuple(int(part) for part in random.integers(0, 200, 3))
        draw((left * width, top * height, right * width, bottom * height), fill=color)
    stream = io.BytesIO()
    image.save(stream, format)
    return stream.getvalue()
