import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

from tests.browser.search_page import SearchPage
from tests.browser.shop import Shop, Stock
from tests.browser.shop import stock as make_stock

PATIENCE_MS = 60_000  # for what must happen: costs nothing where it does, and a busy machine is slow
expect.set_options(timeout=PATIENCE_MS)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NAMES = ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "chrome"]
# Without motion, so that what is measured has arrived.
DESKTOP: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}, "reduced_motion": "reduce"}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
}


def chromium() -> str:
    """Returns the system's own browser: $CHROMIUM or the first found. Skips without one, and fails on CI."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        message = "No Chromium here: install one, or name it in CHROMIUM."
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return found


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    path = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def stock(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Stock:
    """What the real models, importer and store made of a small catalog."""
    return make_stock(tmp_path_factory.mktemp("stock"))


@pytest.fixture(scope="package")
def shop(stock: Stock, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A small shop, once for all browser tests."""
    shop = Shop(stock, tmp_path_factory.mktemp("browser-shop"))
    yield shop
    shop.stop()


@pytest.fixture
def new_page(browser: Browser, shop: Shop) -> Iterator[Callable[..., SearchPage]]:
    """Opens pages in browsers of their own. A test fails when a page of it logs an error that it didn't expect."""
    contexts: list[BrowserContext] = []
    pages: list[SearchPage] = []

    def make(**options) -> SearchPage:
        context = browser.new_context(base_url=shop.address, **{**DESKTOP, **options})
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        pages.append(SearchPage(context.new_page()))
        return pages[-1]

    yield make
    troubles = [trouble for page in pages for trouble in page.troubles]
    for context in contexts:
        context.close()
    assert not troubles, f"The page logged: {troubles}"


@pytest.fixture
def page(new_page: Callable[..., SearchPage]) -> SearchPage:
    """The start page on a desktop."""
    page = new_page()
    page.open()
    return page


@pytest.fixture
def phone(new_page: Callable[..., SearchPage]) -> SearchPage:
    page = new_page(**PHONE)
    page.open()
    return page


@pytest.fixture(scope="package")
def look(shop: Shop) -> Path:
    """A photo of somebody in several products."""
    return max(shop.scenes, key=lambda scene: len(scene[1].items))[0]


@pytest.fixture(scope="package")
def other_look(shop: Shop, look: Path) -> Path:
    return next(path for path, _ in shop.scenes if path != look)
