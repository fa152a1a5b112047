"""`serve`, end to end: it answers, brings back what dies, and leaves nothing behind."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from tests.journeys.running_shop import PATIENCE_S, Shop, environment, wait_until


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A shop to be stopped."""
    shop = Shop(tmp_path)
    yield shop
    shop.kill_all()


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop that goes on, whatever is done to it."""
    shop = Shop(tmp_path_factory.mktemp("lasting"))
    yield shop
    shop.kill_all()


def test_serve_answers_and_brings_back_what_is_killed(lasting: Shop) -> None:
    assert lasting.health()["status"] == "ok"
    before = lasting.programs()
    assert set(before) == {"web", "worker", "store"}
    for name in ("store", "web", "worker"):
        before[name].send_signal(signal.SIGKILL)
        wait_until(lambda name=name: name in (now := lasting.programs()) and now[name] != before[name], lasting)  # type: ignore[misc]
        wait_until(lambda: lasting.health()["status"] == "ok", lasting)
        assert f"{name} was killed (SIGKILL); starting it again." in lasting.said


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


def test_a_second_serve_on_one_home_is_refused_and_the_first_goes_on(lasting: Shop) -> None:
    address = f"http://127.0.0.1:{lasting.port}/"
    second = subprocess.run(
        [sys.executable, "manage.py", "serve", "--port", "0"],
        cwd=settings.BASE_DIR,
        env=environment(lasting.home),
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode == 1
    assert "already runs" in second.stderr
    assert address in second.stderr
    assert lasting.health()["status"] == "ok"


def test_a_busy_port_is_refused_before_anything_starts(lasting: Shop, tmp_path: Path) -> None:
    second = subprocess.run(
        [sys.executable, "manage.py", "serve", "--port", str(lasting.port)],
        cwd=settings.BASE_DIR,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode == 1
    assert f"Port {lasting.port} on 127.0.0.1 can't be used" in second.stderr
    assert not (tmp_path / "shop_search.sqlite3").exists()


def test_listening_for_others_says_who_is_answered(tmp_path: Path) -> None:
    shop = Shop(tmp_path, arguments=("--host", "0.0.0.0"))
    try:
        wait_until(lambda: "only this machine is answered" in shop.said, shop)
        assert "SHOP_SEARCH_HOSTS" in shop.said
    finally:
        shop.kill_all()
