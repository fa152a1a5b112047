"""A throw-away home for one benchmark, and the whole of Shop Search served from it."""

import http.client
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent
START_TIMEOUT_S = 120.0


@contextmanager
def bench_home() -> Iterator[Path]:
    """Points this process and its children at an empty home, set up for Django; the home is deleted afterwards."""
    with tempfile.TemporaryDirectory(prefix="shop-search-bench-") as folder:
        os.environ["SHOP_SEARCH_HOME"] = folder
        os.environ.pop("QDRANT_URL", None)
        os.environ["DJANGO_SETTINGS_MODULE"] = "shop_search.settings"
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        from embeddings.stores.edge import EdgeStore

        try:
            yield Path(folder)
        finally:
            EdgeStore(Path(folder) / "vectors").stop()


class Server:
    """`manage.py serve` on a free port."""

    def __init__(self, home: Path) -> None:
        self._log = (home / "serve.log").open("w+b")
        self._process = subprocess.Popen(
            [sys.executable, "manage.py", "serve", "--port", "0"],
            cwd=ROOT,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.port = self._wait_until_ready(home)

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def resident_mb(self) -> dict[str, float]:
        """Returns each process's memory in MiB by name, as proportional set size: shared pages count once in all."""
        found: dict[str, float] = {}
        supervisor = psutil.Process(self._process.pid)
        for process in [supervisor, *supervisor.children(recursive=True)]:
            name = process_name(process.cmdline())
            found[name] = round(found.get(name, 0.0) + process.memory_full_info().pss / 2**20, 1)
        return found

    def stop(self) -> None:
        self._process.send_signal(signal.SIGINT)
        self._process.wait(timeout=60)
        self._log.close()

    def _wait_until_ready(self, home: Path) -> int:
        until = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < until and self._process.poll() is None:
            text = (home / "serve.log").read_text(errors="replace")
            if "is ready at http://127.0.0.1:" in text:
                return int(text.partition("is ready at http://127.0.0.1:")[2].partition("/")[0])
            time.sleep(0.1)
        self._process.kill()
        raise RuntimeError("serve didn't start:\n" + (home / "serve.log").read_text(errors="replace"))


def process_name(command: list[str]) -> str:
    """Returns web, worker, store or serve for a command line of one of `serve`'s processes."""
    for word, name in (("web", "web"), ("worker", "worker"), ("embeddings.stores.edge_program", "store")):
        if word in command:
            return name
    return "serve"
