"""How the Edge client and its daemon talk: one request, one reply, over a Unix-domain socket.

    message = "SSV1" | header bytes, uint32 | body bytes, uint64 | header, JSON | body, little-endian float32

Vectors travel in the body, everything else in the header. No pickle: reading a message runs no code.
"""

import json
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from embeddings.types import Where
from shop_search.errors import ServiceError

Header = dict[str, Any]

MAGIC: Final = b"SSV1"
# A client sends at most 256 points at once (edge.py), so 64 MiB leaves room for 65,536 dims.
MAX_HEADER_BYTES: Final = 16 * 1024 * 1024
MAX_BODY_BYTES: Final = 64 * 1024 * 1024

_PREFIX = struct.Struct("<4sIQ")
_FLOAT = np.dtype("<f4")


@dataclass(frozen=True, slots=True)
class Message:
    header: Header
    body: bytearray

    def rows(self, count: int, dim: int, *, offset: int = 0) -> NDArray[np.float32]:
        """Returns (count, dim) float32 read from the body, `offset` floats in.

        Raises ServiceError `message_invalid` when the body is too short.
        """
        if (offset + count * dim) * _FLOAT.itemsize > len(self.body):
            raise ServiceError(
                "message_invalid",
                f"The body has {len(self.body)} bytes; {count} vectors of {dim} dims after {offset} floats need more.",
            )
        flat = np.frombuffer(self.body, dtype=_FLOAT, count=count * dim, offset=offset * _FLOAT.itemsize)
        return flat.reshape(count, dim)


def floats(array: NDArray[np.float32]) -> bytes:
    """Returns the array's bytes as the body holds them."""
    return np.ascontiguousarray(array, dtype=_FLOAT).tobytes()


def send(connection: socket.socket, header: Header, body: bytes = b"") -> None:
    """Sends one message.

    Raises ServiceError `message_invalid` when the header is no JSON, `message_too_large` above the limits,
    OSError when the other side is gone.
    """
    try:
        head = json.dumps(header, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError) as error:
        raise ServiceError("message_invalid", f"A payload must be plain JSON without NaN: {error}.") from error
    _check_size(len(head), len(body))
    connection.sendall(_PREFIX.pack(MAGIC, len(head), len(body)) + head)
    if body:
        connection.sendall(body)


def receive(connection: socket.socket) -> Message | None:
    """Returns the next message, or None when the other side hung up between messages.

    Raises ServiceError `message_invalid` or `message_too_large`: what follows on this connection can't be
    trusted. Raises ConnectionError when the other side hung up within a message.
    """
    prefix = _read(connection, _PREFIX.size, may_end=True)
    if prefix is None:
        return None
    magic, head_size, body_size = _PREFIX.unpack(prefix)
    if magic != MAGIC:
        raise ServiceError("message_invalid", f"A message must begin with {MAGIC!r}, not {magic!r}.")
    _check_size(head_size, body_size)
    head = _read(connection, head_size)
    body = _read(connection, body_size)
    assert head is not None
    assert body is not None
    try:
        header = json.loads(head)
    except ValueError as error:
        raise ServiceError("message_invalid", f"The message's header is no JSON: {error}.") from error
    if not isinstance(header, dict):
        raise ServiceError("message_invalid", f"The message's header must be an object, not {type(header).__name__}.")
    return Message(header, body)


def pack_where(where: Where | None) -> Header | None:
    if where is None:
        return None
    return {
        "match": {field: list(values) for field, values in where.match.items()},
        "within": {field: list(limits) for field, limits in where.within.items()},
        "exclude": [int(id_) for id_ in where.exclude],
        "reject": {field: list(values) for field, values in where.reject.items()},
    }


def unpack_where(packed: Mapping[str, Any] | None) -> Where | None:
    if packed is None:
        return None
    return Where(
        match={field: tuple(values) for field, values in packed["match"].items()},
        within={field: (low, high) for field, (low, high) in packed["within"].items()},
        exclude=tuple(packed["exclude"]),
        reject={field: tuple(values) for field, values in packed["reject"].items()},
    )


def _check_size(head_size: int, body_size: int) -> None:
    if head_size > MAX_HEADER_BYTES or body_size > MAX_BODY_BYTES:
        raise ServiceError(
            "message_too_large",
            f"A message of {head_size} + {body_size} bytes is over the limit of {MAX_HEADER_BYTES} + {MAX_BODY_BYTES}.",
        )


def _read(connection: socket.socket, size: int, *, may_end: bool = False) -> bytearray | None:
    data = bytearray(size)
    view = memoryview(data)
    done = 0
    while done < size:
        got = connection.recv_into(view[done:])
        if not got:
            if may_end and not done:
                return None
            raise ConnectionResetError("the other side hung up within a message")
        done += got
    return data
