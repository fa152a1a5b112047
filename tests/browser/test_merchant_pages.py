"""A merchant signs in, uploads a file, watches it, reads what was wrong and withdraws a product, in a real browser."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from tests.browser.conftest import DESKTOP, PATIENCE_MS, PHONE
from tests.browser.shop import Shop
from tests.feed_folder import FeedFolder

NAME = "alice-of-the-till"


@pytest.fixture(scope="module")
def password(shop: Shop) -> str:
    environment = {**os.environ, "SHOP_SEARCH_HOME": str(shop.home)}
    environment.pop("DJANGO_SETTINGS_MODULE", None)

    def manage(*arguments: str) -> str:
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(
            command, cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    manage("create_merchant", "till", "--name", "The Till")
    return manage("create_member", NAME, "--merchant", "till", "--role", "owner")


def is_trouble(said: ConsoleMessage) -> bool:
    # The browser itself notes each answer of 400, which one test asks for.
    return said.type in {"error", "warning"} and "status of 400" not in said.text


@pytest.fixture
def open_page(browser: Browser, shop: Shop) -> Iterator[Callable[..., Page]]:
    """Opens pages; a test fails when one logs an error."""
    contexts, troubles = [], list[str]()

    def make(**options: Any) -> Page:
        context = browser.new_context(base_url=shop.address, **{**DESKTOP, **options})
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: troubles.append(said.text) if is_trouble(said) else None)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        return page

    yield make
    for context in contexts:
        context.close()
    assert not troubles


@pytest.fixture
def upload(tmp_path: Path) -> Path:
    feed = FeedFolder(tmp_path / "feed")
    feed.add_many(4)
    feed.add("BAD", price="cheap")
    path = tmp_path / "spring.zip"
    path.write_bytes(feed.zip())
    return path


def sign_in(page: Page, password: str) -> None:
    page.goto("/merchant/")
    page.get_by_label("Name").fill(NAME)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Uploads")).to_be_visible()
    page.wait_for_load_state()  # the script that sends files has run then


def wrong(page: Page) -> list[str]:
    page.wait_for_load_state()  # what is half there is judged wrongly
    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {node['target']}" for one in found for node in one["nodes"]]


def test_a_file_is_uploaded_watched_and_its_products_withdrawn(open_page, password, upload):
    page = open_page()
    sign_in(page, password)

    page.get_by_label("Drop your feed here").set_input_files(upload)
    expect(page.get_by_text("spring.zip").first).to_be_visible()
    page.get_by_role("button", name="Upload").click()

    expect(page.get_by_role("heading", name="spring.zip")).to_be_visible()
    expect(page.locator("main .status [data-status=done]")).to_be_visible()  # without a reload by hand
    expect(page.locator("[data-field=added]")).to_have_text(re.compile("4|0"))
    expect(page.get_by_role("cell", name="'cheap' is not a price. Write it like 19.90 EUR.")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="All as a spreadsheet").click()
    assert "price_invalid" in Path(download.value.path()).read_text(encoding="utf-8-sig")

    page.get_by_role("link", name="Products", exact=True).click()
    page.get_by_label("Product P-0001").check()
    page.get_by_role("button", name="Do it with the chosen").click()
    expect(page.get_by_role("row", name="P-0001")).to_contain_text("withdrawn")


def test_a_product_is_looked_at_and_mended(open_page, password, upload):
    page = open_page(**PHONE)
    sign_in(page, password)
    page.get_by_label("Drop your feed here").set_input_files(upload)
    page.get_by_role("button", name="Upload").click()
    expect(page.locator("main .status [data-status=done]")).to_be_visible()

    page.get_by_role("link", name="Products", exact=True).click()
    page.get_by_role("link", name="Product P-0002").click()
    expect(page.get_by_role("heading", name="How its pictures are understood")).to_be_visible()
    assert wrong(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["viewport"]["width"]
    page.get_by_label("Price, as in").fill("cheap")
    with page.expect_response("**/edit/") as answer:
        page.get_by_role("button", name="Save").click()
    assert answer.value.status == 400
    expect(page.get_by_label("Price, as in")).to_have_accessible_description(re.compile("is not a price"))
    page.get_by_label("Price, as in").fill("1.234,50 EUR")
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_role("status")).to_contain_text("Saved")
    expect(page.get_by_label("Price, as in")).to_have_value("1234.50 EUR")


def test_a_file_that_is_refused_is_told_without_leaving_the_page(open_page, password, tmp_path):
    page = open_page()
    sign_in(page, password)
    (tmp_path / "feed.csv").write_text("id,title,image_link\n")

    page.get_by_label("Drop your feed here").set_input_files(tmp_path / "feed.csv")
    page.get_by_label("Currency").fill("??")
    with page.expect_response("**/send/") as answer:
        page.get_by_role("button", name="Upload").click()

    assert answer.value.status == 400
    expect(page.get_by_role("alert")).to_contain_text("no currency")
    expect(page.get_by_role("button", name="Upload")).to_be_enabled()


@pytest.mark.parametrize("options", [{}, PHONE, {"color_scheme": "dark"}], ids=["desktop", "phone", "dark"])
def test_axe_finds_nothing_wrong_on_any_page_of_a_merchant(open_page, password, upload, options):
    page = open_page(**options)
    page.goto("/merchant/sign-in/")
    assert wrong(page) == []
    sign_in(page, password)
    assert wrong(page) == []
    page.get_by_label("Drop your feed here").set_input_files(upload)
    page.get_by_role("button", name="Upload").click()
    expect(page.locator("main .status [data-status=done]")).to_be_visible()
    assert wrong(page) == []
    for tab in ("Products", "Doctor", "Insights", "Keys", "Webhooks"):
        page.get_by_role("link", name=tab, exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_contain_text(re.compile(tab, re.IGNORECASE))
        assert wrong(page) == []


def test_the_doctor_is_asked_and_tells_what_to_mend(open_page, password, upload):
    page = open_page(**PHONE)
    sign_in(page, password)
    page.get_by_label("Drop your feed here").set_input_files(upload)
    page.get_by_role("button", name="Upload").click()
    expect(page.locator("main .status [data-status=done]")).to_be_visible()

    page.get_by_role("link", name="Doctor", exact=True).click()
    page.get_by_role("button", name=re.compile("Look ")).click()
    told = page.get_by_role("link", name=re.compile("No brand"))
    for _ in range(60):  # the worker looks; the page tells when it is asked again
        if told.is_visible() and not page.get_by_role("progressbar").is_visible():
            break
        page.wait_for_timeout(500)
        page.reload()

    told.click()
    expect(page.get_by_role("heading", name="No brand")).to_be_visible()
    expect(page.get_by_role("img", name=re.compile("The picture")).first).to_be_visible()
    expect(page.get_by_text("Add the brand.").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["viewport"]["width"]
    assert wrong(page) == []


def test_without_scripts_a_file_is_uploaded_all_the_same(open_page, password, upload):
    page = open_page(java_script_enabled=False)
    sign_in(page, password)

    page.get_by_label("Drop your feed here").set_input_files(upload)
    page.get_by_role("button", name="Upload").click()

    expect(page.get_by_role("heading", name="spring.zip")).to_be_visible()


@pytest.mark.parametrize("options", [{}, PHONE], ids=["desktop", "phone"])
def test_a_feed_with_names_of_its_own_is_asked_about_and_comes_in(open_page, password, tmp_path, options):
    page = open_page(**options)
    sign_in(page, password)
    kind = "phone" if options else "desktop"
    feed = tmp_path / f"herbst-{kind}.csv"
    feed.write_text(f"Artikel;Bezeichnung;Bild {kind}\nQ-{kind};Stiefel;https://cdn.invalid/a.png\n", encoding="utf-8")
    page.get_by_label("Drop your feed here").set_input_files(feed)
    page.get_by_role("button", name="Upload").click()

    expect(page.get_by_role("heading", name="Which column is what?")).to_be_visible()
    expect(page.get_by_label("Bezeichnung")).to_have_value("title")
    assert wrong(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_label(f"Bild {kind}").select_option("image_link")
    page.get_by_role("button", name="Go on with these columns").click()

    expect(page.locator("main .status [data-status=done]")).to_be_visible()
    expect(page.locator("[data-field=added]")).to_have_text("1")
