"""The Edge daemon's socket: who may open it, where it lies, and what can't be done to the daemon through it."""

import json
import os
import random
import socket
import stat
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from embeddings.stores import wire
from embeddings.stores.edge import EdgeStore
from embeddings.stores.edge_address import Address, peer_uid
from embeddings.types import Point
from shop_search.errors import ServiceError
from tests.embeddings.stores.running import VECTORS, points, vector


@pytest.fixture(scope="module")
def shared_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shared") / "vectors"


@pytest.fixture(scope="module")
def shared(shared_path: Path) -> Iterator[EdgeStore]:
    """One daemon for all tests that must not be able to harm it."""
    edge = EdgeStore(shared_path, idle_exit_s=60)
    edge.ensure("products", VECTORS)
    yield edge
    edge.stop()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def connect(path: Path) -> socket.socket:
    connection = Address(path).connect(timeout_s=30)
    assert connection is not None
    return connection


def test_only_this_user_can_open_the_socket(store: EdgeStore, path: Path) -> None:
    path.mkdir(mode=0o755)
    store.start()
    assert mode(path) == 0o700
    assert mode(path / "daemon.sock") == 0o600
    for file in ("lock", "daemon.json", "daemon.log", "starting.lock"):
        assert mode(path / file) & 0o077 == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user to try")
@pytest.mark.skipif(not hasattr(socket, "SO_PEERCRED"), reason="this system can't tell who is on the other side")
def test_another_user_is_refused_even_where_the_folder_lets_him_in(store: EdgeStore, path: Path) -> None:
    pid = store.start()
    path.chmod(0o755)
    (path / "daemon.sock").chmod(0o666)
    folder = os.open(path, os.O_RDONLY)
    child = os.fork()
    if child == 0:
        os.setuid(65534)
        stranger = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            stranger.connect(f"/proc/self/fd/{folder}/daemon.sock")
            wire.send(stranger, {"op": "shutdown"})
            os._exit(1 if wire.receive(stranger) else 0)
        except (ConnectionError, BrokenPipeError):
            os._exit(0)
        except BaseException:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert store.pid() == pid
    assert "refused a connection of user 65534" in (path / "daemon.log").read_text()


def test_the_other_side_is_known_by_its_user() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert peer_uid(ours) in (None, os.geteuid())


def test_a_path_too_long_for_a_socket_works_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / ("a shop with a very long name " * 4) / ("and an even longer folder " * 4)
    store = EdgeStore(path, idle_exit_s=60)
    store.ensure("products", VECTORS)
    store.upsert("products", points([1]))
    assert EdgeStore(path).count("products") == 1
    target = Path(json.loads((path / "daemon.json").read_text())["socket"])
    assert target.parent != path
    assert mode(target.parent) == 0o700
    assert mode(target) == 0o600
    store.stop()
    assert not target.parent.exists()


def test_the_temporary_folder_of_a_killed_daemon_is_removed_by_the_next(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 120)
    store = EdgeStore(path, idle_exit_s=60)
    pid = store.start()
    left = Path(json.loads((path / "daemon.json").read_text())["socket"]).parent
    os.kill(pid, 9)
    assert store.collections() == {}
    assert not left.exists()
    store.stop()


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        random.Random(0).randbytes(5000),
        b"\x00" * 64,
        struct.pack("<4sIQ", wire.MAGIC, 4, 0) + b"nope",
        struct.pack("<4sIQ", wire.MAGIC, 2, 0) + b"[]",
    ],
    ids=["http", "noise", "zeros", "no json", "no object"],
)
def test_garbage_is_answered_with_an_error_and_harms_nobody(
    shared: EdgeStore, shared_path: Path, garbage: bytes
) -> None:
    pid = shared.start()
    with connect(shared_path) as connection:
        connection.sendall(garbage)
        reply = wire.receive(connection)
        assert reply is not None
        assert reply.header["code"] == "message_invalid"
    assert shared.health().pid == pid


@pytest.mark.parametrize("part", [b"", b"SSV", struct.pack("<4sIQ", wire.MAGIC, 100, 0) + b"{"])
def test_a_client_that_hangs_up_within_a_message_harms_nobody(
    shared: EdgeStore, shared_path: Path, part: bytes
) -> None:
    pid = shared.start()
    with connect(shared_path) as connection:
        connection.sendall(part)
    assert shared.health().pid == pid


