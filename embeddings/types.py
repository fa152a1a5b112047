"""What the embeddings room takes and gives."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from shop_search.model_card import ModelCard

Scalar = str | int | float | bool
Payload = Mapping[str, Scalar | list[str] | list[list[float]] | None]


class Encoder(Protocol):
    """Turns crops and texts into embeddings of one space. Thread-safe; loads its weights on construction."""

    card: ModelCard  # dim and fingerprint are on the card

    def encode_images(self, images: Sequence[Image]) -> NDArray[np.float32]:
        """Returns (n, dim) float32, unit rows; (0, dim) for no images."""
        ...

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Returns (n, dim) float32, unit rows; (0, dim) for no texts."""
        ...


@dataclass(frozen=True, slots=True)
class Point:
    """One product image in the vector store."""

    id: int  # the product image's primary key
    vectors: Mapping[str, NDArray[np.float32]]  # by vector name, each (dim,)
    payload: Payload


@dataclass(frozen=True, slots=True)
class Hit:
    """One answer of the store. `score` is the dot product of unit vectors, in [-1, 1]: higher is closer."""

    id: int
    score: float
    payload: Payload


@dataclass(frozen=True, slots=True)
class Where:
    """A filter over payload fields: every condition must hold.

    `match`: the field (or one entry of it, if it holds a list) equals one of the values.
    `within`: the number lies in [low, high]; None leaves a side open.
    `reject`: the field (or every entry of it) equals none of the values; a point without the field is kept.
    `exclude`: point ids that must not come back.
    """

    match: Mapping[str, tuple[Scalar, ...]] = field(default_factory=dict)
    within: Mapping[str, tuple[float | None, float | None]] = field(default_factory=dict)
    exclude: tuple[int, ...] = ()
    reject: Mapping[str, tuple[Scalar, ...]] = field(default_factory=dict)


class VectorStore(Protocol):
    """Named collections of points. Thread-safe. A returned write is durable: it survives `kill -9`.

    `collection` may be an alias everywhere but in `ensure` and `drop`. Every method raises ServiceError with code
    `vector_store_unavailable` when the store can't be reached, and `collection_missing` for an unknown
    one.
    """

    def ensure(self, collection: str, vectors: Mapping[str, int]) -> None:
        """Makes the collection with these named vectors (name -> dim, dot product) unless it exists."""
        ...

    def upsert(self, collection: str, points: Sequence[Point]) -> None:
        """Writes points, replacing those of the same id whole."""
        ...

    def set_payload(self, collection: str, payloads: Mapping[int, Payload]) -> None:
        """Replaces the payloads of existing points, by id, without touching their vectors; unknown ids are skipped."""
        ...

    def delete(self, collection: str, ids: Sequence[int]) -> None:
        """Deletes points; unknown ids are no error."""
        ...

    def query(
        self,
        collection: str,
        vector: NDArray[np.float32],
        *,
        using: str,
        limit: int,
        where: Where | None = None,
    ) -> list[Hit]:
        """Returns at most `limit` hits by falling score."""
        ...

    def retrieve(self, collection: str, ids: Sequence[int], *, using: str) -> dict[int, NDArray[np.float32]]:
        """Returns the named vectors of the points that exist, by id, each (dim,) float32."""
        ...

    def count(self, collection: str, where: Where | None = None) -> int:
        """Returns the exact number of points."""
        ...

    def scroll(self, collection: str) -> Iterator[tuple[int, Payload]]:
        """Yields every point's id and payload, by rising id."""
        ...

    def collections(self) -> dict[str, int]:
        """Returns each collection's number of points."""
        ...

    def drop(self, collection: str) -> None:
        """Deletes a collection with its points; no error when there is none."""
        ...

    def alias(self, name: str, collection: str) -> None:
        """Points the alias at the collection, in one step: queries see the old one or the new one, never neither."""
        ...

    def resolve(self, name: str) -> str | None:
        """Returns the collection an alias points at, or None."""
        ...
