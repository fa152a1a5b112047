"""What QdrantStore says to a server, and what it makes of the server's answers, over real HTTP.

How it behaves as a store is in tests/contracts/test_vector_store.py.
"""

import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pytest

from embeddings.stores.fields import INDEXED_FIELDS
from embeddings.stores.qdrant import QdrantStore
from embeddings.types import Point
from shop_search.errors import ServiceError

DONE = {"operation_id": 1, "status": "completed"}


@dataclass
class Server:
    """Answers each path as told, and 200 `true` otherwise; remembers what it was asked."""

    url: str = ""
    answers: dict[str, list[tuple[int, Any]]] = field(default_factory=dict)  # the last one is repeated
    asked: list[tuple[str, Any]] = field(default_factory=list)

    def will(self, request: str, *answers: tuple[int, Any]) -> None:
        self.answers[request] = list(answers)

    def said(self, request: str) -> list[Any]:
        return [body for line, body in self.asked if line.startswith(request)]

    def answer(self, request: str, body: Any) -> tuple[int, Any]:
        self.asked.append((request, body))
        left = self.answers.get(request.split("?")[0], [(200, True)])
        status, result = left.pop(0) if len(left) > 1 else left[0]
        return status, {"result": result, "status": "ok", "time": 0.0} if status == 200 else result


@pytest.fixture
def server() -> Iterator[Server]:
    told = Server()

    class Handler(BaseHTTPRequestHandler):
        def reply(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, document = told.answer(f"{self.command} {self.path}", json.loads(body) if body else None)
            encoded = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(encoded)))
            self.end_headers()
            self.wfile.write(encoded)

        do_GET = do_POST = do_PUT = do_DELETE = reply  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told.url = f"http://127.0.0.1:{http.server_port}"
    threading.Thread(target=http.serve_forever, daemon=True).start()
    yield told
    http.shutdown()
    http.server_close()


@pytest.fixture
def store(server: Server) -> QdrantStore:
    return QdrantStore(server.url)


def error(message: str) -> dict[str, Any]:
    return {"status": {"error": message}, "time": 0.0}


def test_building_a_store_asks_nothing(store: QdrantStore, server: Server) -> None:
    assert server.asked == []


def test_a_write_waits_until_the_server_has_it(store: QdrantStore, server: Server) -> None:
    server.will("PUT /collections/products/points", (200, DONE))
    server.will("POST /collections/products/points/delete", (200, DONE))
    store.upsert("products", [Point(1, {"clip": np.ones(4, np.float32)}, {"price": 1.5})])
    store.delete("products", [2])
    assert [line.split("?")[1] for line, _ in server.asked] == ["wait=true", "wait=true"]
    assert server.asked[0][1]["points"] == [{"id": 1, "vector": {"clip": [1, 1, 1, 1]}, "payload": {"price": 1.5}}]


def test_many_points_go_in_several_requests(store: QdrantStore, server: Server) -> None:
    server.will("PUT /collections/products/points", (200, DONE))
    store.upsert("products", [Point(id_, {"clip": np.ones(4, np.float32)}, {}) for id_ in range(600)])
    assert [len(body["points"]) for _, body in server.asked] == [256, 256, 88]


def test_an_alias_switches_in_one_request(store: QdrantStore, server: Server) -> None:
    store.alias("live", "products-2")
    (body,) = server.said("POST /collections/aliases")
    assert [next(iter(action)) for action in body["actions"]] == ["delete_alias", "create_alias"]
    assert len(server.asked) == 1


def test_a_new_collection_gets_an_index_per_filtered_field(store: QdrantStore, server: Server) -> None:
    server.will("GET /aliases", (200, {"aliases": []}))
    server.will("GET /collections/products/exists", (200, {"exists": False}))
    server.will("PUT /collections/products/index", (200, DONE))
    server.will("GET /collections/products", (404, error("Not found: Collection `products` doesn't exist!")))
    with pytest.raises(ServiceError):  # this server forgets the collection at once: the config can't be read
        store.ensure("products", {"clip": 4})
    created = server.said("PUT /collections/products")[0]
    assert created["vectors"]["clip"]["distance"] == "Dot"
    indexed = {body["field_name"]: body["field_schema"] for body in server.said("PUT /collections/products/index")}
    assert indexed == INDEXED_FIELDS


def test_a_busy_server_is_asked_again(store: QdrantStore, server: Server) -> None:
    count = "POST /collections/products/points/count"
    server.will(count, (503, error("restarting")), (502, "bad gateway"), (200, {"count": 7}))
    assert store.count("products") == 7
    assert len(server.asked) == 3


def test_a_server_that_stays_busy_is_unavailable(store: QdrantStore, server: Server) -> None:
    server.will("POST /collections/products/points/count", (503, error("restarting")))
    with pytest.raises(ServiceError, match="can't be reached or is busy") as caught:
        store.count("products")
    assert caught.value.code == "vector_store_unavailable"
    assert len(server.asked) == 4


@pytest.mark.filterwarnings("ignore:Api key is used with an insecure connection")
def test_no_server_is_unavailable_and_the_key_stays_secret() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        with pytest.raises(ServiceError, match=url) as caught:
            QdrantStore(url, api_key="a secret key").collections()
    assert caught.value.code == "vector_store_unavailable"
    assert "secret" not in caught.value.message


@pytest.mark.parametrize(
    ("status", "said", "code"),
    [
        (404, "Not found: Collection `products` doesn't exist!", "collection_missing"),
        (400, "Wrong input: Vector dimension error: expected dim: 4, got 3", "collection_mismatch"),
        (400, "Wrong input: Not existing vector name error: clip", "collection_mismatch"),
        (401, "Must provide an API key or an Authorization bearer token", "vector_store_unavailable"),
        (403, "Forbidden: global access is required", "vector_store_unavailable"),
        (400, "Format error in JSON body", "vector_store_failed"),
    ],
)
def test_a_refusal_is_not_repeated_and_has_a_code(
    store: QdrantStore, server: Server, status: int, said: str, code: str
) -> None:
    server.will("POST /collections/products/points/query", (status, error(said)))
    with pytest.raises(ServiceError) as caught:
        store.query("products", np.ones(4, np.float32), using="clip", limit=3)
    assert caught.value.code == code
    assert len(server.asked) == 1
    assert (said in caught.value.message) != (status in (401, 403))


def test_a_url_or_a_location_is_needed() -> None:
    with pytest.raises(ValueError, match="url"):
        QdrantStore()
    with pytest.raises(ValueError, match="url"):
        QdrantStore("http://localhost:6333", location=":memory:")
