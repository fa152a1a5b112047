import socket

import numpy as np
import pytest

from embeddings.stores import wire
from embeddings.types import Where
from shop_search.errors import ServiceError


def test_a_message_arrives_as_it_was_sent() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        rows = np.arange(12, dtype=np.float32).reshape(3, 4)
        wire.send(ours, {"op": "größe 👟", "n": 1.5, "none": None}, wire.floats(rows))
        message = wire.receive(theirs)
        assert message is not None
        assert message.header == {"op": "größe 👟", "n": 1.5, "none": None}
        np.testing.assert_array_equal(message.rows(3, 4), rows)
        np.testing.assert_array_equal(message.rows(1, 4, offset=4), rows[1:2])


def test_a_body_shorter_than_its_header_says_is_refused() -> None:
    message = wire.Message({}, bytearray(15))
    with pytest.raises(ServiceError, match="15 bytes"):
        message.rows(1, 4)


def test_vectors_are_little_endian_whatever_they_were() -> None:
    big = np.array([1.0, -2.5], dtype=">f4")
    assert wire.floats(big) == b"\x00\x00\x80\x3f\x00\x00\x20\xc0"


@pytest.mark.parametrize(
    "where",
    [
        None,
        Where(),
        Where(match={"in_stock": (True,), "category": ("a", "b"), "product": (1,)}),
        Where(within={"price": (None, 2.5)}, exclude=(1, 2)),
    ],
)
def test_a_filter_survives_the_journey(where: Where | None) -> None:
    assert wire.unpack_where(wire.pack_where(where)) == where
