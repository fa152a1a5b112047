"""Collections on disk: one Qdrant Edge shard each, and the aliases. Only the daemon uses this file.

    collections/NAME/             the shard: segments/, wal/, edge_config.json
    collections/NAME/vectors.json names and dims, written last: a folder without it was never finished
    aliases.json                  replaced whole, so a reader sees the old aliases or the new ones

Edge writes an operation to its log before it checks it, and replays it after a crash. So everything is checked here
first: an upsert with an unknown vector name, replayed, would leave a point without vectors.
"""

import json
import os
import re
import shutil
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import qdrant_edge as edge
from numpy.typing import NDArray

from embeddings.stores.edge_filter import edge_filter
from embeddings.stores.fields import INDEXED_FIELDS, FieldKind
from embeddings.types import Where
from shop_search.errors import ServiceError

# Edge holds the GIL while it writes: 100 points take 2.3 ms (median), so a query waits about that long.
UPSERT_CHUNK: Final = 100
MAX_DIM: Final = 65_536  # a Qdrant server's own limit

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_KINDS: Final[dict[FieldKind, edge.PayloadSchemaType]] = {
    "keyword": edge.PayloadSchemaType.Keyword,
    "float": edge.PayloadSchemaType.Float,
    "bool": edge.PayloadSchemaType.Bool,
}


class Collection:
    """One open shard. Reads need no lock of ours; writes of one collection follow one another."""

    def __init__(self, folder: Path) -> None:
        self.vectors: dict[str, int] = json.loads((folder / "vectors.json").read_text())
        self._shard = edge.EdgeShard.load(str(folder))
        self._lock = threading.Lock()
        self._is_dirty = True  # after a crash the log was replayed; a flush saves the next start from it
        self.is_closed = False
        indexed = self._shard.info().payload_schema
        for field, kind in INDEXED_FIELDS.items():
            if field not in indexed:  # a version of ours made the shard that didn't filter by it
                self._update(edge.UpdateOperation.create_field_index(field, _KINDS[kind]))

    def upsert(
        self, ids: Sequence[int], payloads: Sequence[dict[str, Any]], vectors: Mapping[str, NDArray[np.float32]]
    ) -> None:
        for name, rows in vectors.items():
            self._check_dim(name, rows.shape[1])
        for start in range(0, len(ids), UPSERT_CHUNK):
            chunk = slice(start, start + UPSERT_CHUNK)
            lists = {name: rows[chunk].tolist() for name, rows in vectors.items()}
            points = [
                edge.Point(id_, {name: rows[row] for name, rows in lists.items()}, payload)
                for row, (id_, payload) in enumerate(zip(ids[chunk], payloads[chunk], strict=True))
            ]
            with self._lock:
                self._update(edge.UpdateOperation.upsert_points(points))

    def set_payload(self, payloads: Mapping[int, dict[str, Any]]) -> None:
        with self._lock:
            # Edge changes some points and then fails when one of them is unknown.
            found = self._shard.retrieve(list(payloads), with_payload=False, with_vector=False)
            known = {record.id for record in found}
            for id_, payload in payloads.items():
                if id_ in known:
                    self._update(edge.UpdateOperation.overwrite_payload([id_], payload))

    def delete(self, ids: Sequence[int]) -> None:
        with self._lock:
            self._update(edge.UpdateOperation.delete_points(list(ids)))

    def query(
        self, vector: NDArray[np.float32], *, using: str, limit: int, where: Where | None
    ) -> list[edge.ScoredPoint]:
        self._check_dim(using, len(vector))
        request = edge.QueryRequest(
            limit=limit,
            query=edge.Query.Nearest(vector.tolist(), using),
            filter=edge_filter(where),
            with_payload=True,
            params=edge.SearchParams(exact=True),
        )
        return self._shard.query(request)

    def retrieve(self, ids: Sequence[int], *, using: str) -> tuple[list[int], NDArray[np.float32]]:
        """Returns the ids that exist and their vectors, (n, dim) float32."""
        dim = self._check_dim(using)
        found = self._shard.retrieve(list(ids), with_payload=False, with_vector=[using])
        vectors = [(int(str(record.id)), record.vector) for record in found]  # each look at one makes its lists anew
        by_id = {id_: vector[using] for id_, vector in vectors if isinstance(vector, dict) and using in vector}
        rows = np.array(list(by_id.values()), dtype=np.float32)
        return list(by_id), rows.reshape(len(by_id), dim)

    def count(self, where: Where | None = None) -> int:
        return self._shard.count(edge.CountRequest(exact=True, filter=edge_filter(where)))

    def scroll(self, *, after: int | None, limit: int) -> list[edge.Record]:
        offset = None if after is None else after + 1
        records, _ = self._shard.scroll(
            edge.ScrollRequest(offset=offset, limit=limit, with_payload=True, with_vector=False)
        )
        return records

    def flush(self) -> None:
        """Writes segments to disk and drops the log up to here, if anything was written since the last time."""
        with self._lock:
            if self._is_dirty and not self.is_closed:
                self._is_dirty = False
                self._shard.flush()

    def close(self) -> None:
        with self._lock:
            self.is_closed = True
            self._shard.close()

    def _update(self, operation: edge.UpdateOperation) -> None:
        self._is_dirty = True
        self._shard.update(operation)

    def _check_dim(self, name: str, dim: int | None = None) -> int:
        expected = self.vectors.get(name)
        if expected is None:
            raise ServiceError(
                "collection_mismatch", f"There is no vector {name!r} here; the vectors are {sorted(self.vectors)}."
            )
        if dim is not None and dim != expected:
            raise ServiceError("collection_mismatch", f"Vector {name!r} must have {expected} dims, not {dim}.")
        return expected


