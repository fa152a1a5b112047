"""The Edge daemon: the one process that opens the shards of a folder and answers everyone else over a socket.

    python -m embeddings.stores.edge_server --path PATH [--idle-exit-s S] [--detach]

Edge holds Python's GIL during each call and allows one process per shard (docs/decisions/0001). So it lives here, and
web, worker and commands stay responsive. Exit status: 0 stopped, 75 another daemon holds this folder.
"""

import argparse
import contextlib
import fcntl
import logging
import os
import selectors
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final

from embeddings.stores import wire
from embeddings.stores.edge_address import Address, peer_uid
from embeddings.stores.edge_requests import answer
from embeddings.stores.edge_shards import Collections
from shop_search.errors import ServiceError

logger = logging.getLogger("edge_server")

EXIT_LOCKED: Final = 75  # EX_TEMPFAIL of sysexits.h
_LOCK_WAIT_S: Final = 5.0  # a daemon that is stopping closes its shards within this time
_TICK_S: Final = 1.0
_FLUSH_EVERY_S: Final = 5.0  # docs/decisions/0002 has the measurements
_MAX_LOG_BYTES: Final = 1_000_000


class Server:
    """Accepts connections and answers each in a thread of its own until told to stop."""

    def __init__(self, address: Address, listener: socket.socket, *, idle_exit_s: float | None) -> None:
        self._address = address
        self._listener = listener
        self.idle_exit_s = idle_exit_s
        self.started_at = time.monotonic()
        self.collections = Collections(address.path)
        self._wake_reader, self._wake_writer = socket.socketpair()
        self._stopping = threading.Event()
        self._connections = 0
        self._connections_lock = threading.Lock()
        self._last_seen = time.monotonic()
        self._last_flush = time.monotonic()

    @property
    def connections(self) -> int:
        return self._connections

    def stop(self) -> None:
        """Makes `run` return. Safe in signal handlers."""
        self._stopping.set()
        with contextlib.suppress(OSError):
            self._wake_writer.send(b"\0")

    def run(self, *, still_ours: Callable[[], bool]) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            selector.register(self._wake_reader, selectors.EVENT_READ)
            while not self._stopping.is_set():
                for key, _ in selector.select(_TICK_S):
                    if key.fileobj is self._listener:
                        self._accept_safely()
                self._tick(still_ours)
        self._listener.close()
        self.collections.close()

    def _accept_safely(self) -> None:
        try:
            self._accept()
        except (OSError, RuntimeError):  # out of descriptors or threads: those who are connected go on
            logger.exception("can't take another connection")
            time.sleep(_TICK_S)

    def _accept(self) -> None:
        connection, _ = self._listener.accept()
        if peer_uid(connection) not in (None, os.geteuid()):
            logger.warning("refused a connection of user %s", peer_uid(connection))
            connection.close()
            return
        with self._connections_lock:
            self._connections += 1
        threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection:
                while self._serve_one(connection):
                    pass
        except OSError:
            pass  # the client is gone
        except BaseException:
            # A panic in Edge arrives as no Exception. Its state can't be trusted; the log on disk can.
            logger.critical("the vector store broke and exits", exc_info=True)
            os._exit(70)
        finally:
            with self._connections_lock:
                self._connections -= 1
                self._last_seen = time.monotonic()

    def _serve_one(self, connection: socket.socket) -> bool:
        """Answers the next request and returns whether the connection can go on."""
        try:
            request = wire.receive(connection)
        except ServiceError as error:
            logger.warning("refused a message: %s", error.message)
            wire.send(connection, _failure(error))
            return False
        if request is None:
            return False
        try:
            header, body = answer(self, request)
            wire.send(connection, header, body)
        except OSError:
            raise
        except Exception as error:
            if self._stopping.is_set():
                return False  # the client asks again, and the next daemon answers
            if not isinstance(error, ServiceError):
                logger.exception("failed: %s", request.header.get("op"))
                error = ServiceError("vector_store_failed", f"{type(error).__name__}: {error}")
            wire.send(connection, _failure(error))
        return True

    def _tick(self, still_ours: Callable[[], bool]) -> None:
        now = time.monotonic()
        if now - self._last_flush >= _FLUSH_EVERY_S:
            self._last_flush = now
            try:
                self.collections.flush()
            except Exception:
                logger.exception("can't write to disk; points stay in the log")
        if not still_ours():
            logger.warning("the folder is gone")
            self.stop()
        if self._connections:
            self._last_seen = now
        elif self.idle_exit_s is not None and now - self._last_seen > self.idle_exit_s:
            logger.info("nobody was connected for %s s", self.idle_exit_s)
            self.stop()


