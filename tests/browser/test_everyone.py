"""Keyboards, screen readers, phones, and browsers without scripts."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.conftest import PHONE
from tests.browser.search_page import corner, is_search


def faults(page):
    """Returns what axe-core finds wrong, WCAG 2.2 AA and best practices, as lines for people."""
    page.page.wait_for_load_state()  # what is half there is judged wrongly
    response = Axe().run(page.page).response
    return [
        f"{fault['id']}: {fault['help']}: {[node['html'][:160] for node in fault['nodes']]}"
        for fault in response["violations"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_wrong_on_any_page(new_page, look, scheme):
    page = new_page(color_scheme=scheme)
    page.open()
    assert faults(page) == []

    answer = page.search(look)
    assert faults(page) == []

    page.page.route(
        re.compile(r"/api/v1/search/$"),
        lambda route: route.fulfill(json=answer | {"band": "nothing_close", "reason": "too_dark"}),
    )
    page.dots.first.click()
    expect(page.title).to_have_text("The photo is very dark")
    assert faults(page) == []

    page.open(f"/p/{answer['results'][0]['product']['id']}/")
    assert faults(page) == []

    stranger = new_page(color_scheme=scheme)
    stranger.open(f"/s/{answer['id']}")
    assert faults(stranger) == []


@pytest.mark.parametrize("options", [{"color_scheme": "dark"}, PHONE])
def test_axe_finds_nothing_wrong_with_words_filters_and_the_whole_look(new_page, look, options):
    page = new_page(**options)
    page.open("/?q=blue bag")
    assert faults(page) == []
    page.open("/?q=bag under 1")
    expect(page.title).to_have_text("Nothing here matches that")
    assert faults(page) == []

    page.open("/")
    page.search(look)
    page.page.locator("#filters-open").click()
    expect(page.page.locator("#filters")).to_be_visible()
    assert faults(page) == []
    page.page.locator("#filters-close").click()
    page.answer_to(page.page.get_by_role("button", name="Whole look").click)
    assert faults(page) == []


def test_axe_finds_nothing_wrong_on_a_phone(new_page, look):
    phone = new_page(**PHONE)
    phone.open()
    assert faults(phone) == []
    phone.search(look)
    assert faults(phone) == []


def test_a_keyboard_is_enough(page, look):
    keyboard = page.page.keyboard
    keyboard.press("Tab")
    expect(page.page.get_by_role("link", name="Skip to the content")).to_be_focused()
    keyboard.press("Enter")
    with page.page.expect_file_chooser() as chooser:
        keyboard.press("Tab")
        expect(page.page.locator("#choose")).to_be_focused()
        keyboard.press("Enter")
    answer = page.answer_to(lambda: chooser.value.set_files(look))

    other = next(region for region in answer["regions"] if region["id"] != answer["selected"]["region"])
    for _ in range(30):
        keyboard.press("Tab")
        if page.page.evaluate("document.activeElement.dataset.region") == str(other["id"]):
            break
    answer = page.answer_to(lambda: keyboard.press("Enter"))
    assert answer["selected"]["region"] == other["id"]
    expect(page.page.locator(f'.dot[data-region="{other["id"]}"]')).to_be_focused()

    for _ in range(30):
        keyboard.press("Tab")
        if page.page.evaluate("document.activeElement.dataset.category") == "all":
            break
    page.answer_to(lambda: keyboard.press("Space"))
    assert page.active_category() == "all"
    expect(page.page.get_by_role("button", name="Everything")).to_be_focused()

    for _ in range(10):
        keyboard.press("Tab")
        if page.page.evaluate("document.activeElement.closest('.card') !== null"):
            break
    keyboard.press("Enter")
    expect(page.page).to_have_url(re.compile(r"/p/\d+/$"))


def test_new_results_are_announced(page, look):
    answer = page.search(look)
    said = page.page.get_by_role("status")

    close = [result for result in answer["results"] if result["band"] != "nothing_close"]
    expect(said).to_have_text(re.compile(rf"\. {len(close)} products? in \w+$"))


def test_a_phone_shows_the_photo_first_and_keeps_it_as_a_strip(phone, look):
    phone.search(look)
    strip = phone.page.get_by_role("button", name="Back to your photo")
    expect(strip).to_be_hidden()
    assert phone.page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    phone.page.evaluate("scrollTo(0, 1500)")
    expect(strip).to_be_visible()
    expect(strip).to_contain_text("products")

    strip.tap()
    phone.until("scrollY === 0")
    expect(strip).to_be_hidden()


def test_a_phone_offers_its_camera(phone, page):
    camera = phone.page.locator("#camera")

    expect(phone.page.get_by_text("Take a photo")).to_be_visible()
    expect(camera).to_have_attribute("capture", "environment")
    expect(page.page.get_by_text("Take a photo")).to_be_hidden()


def test_a_finger_scrolls_over_the_photo_and_draws_once_asked_to(phone, look):
    first = phone.search(look)
    photo = phone.page.locator("#stage-picture")
    start, end = corner(photo, 0.1, 0.1), corner(photo, 0.6, 0.5)

    swipe(phone, start, end)
    assert phone.shown_box(first["image"])[3] == pytest.approx(first["selected"]["box"][3], abs=4)

    phone.page.wait_for_timeout(800)  # the swipe lets the page roll on, and a tap would only stop it
    phone.page.evaluate("scrollTo(0, 0)")
    phone.page.get_by_role("button", name="Draw a box").tap()
    expect(phone.page.get_by_role("button", name="Draw a box")).to_have_attribute("aria-pressed", "true")
    with phone.page.expect_response(is_search) as info:
        swipe(phone, corner(photo, 0.1, 0.1), corner(photo, 0.6, 0.5))
    answer = info.value.json()
    width, height = answer["image"]["width"], answer["image"]["height"]
    expected = [0.1 * width, 0.1 * height, 0.6 * width, 0.5 * height]
    assert answer["selected"]["box"] == pytest.approx(expected, abs=0.06 * height)


def swipe(phone, start, end):
    """A finger from here to there, through the browser's own touch handling."""
    session = phone.page.context.new_cdp_session(phone.page)

    def touch(kind, points):
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]})

    touch("touchStart", [start])
    for step in range(1, 9):
        touch("touchMove", [tuple(a + (b - a) * step / 8 for a, b in zip(start, end, strict=True))])
    touch("touchEnd", [])


def test_without_scripts_the_form_searches_and_the_answer_can_be_read(new_page, look):
    page = new_page(java_script_enabled=False)
    page.page.goto("/")
    page.page.set_input_files("#choose", look)
    page.page.get_by_role("button", name="Search", exact=True).click()

    expect(page.page).to_have_url(re.compile(r"/s/[0-9a-f-]{36}$"))
    expect(page.cards.first).to_be_visible()
    page.cards.first.locator(".card-title a").click()
    expect(page.page.get_by_role("heading", level=1)).to_be_visible()


def test_without_scripts_a_category_can_be_chosen_and_an_error_read(new_page, look):
    page = new_page(java_script_enabled=False)
    page.page.goto("/")
    page.page.set_input_files("#choose", look)
    page.page.get_by_label("Look for", exact=True).select_option("bags")
    page.page.get_by_role("button", name="Search", exact=True).click()
    expect(page.page.locator("#found-note")).to_contain_text("Bags")

    page.forgive("400")
    page.page.goto("/")
    page.page.set_input_files("#choose", {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": b"nothing"})
    page.page.get_by_role("button", name="Search", exact=True).click()
    expect(page.page.get_by_role("alert")).to_contain_text("This is not an image that can be read")
