"""What the Edge daemon answers: each request's `op`, read from a message and carried out on the collections."""

import os
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol, TypeVar

import numpy as np

from embeddings.stores import wire
from embeddings.stores.edge_shards import Collection, Collections
from shop_search.errors import ServiceError

T = TypeVar("T")
Reply = tuple[wire.Header, bytes]


class Server(Protocol):
    """What a request may see and change of the daemon itself."""

    idle_exit_s: float | None
    started_at: float
    collections: Collections

    @property
    def connections(self) -> int: ...

    def stop(self) -> None: ...


def answer(server: Server, request: wire.Message) -> Reply:
    """Returns the reply to one request. Raises ServiceError with the code that the client will raise."""
    op = request.header.get("op")
    handle = _HANDLERS.get(op) if isinstance(op, str) else None
    if handle is None:
        raise ServiceError("message_invalid", f"There is no operation {op!r}; there are {sorted(_HANDLERS)}.")
    try:
        header, body = handle(server, request)
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise ServiceError("message_invalid", f"The operation {op!r} can't be read: {error!r}.") from error
    return {"ok": True} | header, body


def _on_collection(server: Server, name: str, act: Callable[[Collection], T]) -> T:
    """Returns what `act` returns. When the collection is dropped meanwhile, an alias may lead to another one: again."""
    while True:
        collection = server.collections.get(name)
        try:
            return act(collection)
        except Exception:
            if not collection.is_closed:
                raise


def _ping(server: Server, _: wire.Message) -> Reply:
    return {
        "pid": os.getpid(),
        "uptime_s": time.monotonic() - server.started_at,
        "connections": server.connections,
    }, b""


def _stay(server: Server, request: wire.Message) -> Reply:
    server.idle_exit_s = request.header["idle_exit_s"]
    return _ping(server, request)


def _shutdown(server: Server, _: wire.Message) -> Reply:
    server.stop()
    return {}, b""


def _ensure(server: Server, request: wire.Message) -> Reply:
    server.collections.ensure(request.header["collection"], dict(request.header["vectors"]))
    return {}, b""


def _upsert(server: Server, request: wire.Message) -> Reply:
    header = request.header
    ids: Sequence[int] = header["ids"]
    vectors, offset = {}, 0
    for name, dim in header["vectors"].items():
        vectors[name] = request.rows(len(ids), dim, offset=offset)
        offset += len(ids) * dim
    _on_collection(server, header["collection"], lambda it: it.upsert(ids, header["payloads"], vectors))
    return {}, b""


def _set_payload(server: Server, request: wire.Message) -> Reply:
    header = request.header
    payloads = dict(zip(header["ids"], header["payloads"], strict=True))
    _on_collection(server, header["collection"], lambda it: it.set_payload(payloads))
    return {}, b""


def _delete(server: Server, request: wire.Message) -> Reply:
    _on_collection(server, request.header["collection"], lambda it: it.delete(request.header["ids"]))
    return {}, b""


def _query(server: Server, request: wire.Message) -> Reply:
    header = request.header
    vector = request.rows(1, header["dim"])[0]
    where = wire.unpack_where(header["where"])
    hits = _on_collection(
        server,
        header["collection"],
        lambda it: it.query(vector, using=header["using"], limit=header["limit"], where=where),
    )
    return {"hits": [(hit.id, hit.score, hit.payload) for hit in hits]}, b""


def _retrieve(server: Server, request: wire.Message) -> Reply:
    header = request.header
    ids, rows = _on_collection(
        server, header["collection"], lambda it: it.retrieve(header["ids"], using=header["using"])
    )
    return {"ids": ids, "dim": int(rows.shape[1])}, wire.floats(rows.astype(np.float32))


def _count(server: Server, request: wire.Message) -> Reply:
    where = wire.unpack_where(request.header["where"])
    return {"count": _on_collection(server, request.header["collection"], lambda it: it.count(where))}, b""


def _scroll(server: Server, request: wire.Message) -> Reply:
    header = request.header
    records = _on_collection(
        server, header["collection"], lambda it: it.scroll(after=header["after"], limit=header["limit"])
    )
    return {"points": [(record.id, record.payload) for record in records]}, b""


def _counts(server: Server, _: wire.Message) -> Reply:
    return {"collections": server.collections.counts()}, b""


def _drop(server: Server, request: wire.Message) -> Reply:
    server.collections.drop(request.header["collection"])
    return {}, b""


def _alias(server: Server, request: wire.Message) -> Reply:
    server.collections.alias(request.header["name"], request.header["collection"])
    return {}, b""


def _resolve(server: Server, request: wire.Message) -> Reply:
    return {"collection": server.collections.resolve(request.header["name"])}, b""


_HANDLERS: Final[dict[str, Callable[[Any, wire.Message], Reply]]] = {
    "ping": _ping,
    "stay": _stay,
    "shutdown": _shutdown,
    "ensure": _ensure,
    "upsert": _upsert,
    "set_payload": _set_payload,
    "delete": _delete,
    "query": _query,
    "retrieve": _retrieve,
    "count": _count,
    "scroll": _scroll,
    "collections": _counts,
    "drop": _drop,
    "alias": _alias,
    "resolve": _resolve,
}
