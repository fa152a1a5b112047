"""The widget in a shop's own page, which another server on another port sends: another origin, as in real life."""

import json
import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PATIENCE_MS
from tests.browser.shop import Shop

HTML = """<!doctype html><html lang="en"><head><title>Atelier</title><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src {server}; connect-src {server};
img-src {server} blob: data:">
<script async src="{server}/static/catalog/widget/widget.js" data-key="{key}"></script></head>
<body><main><h1>Atelier</h1><p>Our own page.</p><shop-search limit="6"></shop-search></main></body></html>"""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        """Says nothing."""


@pytest.fixture
def new_origin(tmp_path: Path) -> Iterator[Callable[[], tuple[str, Path]]]:
    """Starts web servers for empty folders: each an origin of its own."""
    servers: list[ThreadingHTTPServer] = []

    def start() -> tuple[str, Path]:
        folder = tmp_path / f"site-{len(servers)}"
        folder.mkdir()
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}", folder

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1100, "height": 800}, reduced_motion="reduce")
    context.set_default_timeout(PATIENCE_MS)
    yield context.new_page()
    context.close()


def make_key(shop: Shop, origin: str) -> str:
    command = [sys.executable, "manage.py", "create_widget_key", "--merchant", "atelier", "--origin", origin, "--json"]
    environment = {**os.environ, "SHOP_SEARCH_HOME": str(shop.home)}
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    done = subprocess.run(command, cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True, check=True)
    return str(json.loads(done.stdout)["key"])


def open_site(page: Page, shop: Shop, new_origin, *, allowed: bool = True) -> None:
    origin, folder = new_origin()
    key = make_key(shop, origin if allowed else "https://elsewhere.example")
    (folder / "index.html").write_text(HTML.format(server=shop.address, key=key), encoding="utf-8")
    page.goto(f"{origin}/index.html")


def clicks(shop: Shop) -> int:
    with closing(sqlite3.connect(shop.home / "shop_search.sqlite3")) as database:
        found = database.execute("SELECT count(*) FROM catalog_feedback WHERE verdict = 'click'").fetchone()
    return int(found[0])


def choose(page: Page, photo: Path, button: str = "Search with a photo") -> None:
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name=button).click()
    chooser.value.set_files(photo)


def tab_to_widget(page: Page) -> None:
    """A browser drops keys that come before its first frame, and on a busy machine that is late."""
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.localName") == "shop-search":
            return
        page.wait_for_timeout(200)
    pytest.fail("The widget's button can't be reached with Tab.")


def test_a_photo_finds_products_in_the_shops_own_page(page, shop, new_origin, look):
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
    open_site(page, shop, new_origin)
    choose(page, look)

    dialog = page.get_by_role("dialog", name="Search with a photo")
    expect(dialog.get_by_role("status")).to_contain_text("products shown")
    expect(dialog.get_by_role("listitem")).to_have_count(6)
    expect(dialog.get_by_role("img", name="Your photo")).to_be_visible()
    picture = dialog.get_by_role("listitem").first.locator("img")
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0

    spots = dialog.get_by_role("button", name="Search for this")
    first = dialog.get_by_role("listitem").first.inner_text()
    other = spots.and_(page.locator("[aria-pressed=false]")).first
    label = str(other.get_attribute("aria-label"))
    with page.expect_response(lambda response: response.url.endswith("/api/v1/search/")) as answered:
        other.click()
    assert answered.value.json()["selected"]["box"] is not None
    expect(dialog.get_by_role("button", name=label, pressed=True)).to_be_visible()
    expect(dialog.get_by_role("listitem").first).not_to_have_text(first)
    assert troubles == []


def test_a_click_on_a_product_is_told_and_opens_it(page, shop, new_origin, look):
    open_site(page, shop, new_origin)
    choose(page, look)
    before = clicks(shop)
    link = page.get_by_role("dialog").get_by_role("link").first
    expect(link).to_be_visible()
    address = str(link.get_attribute("href"))
    page.route(address, lambda route: route.fulfill(body="the product's page"))
    link.click()
    page.wait_for_url(address)

    deadline = time.monotonic() + PATIENCE_MS / 1000
    while clicks(shop) == before and time.monotonic() < deadline:  # the page is gone; what it sent is still on its way
        time.sleep(0.1)
    assert clicks(shop) == before + 1


def test_a_page_that_the_key_does_not_name_can_not_search(page, shop, new_origin, look):
    open_site(page, shop, new_origin, allowed=False)
    choose(page, look)

    expect(page.get_by_role("status")).to_have_text("The search can't be reached. Please try again.")
    expect(page.get_by_role("listitem")).to_have_count(0)


def test_what_is_far_waits_behind_one_tap(page, shop, new_origin, look):
    def answer(route):
        response = route.fetch()
        route.fulfill(response=response, json=response.json() | {"band": "nothing_close"})

    page.route("**/api/v1/search/", answer)
    open_site(page, shop, new_origin)
    choose(page, look)

    expect(page.get_by_role("status")).to_have_text("Nothing here comes close")
    expect(page.get_by_role("listitem")).to_have_count(0)
    page.get_by_role("button", name="Show the nearest anyway").click()
    expect(page.get_by_role("listitem")).to_have_count(6)


def test_what_is_no_picture_is_told_so(page, shop, new_origin, tmp_path):
    (tmp_path / "notes.txt").write_text("no picture")
    open_site(page, shop, new_origin)
    choose(page, tmp_path / "notes.txt")
    expect(page.get_by_role("status")).to_have_text("This is not a picture.")

    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 nothing more")
    choose(page, tmp_path / "broken.jpg", "Another photo")
    expect(page.get_by_role("status")).to_contain_text("damaged")


def test_a_keyboard_is_enough_and_axe_finds_nothing_wrong(page, shop, new_origin, look):
    open_site(page, shop, new_origin)
    expect(page.get_by_role("button")).to_be_visible()  # the script loads beside the page
    tab_to_widget(page)
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(look)
    expect(page.get_by_role("status")).to_contain_text("products shown")
    # The policy of the page keeps axe's script out, so it comes as the test's own.
    violations = Axe().run(page).response["violations"]
    assert [f"{one['id']}: {one['help']}: {[node['html'][:160] for node in one['nodes']]}" for one in violations] == []

    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("button", name="Search with a photo")).to_be_focused()


def test_on_a_phone_nothing_is_wider_than_the_screen(browser, shop, new_origin, look):
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    open_site(page, shop, new_origin)
    choose(page, look)
    expect(page.get_by_role("status")).to_contain_text("products shown")

    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    dialog = page.get_by_role("dialog")
    assert dialog.evaluate("dialog => dialog.scrollWidth") <= 390
    context.close()
