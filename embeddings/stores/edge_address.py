"""Where the Edge daemon of a folder can be reached: files that client and daemon share.

PATH/                 0700, owned by this user; holds everything below and the collections
PATH/lock             held (flock) by the one daemon for as long as it lives
PATH/starting.lock    held by the client that is starting a daemon, so that others wait instead of starting more
PATH/daemon.json      pid and socket of the daemon that wrote it last
PATH/daemon.log       what it said
PATH/daemon.sock      the socket, 0600; elsewhere, in a new temporary 0700 folder, when this path is too long
"""

import contextlib
import errno
import json
import os
import socket
import stat
import struct
import tempfile
from pathlib import Path
from typing import Final

from shop_search.errors import ServiceError

# sun_path holds 108 bytes on Linux and 104 on macOS, with a closing NUL.
_MAX_SOCKET_PATH_BYTES: Final = 103
# Set for the programs of a supervisor that keeps the daemon: they wait for it and start none, which would outlive them.
IS_KEPT: Final = "_SHOP_SEARCH_STORE_IS_KEPT"
_TEMPORARY_PREFIX: Final = "shop-search-"


class Address:
    """The files of one store. Raises ServiceError `vector_store_unavailable` when the folder isn't this user's own."""

    def __init__(self, path: Path) -> None:
        self.path = Path(os.path.abspath(path))  # a path is kept as given: /var/run may be a link
        self.lock = self.path / "lock"
        self.starting_lock = self.path / "starting.lock"
        self.record = self.path / "daemon.json"
        self.log = self.path / "daemon.log"

    def make_folder(self) -> None:
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            check_private(self.path)
        except OSError as error:
            raise ServiceError(
                "vector_store_unavailable", f"The vector store's folder {self.path} can't be used: {error}."
            ) from error

    def connect(self, *, timeout_s: float) -> socket.socket | None:
        """Returns a connection to the running daemon, or None when none answers.

        Raises ServiceError `vector_store_unavailable` when the one who answers is another user.
        """
        try:
            target = json.loads(self.record.read_text())["socket"]
        except (OSError, ValueError, KeyError):
            return None
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.settimeout(timeout_s)
            connection.connect(target)
        except OSError:
            connection.close()
            return None
        if peer_uid(connection) not in (None, os.geteuid()):
            connection.close()
            raise ServiceError("vector_store_unavailable", f"The socket {target} belongs to another user.")
        return connection

    def listen(self) -> socket.socket:
        """Returns the listening socket and writes down where it is. Only the holder of `lock` may call it."""
        self.remove_socket()
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            target = self._bind(listener)
            target.chmod(0o600)
            listener.listen(128)
            draft = self.record.with_suffix(".new")
            draft.write_text(json.dumps({"pid": os.getpid(), "socket": str(target)}))
            draft.replace(self.record)
        except BaseException:
            listener.close()
            raise
        return listener

    def remove_socket(self) -> None:
        """Removes the socket that the last daemon left, and its temporary folder if it had one."""
        with contextlib.suppress(OSError, ValueError, KeyError):
            target = Path(json.loads(self.record.read_text())["socket"])
            target.unlink(missing_ok=True)
            if target.parent != self.path and target.parent.name.startswith(_TEMPORARY_PREFIX):
                target.parent.rmdir()
        self._own_socket.unlink(missing_ok=True)

    @property
    def _own_socket(self) -> Path:
        return self.path / "daemon.sock"

    def _bind(self, listener: socket.socket) -> Path:
        """Binds to a socket in this folder, or in a temporary one, and returns its path."""
        try:
            if len(os.fsencode(self._own_socket)) <= _MAX_SOCKET_PATH_BYTES:
                listener.bind(str(self._own_socket))
                return self._own_socket
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.EPERM):  # some mounts hold no sockets
                raise
        # mkdtemp makes a folder of a name nobody can foresee, 0700, so no link can be laid in its place.
        base = os.environ.get("XDG_RUNTIME_DIR")
        folder = tempfile.mkdtemp(prefix=_TEMPORARY_PREFIX, dir=base if base and os.path.isdir(base) else None)
        target = Path(folder) / "daemon.sock"
        listener.bind(str(target))
        return target


def check_private(folder: Path) -> None:
    """Makes a folder of this user 0700. Raises PermissionError when it belongs to someone else."""
    status = folder.stat()
    if status.st_uid != os.geteuid():
        raise PermissionError(f"it belongs to user {status.st_uid}, not to {os.geteuid()}")
    if stat.S_IMODE(status.st_mode) & 0o077:
        folder.chmod(0o700)


def peer_uid(connection: socket.socket) -> int | None:
    """Returns the other side's user id, or None where the system can't tell: there the 0700 folder guards alone."""
    if not hasattr(socket, "SO_PEERCRED"):
        return None
    credentials = struct.Struct("=iII")  # pid, uid, gid
    packed = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, credentials.size)
    uid: int = credentials.unpack(packed)[1]
    return uid
