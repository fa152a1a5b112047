"""The client's side of the Edge daemon: start it when nobody has, keep one connection per thread, retry once.

A broken connection means that the daemon died or was restarted. Every operation can be repeated, so the request is sent
once more over a new connection, to a daemon that is started if need be.
"""

import contextlib
import fcntl
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from embeddings.stores import wire
from embeddings.stores.edge_address import IS_KEPT, Address
from shop_search.errors import ServiceError

_PROJECT: Final = Path(__file__).resolve().parents[2]
_PING_TIMEOUT_S: Final = 5.0
_STOP_TIMEOUT_S: Final = 30.0


class Connection:
    """A socket that closes itself quietly with its thread."""

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected
        self.pid = os.getpid()  # a forked child must not speak on its parent's connection

    def __del__(self) -> None:
        self.socket.close()


class EdgeClient:
    def __init__(self, path: str, *, timeout_s: float, start_timeout_s: float, idle_exit_s: float | None) -> None:
        self.address = Address(Path(path))
        self._timeout_s = timeout_s
        self._start_timeout_s = start_timeout_s
        self._idle_exit_s = idle_exit_s
        self._local = threading.local()

    def request(self, header: wire.Header, body: bytes = b"") -> wire.Message:
        """Returns the daemon's reply, starting the daemon if none runs.

        Raises ServiceError with the daemon's own code, or `vector_store_unavailable` when it can't be started, died
        twice over this request, or gave no answer in time.
        """
        try:
            reply = self._try_twice(header, body)
        except TimeoutError as error:
            self._forget()
            raise self._unavailable(f"gave no answer to {header['op']!r} within {self._timeout_s} s") from error
        except OSError as error:
            self._forget()
            raise self._unavailable(f"died twice over {header['op']!r}") from error
        except ServiceError:
            self._forget()  # what follows on this connection can't be trusted
            raise
        if not reply.header.get("ok"):
            raise ServiceError(str(reply.header.get("code")), str(reply.header.get("message")))
        return reply

    def stop(self) -> None:
        """Stops the daemon if it runs, and returns when it has closed its shards."""
        self._forget()
        connection = self.address.connect(timeout_s=_STOP_TIMEOUT_S)
        if connection is None:
            return
        with connection:
            try:
                wire.send(connection, {"op": "shutdown"})
                while wire.receive(connection) is not None:
                    pass
            except TimeoutError as error:
                raise self._unavailable(f"did not stop within {_STOP_TIMEOUT_S} s") from error
            except OSError:
                pass  # it hung up: it has stopped

    def pid(self) -> int | None:
        """Returns the running daemon's process id, or None when none runs. Starts nothing."""
        connection = self.address.connect(timeout_s=_PING_TIMEOUT_S)
        if connection is None:
            return None
        with connection:
            try:
                reply = _exchange(connection, {"op": "ping"}, b"")
            except TimeoutError as error:
                raise self._unavailable(f"gave no answer within {_PING_TIMEOUT_S} s") from error
            except OSError:
                return None
        return int(reply.header["pid"])

    def _try_twice(self, header: wire.Header, body: bytes) -> wire.Message:
        try:
            return _exchange(self._connection(), header, body)
        except TimeoutError:
            raise
        except OSError:
            self._forget()
            return _exchange(self._connection(), header, body)

    def _connection(self) -> socket.socket:
        held: Connection | None = getattr(self._local, "connection", None)
        if held is None or held.pid != os.getpid():
            held = Connection(self._connect())
            self._local.connection = held
        return held.socket

    def _forget(self) -> None:
        self._local.connection = None

    def _connect(self) -> socket.socket:
        deadline = time.monotonic() + self._start_timeout_s
        while (connection := self._greet()) is None:
            if time.monotonic() > deadline:
                raise self._unavailable(f"was started but did not answer within {self._start_timeout_s} s")
            self._start()
        return connection

    def _greet(self) -> socket.socket | None:
        """Returns a connection over which the daemon has answered: one that is dying still accepts connections."""
        connection = self.address.connect(timeout_s=self._timeout_s)
        if connection is None:
            return None
        try:
            _exchange(connection, {"op": "ping"}, b"")
        except TimeoutError:
            connection.close()
            raise
        except OSError:
            connection.close()
            return None
        return connection

    def _start(self) -> None:
        if os.environ.get(IS_KEPT):
            time.sleep(0.05)
            return
        self.address.make_folder()
        with self._starting():
            running = self.address.connect(timeout_s=self._timeout_s)
            if running is None:
                self._spawn()
            else:
                running.close()
                time.sleep(0.02)  # it is dying, or another thread has just started it

    @contextlib.contextmanager
    def _starting(self) -> Iterator[None]:
        """Lets one thread of one process start the daemon; the others wait and find it running."""
        with open(self.address.starting_lock, "w", opener=_private) as stream:
            deadline = time.monotonic() + self._start_timeout_s
            while True:
                try:
                    fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError as error:
                    if time.monotonic() > deadline:
                        raise self._unavailable(f"is being started for over {self._start_timeout_s} s") from error
                    time.sleep(0.02)
            yield

    def _spawn(self) -> None:
        command = [sys.executable, "-m", "embeddings.stores.edge_server", "--detach", "--path", str(self.address.path)]
        if self._idle_exit_s is not None:
            command += ["--idle-exit-s", str(self._idle_exit_s)]
        environment = os.environ | {
            # Lean: the daemon does no linear algebra, and arenas per thread would only hold memory back.
            "OPENBLAS_NUM_THREADS": "1",
            "MALLOC_ARENA_MAX": "2",
        }
        try:
            done = subprocess.run(
                command,
                cwd=_PROJECT,  # -m looks there first, so nothing where the caller stands can take a module's place
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=self._start_timeout_s,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise self._unavailable(f"could not be started: {error}") from error
        if done.returncode:
            said = (done.stderr.strip() or _last_line(self.address.log)).splitlines()
            raise self._unavailable(
                f"could not be started (exit status {done.returncode}): {said[-1] if said else 'it said nothing'}"
            )

    def _unavailable(self, what: str) -> ServiceError:
        return ServiceError(
            "vector_store_unavailable",
            f"The vector store of {self.address.path} {what}. Its log is {self.address.log}.",
        )


def _exchange(connection: socket.socket, header: wire.Header, body: bytes) -> wire.Message:
    wire.send(connection, header, body)
    reply = wire.receive(connection)
    if reply is None:
        raise ConnectionResetError("the daemon hung up")
    return reply


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _last_line(log: Path) -> str:
    try:
        lines = log.read_text(errors="replace").strip().splitlines()
    except OSError:
        return ""
    return lines[-1] if lines else ""
