"""A review session by keyboard alone, with two reviewers, and what the quality page makes of it."""

import json
import os
import re
import subprocess
import sys

import pytest
from django.conf import settings
from playwright.sync_api import expect

from tests.browser.test_everyone import faults

PASSWORD = "a long password"
MAKE_PEOPLE = """
import django
django.setup()
from django.contrib.auth.models import Permission, User
for name in ("rae", "ray"):
    if not User.objects.filter(username=name).exists():
        user = User.objects.create_user(name, password="a long password", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename="review"))
"""
VERDICTS = """
import django, json
django.setup()
from catalog.models import Verdict
rows = Verdict.objects.values_list("reviewer__username", "search", "rank", "verdict")
print(json.dumps([[who, str(search), rank, said] for who, search, rank, said in rows]))
"""


def run(shop, program: str) -> str:
    """Runs a program on the shop's own home, as a command would."""
    environment = {
        **os.environ,
        "SHOP_SEARCH_HOME": str(shop.home),
        "DJANGO_SETTINGS_MODULE": "shop_search.settings",
    }
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def verdicts(shop, who: str) -> list[tuple[str, int, str]]:
    return [tuple(row[1:]) for row in json.loads(run(shop, VERDICTS)) if row[0] == who]


@pytest.fixture(scope="module")
def people(shop):
    run(shop, MAKE_PEOPLE)


def sign_in(page, name: str) -> None:
    page.open("/console/")
    page.page.keyboard.type(name)
    page.page.keyboard.press("Tab")
    page.page.keyboard.type(PASSWORD)
    page.page.keyboard.press("Enter")
    expect(page.page.locator(".sheet")).to_be_visible()
    page.page.wait_for_load_state()  # before its script has run, keys are lost and no result has the focus


def shown(page) -> str:
    return page.page.locator(".sheet").get_attribute("data-search")


def focused_rank(page) -> int:
    return int(page.page.evaluate("document.activeElement.querySelector('.judged-rank')?.textContent ?? 0"))


def test_a_whole_session_by_keyboard(shop, people, new_page, look, other_look):
    shopper = new_page()
    shopper.open()
    for photo in (look, other_look):
        shopper.search(photo)
    page = new_page()
    sign_in(page, "rae")
    keyboard = page.page.keyboard
    first = shown(page)
    count = page.page.locator(".judged").count()
    assert count >= 4

    assert focused_rank(page) == 1  # no click is needed to begin
    crop = page.page.locator(".asked-tile img")
    assert crop.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    keyboard.press("1")
    assert focused_rank(page) == 2
    keyboard.press("4")
    keyboard.press("z")
    assert focused_rank(page) == 2  # at once: the next key is for the result that was taken back
    keyboard.press("3")
    expect(page.page.get_by_role("status")).to_have_text(re.compile("^Near: "))
    keyboard.press("ArrowLeft")
    keyboard.press("ArrowLeft")
    assert focused_rank(page) == 1
    keyboard.press("2")  # a change of mind
    assert focused_rank(page) == 3
    for _ in range(count - 2):
        keyboard.press("5")
    expect(page.page.locator(".sheet")).not_to_have_attribute("data-search", first)
    expect(page.page.locator("#today")).to_have_text(str(count))
    assert focused_rank(page) == 1

    said = sorted(verdicts(shop, "rae"), key=lambda row: row[1])
    assert [row[0] for row in said] == [first] * count
    assert [row[2] for row in said] == ["good", "near"] + ["wrong_category"] * (count - 2)

    keyboard.press("z")  # back to the search before
    expect(page.page.locator(".sheet")).to_have_attribute("data-search", first)
    assert focused_rank(page) == count
    keyboard.press("4")
    expect(page.page.locator(".sheet")).not_to_have_attribute("data-search", first)
    second = shown(page)
    keyboard.press("s")
    page.page.wait_for_function("id => document.querySelector('.sheet')?.dataset.search !== id", arg=second)
    page.open("/console/review/")
    assert page.page.locator(f'[data-search="{second}"]').count() == 0


def test_what_the_server_refuses_is_said_and_not_shown_as_kept(shop, people, new_page, look):
    shopper = new_page()
    shopper.open()
    shopper.search(look)
    page = new_page()
    sign_in(page, "ray")
    page.forgive("400", "Bad Request")
    page.page.route(
        "**/verdict/", lambda route: route.fulfill(status=400, json={"code": "x", "message": "It was Tuesday."})
    )
    page.page.keyboard.press("2")

    expect(page.page.get_by_role("alert")).to_have_text("That was not kept: It was Tuesday.")
    expect(page.page.locator(".judged").first).to_have_attribute("data-verdict", "")
    assert verdicts(shop, "ray") == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_wrong_in_the_console(shop, people, new_page, look, scheme):
    shopper = new_page()
    shopper.open()
    shopper.search(look)
    page = new_page(color_scheme=scheme)
    page.open("/console/login/")
    assert faults(page) == []
    sign_in(page, "ray")
    page.page.wait_for_load_state("networkidle")
    assert faults(page) == []
    page.open("/console/quality/")
    assert faults(page) == []


@pytest.mark.parametrize("width", [820, 1440])
def test_the_console_never_scrolls_sideways(shop, people, new_page, look, width):
    shopper = new_page()
    shopper.open()
    shopper.search(look)
    page = new_page(viewport={"width": width, "height": 1000})
    sign_in(page, "ray")
    for path in ("/console/review/", "/console/quality/?measure=p95"):
        page.open(path)
        assert page.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
