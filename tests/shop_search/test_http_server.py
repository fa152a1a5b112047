"""The HTTP server's bounds, over a real socket and in a process of its own."""

import http.client
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from django.conf import settings

LIMIT = 1_000_000
SERVER = f"""
import signal, socket, sys, time
from shop_search.http_server import exit_on_signal, serve_http

def application(environ, start_response):
    if environ["PATH_INFO"] == "/slow":
        print("working", flush=True)
        time.sleep(1)
    size = len(environ["wsgi.input"].read())
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(size).encode()]

signal.signal(signal.SIGTERM, exit_on_signal)
serve_http(application, socket.socket(fileno=int(sys.argv[1])), max_body_bytes={LIMIT},
           larger_bodies={{"/feeds/": 5 * {LIMIT}}})
"""


class Server:
    def __init__(self) -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = listener.getsockname()[1]
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVER, str(listener.fileno())],
            cwd=settings.BASE_DIR,
            pass_fds=[listener.fileno()],
            stdout=subprocess.PIPE,
        )
        listener.close()

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.process.kill()
    server.process.communicate()


def test_a_body_of_exactly_the_limit_arrives(server: Server) -> None:
    connection = server.connect()
    connection.request("POST", "/", body=b"x" * LIMIT)
    response = connection.getresponse()
    assert (response.status, response.read()) == (200, str(LIMIT).encode())


@pytest.mark.parametrize("size", [LIMIT + 1, 60 * LIMIT])
def test_a_larger_body_gets_the_apis_error_though_its_sender_reads_nothing_before_the_end(
    server: Server, size: int
) -> None:
    connection = server.connect()
    connection.request("POST", "/", body=b"x" * size)
    response = connection.getresponse()
    body = json.loads(response.read())
    assert response.status == 413
    assert response.headers["Content-Type"] == "application/json"
    assert (body["code"], body["fields"]) == ("upload_too_large", {})
    assert "1 MiB" in body["message"]


def test_a_larger_body_without_a_declared_length_is_refused(server: Server) -> None:
    connection = server.connect()
    connection.request("POST", "/", body=iter([b"x" * 100_000] * 20), encode_chunked=True)
    assert connection.getresponse().status == 413


@pytest.mark.parametrize(
    ("path", "size", "headers", "status"),
    [
        ("/feeds/", 5 * LIMIT, {"Authorization": "Api-Key x"}, 200),
        ("/feeds/", 5 * LIMIT + 1, {"Authorization": "Api-Key x"}, 413),
        ("/feeds/", 2 * LIMIT, {}, 413),
        ("/other/", 2 * LIMIT, {"Authorization": "Api-Key x"}, 413),
    ],
)
def test_some_paths_take_more_from_those_who_say_who_they_are(
    server: Server, path: str, size: int, headers: dict[str, str], status: int
) -> None:
    connection = server.connect()
    connection.request("POST", path, body=b"x" * size, headers=headers)
    assert connection.getresponse().status == status


def test_a_malformed_request_gets_the_apis_error(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as raw:
        raw.sendall(b"GET / HTTP/1.1\r\nContent-Length: many\r\n\r\n")
        answer = raw.makefile("rb").read()
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith((b"HTTP/1.0 400", b"HTTP/1.1 400"))
    assert json.loads(body)["code"] == "bad_request"


def test_the_server_does_not_say_what_it_runs_on(server: Server) -> None:
    connection = server.connect()
    connection.request("GET", "/")
    assert "waitress" not in str(connection.getresponse().headers).lower()


def test_a_request_in_hand_is_answered_before_the_server_stops(server: Server) -> None:
    connection = server.connect()
    connection.request("GET", "/slow")
    assert server.process.stdout is not None
    assert server.process.stdout.readline() == b"working\n"
    server.process.send_signal(signal.SIGTERM)
    assert connection.getresponse().status == 200
    assert server.process.wait(timeout=30) == 0


def test_connections_wait_for_a_server_that_is_not_up_yet() -> None:
    """The listening socket belongs to the supervisor, so a restart of the web process refuses nobody."""
    listener = socket.create_server(("127.0.0.1", 0))
    connection = http.client.HTTPConnection("127.0.0.1", listener.getsockname()[1], timeout=30)
    connection.request("GET", "/")
    time.sleep(0.1)
    with subprocess.Popen(
        [sys.executable, "-c", SERVER, str(listener.fileno())], cwd=settings.BASE_DIR, pass_fds=[listener.fileno()]
    ) as process:
        try:
            assert connection.getresponse().status == 200
        finally:
            process.kill()
            listener.close()
