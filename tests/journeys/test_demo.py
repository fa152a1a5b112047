"""The README's first command: a home that starts empty becomes a shop that answers."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures import demo_products
from tests.journeys.running_shop import PATIENCE_S, Shop, wait_until

DRAWING = "Drawing the demo shop"
SMALL = "tests.journeys.small_demo"
PRODUCTS = len(demo_products()[::8])


@pytest.fixture(scope="module")
def demo_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home that a first `demo` has filled with some of its products."""
    home = tmp_path_factory.mktemp("demo")
    first = Shop(home, command="demo", patience_s=600, settings_module=SMALL)
    try:
        assert first.port
        assert DRAWING in first.said
        first.stop()
        yield home
    finally:
        first.kill_all()


@pytest.fixture(scope="module")
def demo(demo_home: Path) -> Iterator[Shop]:
    """The same demo, started again."""
    again = Shop(demo_home, command="demo", settings_module=SMALL)
    yield again
    again.kill_all()


def test_a_second_start_has_everything_and_draws_nothing(demo: Shop) -> None:
    health = demo.health()
    assert health["status"] == "ok"
    assert health["products"] == PRODUCTS
    assert health["images_indexed"] == 2 * PRODUCTS
    assert DRAWING not in demo.said
    assert "Importing" not in demo.said


def test_the_page_offers_the_drawn_scenes(demo: Shop) -> None:
    status, page = demo.get("/")
    assert status == 200
    assert "samples/" in page


def test_an_interrupted_start_leaves_no_process_and_no_half_drawn_shop(tmp_path: Path) -> None:
    shop = Shop(tmp_path, command="demo")
    try:
        wait_until(lambda: DRAWING in shop.said, shop)
        shop.process.send_signal(signal.SIGINT)
        assert shop.process.wait(timeout=PATIENCE_S) == 130
        wait_until(lambda: shop.leftovers() == [], shop)
        assert "The next start goes on from here." in shop.said
        assert not (tmp_path / "demo").exists()
    finally:
        shop.kill_all()
