"""The embedded vector store: a client of the Qdrant Edge daemon, started on demand (edge_server.py)."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from embeddings.stores import wire
from embeddings.stores.checks import check_finite
from embeddings.stores.edge_client import EdgeClient
from embeddings.types import Hit, Payload, Point, Where

T = TypeVar("T")

# 256 points of 512 + 256 dims are 0.8 MB: far from the wire's limits, and long enough that the round trip is noise.
_POINTS_PER_MESSAGE: Final = 256
_IDS_PER_MESSAGE: Final = 1000
# Nobody leaves a daemon behind: one that a command or a test started stops after this time without a connection.
_IDLE_EXIT_S: Final = 600.0


@dataclass(frozen=True, slots=True)
class EdgeHealth:
    """The daemon as it says of itself."""

    pid: int
    uptime_s: float
    connections: int


class EdgeStore:
    """A VectorStore in a folder of this machine. Thread-safe and fork-safe; building one starts nothing.

    Any number of processes may use one folder at once: its daemon is the only writer. When the daemon dies, the next
    call starts it again and is repeated. Any call raises ServiceError `vector_store_unavailable` when it can't be
    started or doesn't answer within `timeout_s`.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        timeout_s: float = 60.0,
        start_timeout_s: float = 30.0,
        idle_exit_s: float | None = _IDLE_EXIT_S,
    ) -> None:
        self._client = EdgeClient(
            os.fspath(path), timeout_s=timeout_s, start_timeout_s=start_timeout_s, idle_exit_s=idle_exit_s
        )

    def start(self, *, idle_exit_s: float | None = None) -> int:
        """Makes sure that the daemon runs, and for how long without a connection (None: until `stop`); returns its pid.

        For the process that supervises the others; everyone else just calls.
        """
        return int(self._client.request({"op": "stay", "idle_exit_s": idle_exit_s}).header["pid"])

    def stop(self) -> None:
        """Stops the daemon if it runs, and returns when its shards are closed. The next call of anyone starts it."""
        self._client.stop()

    def pid(self) -> int | None:
        """Returns the daemon's process id, or None when none runs. Starts nothing."""
        return self._client.pid()

    def health(self) -> EdgeHealth:
        header = self._client.request({"op": "ping"}).header
        return EdgeHealth(
            pid=int(header["pid"]), uptime_s=float(header["uptime_s"]), connections=int(header["connections"])
        )

    def ensure(self, collection: str, vectors: Mapping[str, int]) -> None:
        self._client.request({"op": "ensure", "collection": collection, "vectors": dict(vectors)})

    def upsert(self, collection: str, points: Sequence[Point]) -> None:
        for batch in _batches(points, _POINTS_PER_MESSAGE):
            groups: dict[tuple[tuple[str, int], ...], list[Point]] = {}
            for point in batch:
                shape = tuple((name, len(vector)) for name, vector in sorted(point.vectors.items()))
                groups.setdefault(shape, []).append(point)
            for shape, group in groups.items():
                self._upsert(collection, dict(shape), group)

    def set_payload(self, collection: str, payloads: Mapping[int, Payload]) -> None:
        for batch in _batches(list(payloads), _IDS_PER_MESSAGE):
            self._client.request(
                {
                    "op": "set_payload",
                    "collection": collection,
                    "ids": [int(id_) for id_ in batch],
                    "payloads": [dict(payloads[id_]) for id_ in batch],
                }
            )

    def delete(self, collection: str, ids: Sequence[int]) -> None:
        for batch in _batches(ids, _IDS_PER_MESSAGE):
            self._client.request({"op": "delete", "collection": collection, "ids": [int(id_) for id_ in batch]})

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
        reply = self._client.request(
            {
                "op": "query",
                "collection": collection,
                "using": using,
                "limit": max(0, int(limit)),
                "dim": len(vector),
                "where": wire.pack_where(where),
            },
            wire.floats(vector),
        )
        return [Hit(id=id_, score=score, payload=payload) for id_, score, payload in reply.header["hits"]]

    def retrieve(self, collection: str, ids: Sequence[int], *, using: str) -> dict[int, NDArray[np.float32]]:
        found: dict[int, NDArray[np.float32]] = {}
        for batch in _batches(ids, _IDS_PER_MESSAGE):
            reply = self._client.request(
                {"op": "retrieve", "collection": collection, "ids": [int(id_) for id_ in batch], "using": using}
            )
            kept: list[int] = reply.header["ids"]
            found.update(zip(kept, reply.rows(len(kept), reply.header["dim"]), strict=True))
        return found

    def count(self, collection: str, where: Where | None = None) -> int:
        reply = self._client.request({"op": "count", "collection": collection, "where": wire.pack_where(where)})
        return int(reply.header["count"])

    def scroll(self, collection: str) -> Iterator[tuple[int, Payload]]:
        after: int | None = None
        while True:
            reply = self._client.request(
                {"op": "scroll", "collection": collection, "after": after, "limit": _IDS_PER_MESSAGE}
            )
            points: list[tuple[int, Payload]] = reply.header["points"]
            if not points:
                return
            for id_, payload in points:  # noqa: UP028 - JSON's pairs are lists
                yield id_, payload
            after = points[-1][0]

    def collections(self) -> dict[str, int]:
        counts: dict[str, int] = self._client.request({"op": "collections"}).header["collections"]
        return counts

    def drop(self, collection: str) -> None:
        self._client.request({"op": "drop", "collection": collection})

    def alias(self, name: str, collection: str) -> None:
        self._client.request({"op": "alias", "name": name, "collection": collection})

    def resolve(self, name: str) -> str | None:
        target: str | None = self._client.request({"op": "resolve", "name": name}).header["collection"]
        return target

    def _upsert(self, collection: str, dims: Mapping[str, int], points: Sequence[Point]) -> None:
        rows = {name: np.stack([point.vectors[name] for point in points]) for name in dims}
        for name, block in rows.items():
            check_finite(block, name)
        self._client.request(
            {
                "op": "upsert",
                "collection": collection,
                "ids": [int(point.id) for point in points],
                "payloads": [dict(point.payload) for point in points],
                "vectors": dict(dims),
            },
            b"".join(wire.floats(block) for block in rows.values()),
        )


def _batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