@pytest.mark.parametrize("sizes", [(wire.MAX_HEADER_BYTES + 1, 0), (10, wire.MAX_BODY_BYTES + 1), (10, 2**63)])
def test_an_oversized_message_is_refused_before_it_is_read(
    shared: EdgeStore, shared_path: Path, sizes: tuple[int, int]
) -> None:
    pid = shared.start()
    with connect(shared_path) as connection:
        connection.sendall(struct.pack("<4sIQ", wire.MAGIC, *sizes))
        reply = wire.receive(connection)
        assert reply is not None
        assert reply.header["code"] == "message_too_large"
        assert wire.receive(connection) is None
    assert shared.health().pid == pid


def test_a_point_too_large_for_a_message_is_refused_at_the_client(store: EdgeStore) -> None:
    store.ensure("products", VECTORS)
    with pytest.raises(ServiceError) as caught:
        store.upsert("products", [Point(1, {"clip": vector(1)}, {"title": "x" * (wire.MAX_HEADER_BYTES + 1)})])
    assert caught.value.code == "message_too_large"
    store.upsert("products", points([1]))
    assert store.count("products") == 1


def test_an_answer_too_large_for_a_message_is_an_error_and_harms_nobody(shared: EdgeStore) -> None:
    shared.ensure("long", VECTORS)
    text = "x" * 300_000
    for id_ in range(60):
        shared.upsert("long", [Point(id_, {"clip": vector(id_)}, {"title": text})])
    pid = shared.pid()
    with pytest.raises(ServiceError) as caught:
        shared.query("long", vector(1), using="clip", limit=60)
    assert caught.value.code == "message_too_large"
    assert len(shared.query("long", vector(1), using="clip", limit=30)) == 30
    assert shared.pid() == pid
    shared.drop("long")


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"op": None},
        {"op": ["query"]},
        {"op": "no such thing"},
        {"op": "query"},
        {"op": "query", "collection": "products", "dim": 10**9, "using": "clip", "limit": 1, "where": None},
        {"op": "query", "collection": "products", "dim": -1, "using": "clip", "limit": 1, "where": None},
        {"op": "upsert", "collection": "products", "ids": [-1], "payloads": [{}], "vectors": {}},
        {"op": "upsert", "collection": "products", "ids": ["x"], "payloads": [{}], "vectors": {}},
        {"op": "upsert", "collection": "products", "ids": [1, 2], "payloads": [{}], "vectors": {}},
        {"op": "upsert", "collection": "products", "ids": [2**64], "payloads": [{}], "vectors": {}},
        {"op": "delete", "collection": "products", "ids": [None]},
        {"op": "delete", "collection": 7, "ids": [1]},
        {"op": "count", "collection": "products", "where": {"match": 1}},
        {"op": "ensure", "collection": "x", "vectors": {"clip": -3}},
        {"op": "ensure", "collection": "x", "vectors": {"clip": "wide"}},
        {"op": "ensure", "collection": "../../x", "vectors": {"clip": 3}},
        {"op": "drop", "collection": ".."},
    ],
    ids=str,
)
def test_a_request_that_makes_no_sense_is_refused(shared: EdgeStore, shared_path: Path, header: wire.Header) -> None:
    pid = shared.start()
    with connect(shared_path) as connection:
        wire.send(connection, header)
        reply = wire.receive(connection)
        assert reply is not None
        if header.get("op") != "drop":
            assert reply.header["ok"] is False
            assert reply.header["code"] in ("message_invalid", "collection_mismatch", "collection_missing")
    assert shared.health().pid == pid
    assert shared.collections() == {"products": 0}
    assert (shared_path / "collections" / "products").is_dir()


def test_a_payload_that_is_no_json_is_refused(store: EdgeStore) -> None:
    store.ensure("products", VECTORS)
    for value in (float("nan"), np.float32(1), object()):
        with pytest.raises(ServiceError) as caught:
            store.upsert("products", [Point(1, {"clip": vector(1)}, {"price": value})])  # type: ignore[dict-item]
        assert caught.value.code == "message_invalid"
    assert store.count("products") == 0
