"""A Qdrant server as the vector store, for a shop on more than one machine (QDRANT_URL)."""

import contextlib
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray
from qdrant_client import QdrantClient, models

from embeddings.stores.checks import check_finite
from embeddings.stores.fields import INDEXED_FIELDS, FieldKind
from embeddings.stores.qdrant_errors import retried
from embeddings.stores.qdrant_filter import qdrant_filter
from embeddings.types import Hit, Payload, Point, Where
from shop_search.errors import ServiceError

T = TypeVar("T")

_POINTS_PER_REQUEST: Final = 256
_IDS_PER_REQUEST: Final = 1000
# Recall@10 >= .99 at 512 dims, measured on 10,000 to 1,000,000 vectors.
_SEARCH: Final = models.SearchParams(hnsw_ef=128)
_KINDS: Final[dict[FieldKind, models.PayloadSchemaType]] = {
    "keyword": models.PayloadSchemaType.KEYWORD,
    "float": models.PayloadSchemaType.FLOAT,
    "bool": models.PayloadSchemaType.BOOL,
}


class QdrantStore:
    """A VectorStore over a Qdrant server. Thread-safe and fork-safe; building one connects to nothing.

    `location=":memory:"` is qdrant-client's own model of a server, in this process, for tests.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        api_key: str | None = None,
        location: str | None = None,
        timeout_s: int = 60,
    ) -> None:
        if (url is None) == (location is None):
            raise ValueError("Give either the url of a Qdrant server or a location, not both.")
        self._url = url
        self._api_key = api_key
        self._location = location
        self._timeout_s = timeout_s
        self._client: QdrantClient | None = None
        self._pid = 0
        self._lock = threading.Lock()
        # The model in memory is plain Python that no two threads may enter; a server minds itself.
        self._turn: contextlib.AbstractContextManager[Any] = threading.RLock() if location else contextlib.nullcontext()

    def ensure(self, collection: str, vectors: Mapping[str, int]) -> None:
        params = {
            name: models.VectorParams(size=dim, distance=models.Distance.DOT, on_disk=True)
            for name, dim in vectors.items()
        }
        if self.resolve(collection) is not None:
            raise ServiceError("collection_mismatch", f"{collection!r} is an alias, so it can't be a collection too.")
        if not self._call(lambda client: client.collection_exists(collection)):
            self._create(collection, params)
        config = self._call(lambda client: client.get_collection(collection)).config.params.vectors
        existing = {name: param.size for name, param in config.items()} if isinstance(config, dict) else config
        if existing != dict(vectors):
            raise ServiceError(
                "collection_mismatch",
                f"Collection {collection!r} exists with vectors {existing}, not {dict(vectors)}. Use another name.",
            )

    def upsert(self, collection: str, points: Sequence[Point]) -> None:
        for batch in _batches(points, _POINTS_PER_REQUEST):
            structs = [_struct(point) for point in batch]
            self._call(lambda client, structs=structs: client.upsert(collection, structs, wait=True))

    def set_payload(self, collection: str, payloads: Mapping[int, Payload]) -> None:
        for ids in _batches(list(payloads), _IDS_PER_REQUEST):
            found = self._call(
                lambda client, ids=ids: client.retrieve(collection, ids, with_payload=False, with_vectors=False)
            )
            operations = [
                models.OverwritePayloadOperation(
                    overwrite_payload=models.SetPayload(payload=dict(payloads[id_]), points=[id_])
                )
                for id_ in (int(record.id) for record in found)
            ]
            if operations:
                self._call(
                    lambda client, operations=operations: client.batch_update_points(collection, operations, wait=True)
                )

    def delete(self, collection: str, ids: Sequence[int]) -> None:
        for batch in _batches(ids, _IDS_PER_REQUEST):
            chosen = models.PointIdsList(points=[int(id_) for id_ in batch])
            self._call(lambda client, chosen=chosen: client.delete(collection, chosen, wait=True))

    def query(
        self,
        collection: str,
        vector: NDArray[np.float32],
        *,
        using: str,
        limit: int,
        where: Where | None = None,
    ) -> list[Hit]:
        check_finite(vector, using)
        if limit < 1:
            return []
        answer = self._call(
            lambda client: client.query_points(
                collection,
                vector.tolist(),
                using=using,
                limit=int(limit),
                query_filter=qdrant_filter(where),
                search_params=None if self._location else _SEARCH,
                with_payload=True,
            )
        )
        return [Hit(id=int(hit.id), score=hit.score, payload=hit.payload or {}) for hit in answer.points]

    def retrieve(self, collection: str, ids: Sequence[int], *, using: str) -> dict[int, NDArray[np.float32]]:
        found: dict[int, NDArray[np.float32]] = {}
        for batch in _batches(ids, _IDS_PER_REQUEST):
            wanted = [int(id_) for id_ in batch]
            records = self._call(
                lambda client, wanted=wanted: client.retrieve(
                    collection, wanted, with_payload=False, with_vectors=[using]
                )
            )
            for record in records:
                if isinstance(record.vector, dict) and using in record.vector:
                    found[int(record.id)] = np.asarray(record.vector[using], dtype=np.float32)
        return found

    def count(self, collection: str, where: Where | None = None) -> int:
        answer = self._call(
            lambda client: client.count(collection, count_filter=qdrant_filter(where), exact=True),
        )
        return int(answer.count)

    def scroll(self, collection: str) -> Iterator[tuple[int, Payload]]:
        offset: Any = None
        while True:
            records, offset = self._call(
                lambda client, offset=offset: client.scroll(
                    collection, limit=_IDS_PER_REQUEST, offset=offset, with_payload=True, with_vectors=False
                )
            )
            for record in records:
                yield int(record.id), record.payload or {}
            if offset is None:
                return

    def collections(self) -> dict[str, int]:
        answer = self._call(lambda client: client.get_collections())
        return {name: self.count(name) for name in sorted(it.name for it in answer.collections)}

    def drop(self, collection: str) -> None:
        self._call(lambda client: client.delete_collection(collection))

    def alias(self, name: str, collection: str) -> None:
        # Both in one request, which the server carries out as one step.
        steps = [
            models.DeleteAliasOperation(delete_alias=models.DeleteAlias(alias_name=name)),
            models.CreateAliasOperation(
                create_alias=models.CreateAlias(collection_name=collection, alias_name=name),
            ),
        ]
        self._call(lambda client: client.update_collection_aliases(steps))

    def resolve(self, name: str) -> str | None:
        answer = self._call(lambda client: client.get_aliases())
        return next((it.collection_name for it in answer.aliases if it.alias_name == name), None)

    def _create(self, collection: str, params: dict[str, models.VectorParams]) -> None:
        try:
            self._call(lambda client: client.create_collection(collection, vectors_config=params, on_disk_payload=True))
        except ServiceError:
            if not self._call(lambda client: client.collection_exists(collection)):
                raise  # otherwise another process was first
        if self._location is not None:
            return  # the model in memory knows no indexes
        for field, kind in INDEXED_FIELDS.items():
            self._call(
                lambda client, field=field, kind=kind: client.create_payload_index(
                    collection, field, _KINDS[kind], wait=True
                )
            )

    def _call(self, act: Callable[..., T]) -> T:
        """Returns what `act` returns for the client. Every act can be repeated, so transient failures are."""
        with self._turn:
            return retried(lambda: act(self._connected()), where=self._url or str(self._location))

    def _connected(self) -> QdrantClient:
        with self._lock:
            if self._client is None or self._pid != os.getpid():
                self._client = QdrantClient(
                    url=self._url,
                    location=self._location,
                    api_key=self._api_key,
                    timeout=self._timeout_s,
                    check_compatibility=False,  # it would call the server from here, and only warn
                )
                self._pid = os.getpid()
            return self._client


def _struct(point: Point) -> models.PointStruct:
    for name, vector in point.vectors.items():
        check_finite(vector, name)
    vectors: dict[str, Any] = {name: vector.tolist() for name, vector in point.vectors.items()}
    return models.PointStruct(id=int(point.id), vector=vectors, payload=dict(point.payload))


def _batches(items: Sequence[T], size: int) -> Iterator[list[T]]:
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch
