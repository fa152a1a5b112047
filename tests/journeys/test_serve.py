"""`serve`, end to end: it answers, brings back what dies, and leaves nothing behind."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.conf import settings

PATIENCE_S = 60.0
READY = re.compile(r"is ready at http://127\.0\.0\.1:(\d+)/")


class Shop:
    """A running `manage.py serve` on a home of its own."""

    def __init__(self, home: Path, *arguments: str) -> None:
        self.home = home
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "serve", "--port", "0", *arguments],
            cwd=settings.BASE_DIR,
            env=environment(home),
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

    def health(self) -> dict[str, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        connection.request("GET", "/api/v1/health/")
        body: dict[str, Any] = json.loads(connection.getresponse().read())
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
        return [" ".join(process.cmdline()) for process in psutil.process_iter() if knows(process, self.home)]

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


def knows(process: psutil.Process, home: Path) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE and process.environ().get("SHOP_SEARCH_HOME") == str(home)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False


def wait_until(is_true: Callable[[], bool], shop: Shop) -> None:
    until = time.monotonic() + PATIENCE_S
    while not is_true():
        assert time.monotonic() < until, f"waited in vain; serve said:\n{shop.said}"
        time.sleep(0.1)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(tmp_path)
    yield shop
    shop.kill_all()


def test_serve_answers_and_brings_back_what_is_killed(shop: Shop) -> None:
    assert shop.health()["status"] == "ok"
    before = shop.programs()
    assert set(before) == {"web", "worker", "store"}
    for name in ("store", "web", "worker"):
        before[name].send_signal(signal.SIGKILL)
        wait_until(lambda name=name: name in (now := shop.programs()) and now[name] != before[name], shop)  # type: ignore[misc]
        wait_until(lambda: shop.health()["status"] == "ok", shop)
        assert f"{name} was killed (SIGKILL); starting it again." in shop.said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_serve_leaves_no_process(shop: Shop, number: signal.Signals) -> None:
    assert shop.port
    assert len(shop.leftovers()) >= 4
    shop.process.send_signal(number)
    assert shop.process.wait(timeout=PATIENCE_S) == 0
    assert shop.leftovers() == []
    wait_until(lambda: "Stopped." in shop.said, shop)


def test_a_killed_serve_leaves_no_process(shop: Shop) -> None:
    assert shop.port
    shop.process.kill()
    wait_until(lambda: shop.leftovers() == [], shop)


def test_serve_takes_over_from_a_store_that_a_command_started(tmp_path: Path) -> None:
    start = "from embeddings.stores.edge import EdgeStore; EdgeStore({!r}).start()".format(str(tmp_path / "vectors"))
    subprocess.run([sys.executable, "-c", start], cwd=settings.BASE_DIR, env=environment(tmp_path), check=True)
    shop = Shop(tmp_path)
    try:
        assert shop.health()["vector_store"] == "ok"
        shop.process.send_signal(signal.SIGINT)
        shop.process.wait(timeout=PATIENCE_S)
        assert shop.leftovers() == []
    finally:
        shop.kill_all()


def test_a_second_serve_on_one_home_is_refused_and_the_first_goes_on(shop: Shop) -> None:
    address = f"http://127.0.0.1:{shop.port}/"
    second = subprocess.run(
        [sys.executable, "manage.py", "serve", "--port", "0"],
        cwd=settings.BASE_DIR,
        env=environment(shop.home),
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode == 1
    assert "already runs" in second.stderr
    assert address in second.stderr
    assert shop.health()["status"] == "ok"


def test_a_busy_port_is_refused_before_anything_starts(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other")
    second = subprocess.run(
        [sys.executable, "manage.py", "serve", "--port", str(shop.port)],
        cwd=settings.BASE_DIR,
        env=environment(other),
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode == 1
    assert f"Port {shop.port} on 127.0.0.1 can't be used" in second.stderr
    assert not (other / "shop_search.sqlite3").exists()