def serve(path: Path, *, idle_exit_s: float | None, ready: Callable[[], None]) -> int:
    """Runs the daemon until it is told to stop and returns its exit status."""
    address = Address(path)
    address.make_folder()
    lock = _take_lock(address)
    if lock is None:
        logger.error("another process holds %s", address.lock)
        return EXIT_LOCKED
    logger.setLevel(logging.INFO)
    log = RotatingFileHandler(address.log, maxBytes=_MAX_LOG_BYTES, backupCount=1, encoding="utf-8")
    log.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logger.addHandler(log)
    server = Server(address, address.listen(), idle_exit_s=idle_exit_s)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: server.stop())
    logger.info("started, pid %s", os.getpid())
    ready()
    try:
        server.run(still_ours=lambda: _is_same_file(lock, address.lock))
    finally:
        if _is_same_file(lock, address.lock):
            address.remove_socket()
    logger.info("stopped")
    return 0


def _failure(error: ServiceError) -> wire.Header:
    return {"ok": False, "code": error.code, "message": error.message}


def _take_lock(address: Address) -> int | None:
    """Returns the descriptor that holds the folder's lock, or None when a daemon that answers holds it."""
    descriptor = os.open(address.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + _LOCK_WAIT_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
        except BlockingIOError:
            other = address.connect(timeout_s=1.0)
            if other is not None:
                other.close()
            if other is not None or time.monotonic() > deadline:
                os.close(descriptor)
                return None
            time.sleep(0.05)


def _is_same_file(descriptor: int, path: Path) -> bool:
    """Says whether the path still leads to the open file: a folder that was removed and made anew has another lock."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except OSError:
        return False


def _detach(log: Path, run: Callable[[Callable[[], None]], int]) -> int:
    """Runs the daemon in a session of its own, and returns once it is ready, or its exit status when it never was."""
    reader, writer = os.pipe()
    child = os.fork()
    if child:
        os.close(writer)
        if os.read(reader, 1):
            return 0
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status) or 1
    os.close(reader)
    os.setsid()
    os.chdir("/")
    null, out = os.open(os.devnull, os.O_RDONLY), os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for descriptor, target in ((null, 0), (out, 1), (out, 2)):
        os.dup2(descriptor, target)
    os.close(null)
    os.close(out)

    def ready() -> None:
        os.write(writer, b"\1")
        os.close(writer)

    return run(ready)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m embeddings.stores.edge_server", description=__doc__)
    parser.add_argument("--path", type=Path, required=True, help="the store's folder")
    parser.add_argument("--idle-exit-s", type=float, help="stop after this time without a connection (default: never)")
    parser.add_argument("--detach", action="store_true", help="return once the daemon runs in the background")
    options = parser.parse_args()
    os.umask(0o077)
    path = Path(os.path.abspath(options.path))

    def run(ready: Callable[[], None]) -> int:
        return serve(path, idle_exit_s=options.idle_exit_s, ready=ready)

    if not options.detach:
        logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s")
        return run(lambda: None)
    address = Address(path)
    address.make_folder()
    return _detach(address.log, run)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ServiceError as failure:
        sys.exit(f"{failure.code}: {failure.message}")
