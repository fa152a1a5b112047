"""A shop in processes of its own, as `serve` and `demo` run it, for tests that start, kill and stop it."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
from django.conf import settings

PATIENCE_S = 240.0  # for what must happen: costs nothing where it does, and a busy machine is slow
READY = re.compile(r"is ready at http://127\.0\.0\.1:(\d+)/")


class Shop:
    """A running `manage.py serve`, or `demo`, on a home of its own and a free port."""

    def __init__(
        self,
        home: Path,
        *,
        command: str = "serve",
        arguments: tuple[str, ...] = (),
        patience_s: float = PATIENCE_S,
        settings_module: str = "shop_search.settings",
    ) -> None:
        self.home = home
        self.patience_s = patience_s
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", command, "--port", "0", *arguments],
            cwd=settings.BASE_DIR,
            env={**environment(home), "DJANGO_SETTINGS_MODULE": settings_module},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        threading.Thread(target=self._read, daemon=True).start()

    @property
    def said(self) -> str:
        return "".join(self.lines)

    @property
    def port(self) -> int:
        """The port, once the address was printed."""
        wait_until(lambda: READY.search(self.said) is not None or self.process.poll() is not None, self)
        found = READY.search(self.said)
        assert found is not None, self.said
        return int(found[1])

    def get(self, path: str) -> tuple[int, str]:
        """Returns the status and the body of a page."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()

    def health(self) -> dict[str, Any]:
        body: dict[str, Any] = json.loads(self.get("/api/v1/health/")[1])
        return body

    def programs(self) -> dict[str, psutil.Process]:
        """Returns the programs that run now, by name."""
        names = {"web": "web", "worker": "worker", "embeddings.stores.edge_program": "store"}
        found: dict[str, psutil.Process] = {}
        for child in psutil.Process(self.process.pid).children():
            try:
                found.update({names[word]: child for word in child.cmdline() if word in names})
            except (psutil.NoSuchProcess, psutil.ZombieProcess):
                continue
        return found

    def leftovers(self) -> list[str]:
        """Returns the command lines of living processes that know this home."""
        return [
            line for process in psutil.process_iter() if knows(process, self.home) and (line := command_of(process))
        ]

    def stop(self) -> None:
        """Stops it as Ctrl-C does."""
        self.process.send_signal(signal.SIGINT)
        assert self.process.wait(timeout=PATIENCE_S) == 0

    def kill_all(self) -> None:
        self.process.kill()
        self.process.wait()
        wait_until(lambda: not self.leftovers(), self)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)


def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "SHOP_SEARCH_HOME": str(home), "DJANGO_SETTINGS_MODULE": "shop_search.settings"}


def command_of(process: psutil.Process) -> str:
    """Returns its command line; nothing when it ended meanwhile."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def knows(process: psutil.Process, home: Path) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE and process.environ().get("SHOP_SEARCH_HOME") == str(home)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False


def wait_until(is_true: Callable[[], bool], shop: Shop) -> None:
    until = time.monotonic() + shop.patience_s
    while not is_true():
        assert time.monotonic() < until, f"waited in vain; serve said:\n{shop.said}"
        time.sleep(0.1)
