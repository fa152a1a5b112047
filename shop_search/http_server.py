"""The web process's HTTP server: waitress with bounds on what a client may send, and errors in the API's own shape.

A body over the limit is refused when its headers arrive, before it is read. Most clients only look for an answer once
they have sent everything, and closing early would reset the connection under them, so the rest is read and thrown away
for a bounded time.
"""

import json
import logging
import socket
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from copy import copy
from typing import Any

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import create_server
from waitress.task import ErrorTask

# One request keeps one thread. Detection and encoding release the GIL, so a few more than cores keep both busy while
# others wait for the store; more would only queue inside the models.
THREADS = 8
# A connection that has sent or taken nothing for this long is closed.
SILENT_FOR_S = 30
# How long a refused body is still read, so that its sender gets to see the answer.
DRAIN_S = 10.0
# A 5 MB photo arrives in 80 reads instead of waitress' 600.
READ_BYTES = 64 * 1024
# A phone's photo is held in memory while it arrives; only larger bodies go through a temporary file.
BODY_IN_MEMORY_BYTES = 6 * 2**20

# waitress' own refusals, before any code of ours sees the request.
CODES = {
    400: "bad_request",
    413: "upload_too_large",
    431: "headers_too_large",
    500: "internal_error",
    501: "unsupported",
}

Application = Callable[..., Iterable[bytes]]


class JSONErrorTask(ErrorTask):
    """Answers a refused request with the body every API error has: code, message, fields."""

    def execute(self) -> None:
        error = self.request.error
        body = json.dumps({"code": CODES.get(error.code, "bad_request"), "message": self._message(), "fields": {}})
        self.status = f"{error.code} {error.reason}"
        self.response_headers.append(("Content-Type", "application/json"))
        self.set_close_on_finish()
        self.content_length = len(body)
        self.channel.drains = True
        self.write(body.encode())

    def _message(self) -> str:
        error = self.request.error
        if error.code != 413:
            return f"The server can't take this request: {error.body}."
        limit_mb = self.request.adj.max_request_body_size / 2**20
        return f"The request is larger than {limit_mb:.0f} MiB, the most that is accepted. Send a smaller file."


class Parser(HTTPRequestParser):
    """Lets some paths send more, to those who at least say who they are."""

    larger: Mapping[str, int] = {}  # path prefix -> bytes
    adj: Any

    def parse_header(self, header_plus: bytes) -> None:
        super().parse_header(header_plus)
        most = next((most for prefix, most in self.larger.items() if self.path.startswith(prefix)), None)
        if most is not None and {"AUTHORIZATION", "COOKIE"} & set(self.headers):
            self.adj = copy(self.adj)
            self.adj.max_request_body_size = most + 1


class Channel(HTTPChannel):
    """A connection that, after a refusal, reads on until the client is done or `DRAIN_S` are over."""

    error_task_class = JSONErrorTask
    parser_class = Parser
    drains = False
    drain_until: float | None = None

    def readable(self) -> bool:
        if self.drain_until is not None:
            if time.monotonic() > self.drain_until:
                self.will_close = True
            return not self.will_close
        return bool(super().readable())

    def writable(self) -> bool:
        if self.drain_until is not None:
            return bool(self.will_close)
        return bool(super().writable())

    def handle_write(self) -> None:
        if self.drains and self.close_when_flushed and self.drain_until is None:
            self._flush_exception(self._flush_some)
            if not self.total_outbufs_len and self.connected and not self.will_close:
                self._start_draining()
                return
        super().handle_write()

    def received(self, data: bytes) -> bool:
        return False if self.drain_until is not None else bool(super().received(data))

    def _start_draining(self) -> None:
        self.drain_until = time.monotonic() + DRAIN_S
        try:
            self.socket.shutdown(socket.SHUT_WR)  # the client sees the end of the answer now
        except OSError:
            self.will_close = True


def serve_http(
    application: Application,
    listener: socket.socket,
    *,
    max_body_bytes: int,
    larger_bodies: Mapping[str, int] | None = None,
) -> None:
    """Serves until SystemExit or KeyboardInterrupt reaches the main thread, then answers the requests in hand.

    `larger_bodies` are limits of their own for paths by prefix; bodies of more than half a MiB wait on disk.
    """
    Parser.larger = dict(larger_bodies or {})
    # It warns of each request that waits for a thread, which is what the queue is for.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    server: Any = create_server(
        application,
        sockets=[listener],
        threads=THREADS,
        max_request_body_size=max_body_bytes + 1,  # waitress refuses from this size on
        recv_bytes=READ_BYTES,
        inbuf_overflow=BODY_IN_MEMORY_BYTES,
        channel_timeout=SILENT_FOR_S,
        cleanup_interval=5,
        backlog=socket.SOMAXCONN,
        ident=None,
    )
    server.channel_class = Channel
    server.run()


def exit_on_signal(*_: object) -> None:
    """A signal handler that ends `serve_http` in good order."""
    sys.exit(0)