class Collections:
    """All collections of one folder, opened on first use, and the aliases."""

    def __init__(self, root: Path) -> None:
        self._root = root / "collections"
        self._root.mkdir(mode=0o700, exist_ok=True)
        self._aliases_file = root / "aliases.json"
        self._lock = threading.RLock()
        self._open: dict[str, Collection] = {}
        self._is_closed = False
        for leftover in self._root.glob(".*"):  # of a process that died while making or dropping a collection
            shutil.rmtree(leftover)
        self._aliases: dict[str, str] = {}
        if self._aliases_file.exists():
            self._aliases = json.loads(self._aliases_file.read_text())

    def get(self, name: str) -> Collection:
        """Returns the collection of this name or alias. Raises ServiceError `collection_missing`."""
        collection = self._open.get(self._aliases.get(name, name))
        if collection is not None:
            return collection
        with self._lock:
            if self._is_closed:
                raise ServiceError("vector_store_unavailable", "The vector store is stopping.")
            target = self._aliases.get(name, name)
            self._check_exists(target)
            if target not in self._open:
                self._open[target] = Collection(self._root / target)
            return self._open[target]

    def ensure(self, name: str, vectors: dict[str, int]) -> None:
        with self._lock:
            self._check_name(name)
            _check_dims(vectors)
            if name in self._aliases:
                raise ServiceError("collection_mismatch", f"{name!r} is an alias, so it can't be a collection too.")
            if not self._exists(name):
                self._create(name, vectors)
            existing = self.get(name).vectors
            if existing != vectors:
                raise ServiceError(
                    "collection_mismatch",
                    f"Collection {name!r} exists with vectors {existing}, not {vectors}. Use another name, or drop it.",
                )

    def drop(self, name: str) -> None:
        with self._lock:
            if not self._exists(name):
                return
            aliases = {alias: target for alias, target in self._aliases.items() if target != name}
            if aliases != self._aliases:
                self._save_aliases(aliases)
            collection = self._open.pop(name, None)
            if collection is not None:
                collection.close()
            trash = self._root / f".dropped-{name}"
            (self._root / name).rename(trash)
            shutil.rmtree(trash)

    def counts(self) -> dict[str, int]:
        with self._lock:
            names = sorted(folder.name for folder in self._root.iterdir() if self._exists(folder.name))
            return {name: self.get(name).count() for name in names}

    def alias(self, name: str, collection: str) -> None:
        with self._lock:
            self._check_name(name)
            if self._exists(name):
                raise ServiceError("collection_mismatch", f"{name!r} is a collection, so it can't be an alias too.")
            self._check_exists(collection)
            self._save_aliases(self._aliases | {name: collection})

    def resolve(self, name: str) -> str | None:
        return self._aliases.get(name)

    def flush(self) -> None:
        for collection in list(self._open.values()):
            collection.flush()

    def close(self) -> None:
        with self._lock:
            self._is_closed = True
            while self._open:
                self._open.popitem()[1].close()

    def _exists(self, name: str) -> bool:
        return bool(_NAME.fullmatch(name)) and (self._root / name / "vectors.json").exists()

    def _check_exists(self, name: str) -> None:
        if not self._exists(name):
            raise ServiceError("collection_missing", f"There is no collection {name!r} in the vector store.")

    def _check_name(self, name: str) -> None:
        if not _NAME.fullmatch(name):
            raise ServiceError(
                "collection_mismatch",
                f"A collection's name is 1 to 128 letters, digits, '.', '_' and '-', beginning with a letter or digit, "
                f"not {name!r}.",
            )

    def _create(self, name: str, vectors: dict[str, int]) -> None:
        # Vectors and payloads stay in the page cache, which the system may take back, not in our own memory.
        params = {
            vector: edge.EdgeVectorParams(size=dim, distance=edge.Distance.Dot, memory=edge.Memory.Cold)
            for vector, dim in vectors.items()
        }
        config = edge.EdgeConfig(vectors=params, payload_memory=edge.Memory.Cold, max_search_threads=1)
        new = self._root / f".new-{name}"
        shutil.rmtree(new, ignore_errors=True)
        shard = edge.EdgeShard.create(str(new), config)
        for field, kind in INDEXED_FIELDS.items():
            shard.update(edge.UpdateOperation.create_field_index(field, _KINDS[kind]))
        shard.close()
        _write(new / "vectors.json", vectors)
        new.rename(self._root / name)
        _sync_folder(self._root)

    def _save_aliases(self, aliases: dict[str, str]) -> None:
        draft = self._aliases_file.with_suffix(".new")
        _write(draft, aliases)
        draft.replace(self._aliases_file)
        _sync_folder(self._aliases_file.parent)
        self._aliases = aliases


def _check_dims(vectors: Mapping[str, Any]) -> None:
    for name, dim in vectors.items():
        if not isinstance(dim, int) or not 1 <= dim <= MAX_DIM:
            raise ServiceError("collection_mismatch", f"Vector {name!r} must have 1 to {MAX_DIM} dims, not {dim!r}.")


def _write(path: Path, document: Mapping[str, Any]) -> None:
    with path.open("w") as stream:
        json.dump(document, stream)
        stream.flush()
        os.fsync(stream.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
