"""What one running instance owns alone: its home and its port. Both are taken before anything starts."""

import fcntl
import os
import socket
from pathlib import Path

from shop_search.errors import ServiceError

LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})
BACKLOG = 128  # connections that wait while the web process restarts


class HomeLock:
    """Holds a home for one `serve` at a time. The kernel lets go of it when the process ends, however it ends."""

    def __init__(self, home: Path) -> None:
        self._path = home / "serve.lock"
        self._fd = -1

    def take(self, address: str) -> None:
        """Takes the lock and notes who holds it. Raises ServiceError `already_running` when another process does."""
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = self._path.read_text(encoding="utf-8").strip() or "another process"
            os.close(fd)
            raise ServiceError(
                "already_running",
                f"Shop Search already runs on {self._path.parent} ({holder}). Stop it first, or set SHOP_SEARCH_HOME "
                "to another folder to run a second instance.",
            ) from error
        os.ftruncate(fd, 0)
        os.write(fd, f"{address}, process {os.getpid()}".encode())
        self._fd = fd

    def release(self) -> None:
        if self._fd >= 0:
            os.ftruncate(self._fd, 0)
            os.close(self._fd)
            self._fd = -1


def bind(host: str, port: int) -> socket.socket:
    """Returns a bound socket that isn't listening yet. Raises ServiceError `port_unavailable`."""
    if not 0 <= port <= 65535:  # getaddrinfo would take it modulo 65536
        raise ServiceError("port_unavailable", f"{port} is no port: a port lies between 1 and 65535.")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError) as error:
        raise ServiceError("port_unavailable", f"{host!r} is no address of this machine: {error}") from error
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port that was just in use may be taken again
    try:
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise _unavailable(host, port, error) from error
    return listener


def listen(listener: socket.socket) -> None:
    """Opens the socket for connections. Raises ServiceError `port_unavailable` when another process was faster."""
    try:
        listener.listen(BACKLOG)
    except OSError as error:
        host, port = listener.getsockname()[:2]
        raise _unavailable(host, port, error) from error


def address_of(listener: socket.socket, host: str) -> str:
    """Returns the URL to open in a browser on this machine."""
    port = listener.getsockname()[1]
    if host in {"0.0.0.0", "::", ""}:
        host = "localhost"
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


class Claim:
    """A home and a port, held together for as long as the context lasts."""

    def __init__(self, home: Path, host: str, port: int) -> None:
        """Raises ServiceError `port_unavailable` or `already_running`."""
        self._lock = HomeLock(home)
        self.host = host
        self.listener = bind(host, port)
        self.port: int = self.listener.getsockname()[1]
        self.address = address_of(self.listener, host)
        try:
            self._lock.take(self.address)
        except ServiceError:
            self.listener.close()
            raise

    def __enter__(self) -> "Claim":
        return self

    def __exit__(self, *_: object) -> None:
        self.listener.close()
        self._lock.release()


def _unavailable(host: str, port: int, error: Exception) -> ServiceError:
    return ServiceError(
        "port_unavailable",
        f"Port {port} on {host} can't be used ({error}). Choose another, such as --port {_another(port)} "
        f"(or make demo PORT={_another(port)}).",
    )


def _another(port: int) -> int:
    return port + 1 if 1024 <= port < 65535 else 8000
