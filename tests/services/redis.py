"""A Redis server of the tests' own, reached by a socket, thrown away."""

import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

PATIENCE_S = 20.0


def program() -> str | None:
    return shutil.which("redis-server")


class Redis:
    """One server that keeps everything in memory."""

    def __init__(self) -> None:
        path = program()
        if path is None:
            raise FileNotFoundError("redis-server isn't installed.")
        self._program = path
        self.folder = Path(tempfile.mkdtemp(prefix="shop-redis-"))
        self._socket = self.folder / "socket"
        self.start()

    @property
    def url(self) -> str:
        """For SHOP_SEARCH_REDIS_URL."""
        return f"unix://{self._socket}"

    def start(self) -> None:
        options = ("--port", "0", "--unixsocket", str(self._socket), "--save", "", "--appendonly", "no")
        self._process = subprocess.Popen(
            [self._program, *options, "--dir", str(self.folder)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + PATIENCE_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"redis-server didn't start ({self._process.poll()}).")
            time.sleep(0.02)

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(1)
            try:
                client.connect(str(self._socket))
                client.sendall(b"PING\r\n")
                return client.recv(16).startswith(b"+PONG")
            except OSError:
                return False
