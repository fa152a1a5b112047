"""Words alone, words beside a photo, and the chips read from them."""

import re

from playwright.sync_api import expect

SEARCH = re.compile(r"/api/v1/search/$")


def ask(page, words):
    def act():
        page.page.fill("#q", words)
        page.page.press("#q", "Enter")

    return act


def test_words_alone_are_searched(page):
    page.page.fill("#start-q", "red dress")
    answer = page.answer_to(lambda: page.page.press("#start-q", "Enter"))

    assert answer["image"] is None
    expect(page.page.locator("#stage")).to_be_hidden()
    expect(page.page.locator("#q")).to_have_value("red dress")
    expect(page.page).to_have_url(re.compile(r"/s/[0-9a-f-]{36}\?q=red\+dress$"))
    assert page.shown_products() == [result["product"]["id"] for result in answer["results"]]


def test_words_beside_a_photo_change_the_order(page, look):
    first = page.search(look)
    page.record_questions()

    answer = page.answer_to(ask(page, "but red"))

    (asked,) = page.page.evaluate("window.asked.map(({ q, box }) => ({ q, box }))")
    assert asked["q"] == "but red"
    assert [float(side) for side in asked["box"].split(",")] == first["selected"]["box"]
    expect(page.page.locator("#photo")).to_be_visible()
    assert answer["id"] != first["id"]

    page.answer_to(lambda: page.page.get_by_role("button", name="Clear the words").click())
    assert page.shown_products() == [result["product"]["id"] for result in first["results"]]


def test_words_typed_first_join_the_photo(page, look):
    page.page.fill("#start-q", "blue")
    page.search(look)

    expect(page.page.locator("#q")).to_have_value("blue")
    expect(page.page).to_have_url(re.compile(r"\?q=blue$"))


def test_a_wish_is_a_chip_that_comes_off(page, look):
    answer = page.search(look)
    wish = {"kind": "color", "value": "red", "label": "Red", "start": 4, "end": 7}
    page.page.route(
        SEARCH, lambda route: route.fulfill(json=answer | {"id": other_id(1), "wishes": [wish], "rest": ""})
    )
    ask(page, "but red please")()
    chip = page.page.get_by_role("button", name="Without Red")
    expect(chip).to_be_visible()

    page.page.unroute(SEARCH)
    page.page.route(SEARCH, lambda route: route.fulfill(json=answer | {"id": other_id(2), "wishes": [], "rest": ""}))
    chip.click()

    expect(page.page.locator("#q")).to_have_value("but please")
    expect(page.page.locator(".wish")).to_have_count(0)
    page.page.go_back()
    expect(chip).to_be_visible()
    expect(page.page.locator("#q")).to_have_value("but red please")


def other_id(number):
    return f"00000000-0000-4000-8000-00000000000{number}"


def test_a_link_to_words_can_be_asked_on_by_anyone(page, new_page):
    page.page.fill("#start-q", "blue")
    page.answer_to(lambda: page.page.press("#start-q", "Enter"))
    friend = new_page()

    friend.open(page.page.url)
    expect(friend.page.locator("#q")).to_have_value("blue")

    answer = friend.answer_to(ask(friend, "blue striped"))
    assert friend.shown_products() == [result["product"]["id"] for result in answer["results"]]


def test_a_pictures_address_is_fetched_by_the_server_and_searched_as_a_photo(page, look):
    page.page.route("**/picture", lambda route: route.fulfill(path=look, content_type="image/jpeg"))
    page.page.fill("#start-q", "https://shop.example/coat.jpg")

    answer = page.answer_to(lambda: page.page.press("#start-q", "Enter"))

    expect(page.page.locator("#photo")).to_be_visible()
    expect(page.dots).to_have_count(len(answer["regions"]))


def test_an_address_that_can_not_be_fetched_says_why_and_loses_nothing(page, look):
    page.forgive("422")
    answer = page.search(look)

    page.page.fill("#q", "http://127.0.0.1/coat.jpg")
    page.page.press("#q", "Enter")

    expect(page.page.get_by_role("alert").filter(has_text="Save the picture and send the file")).to_be_visible()
    expect(page.cards).to_have_count(len(answer["results"]))
    expect(page.page.locator("#photo")).to_be_visible()


def test_without_scripts_words_are_searched_and_asked_again(new_page):
    page = new_page(java_script_enabled=False)
    page.page.goto("/")
    page.page.fill("#start-q", "dress")
    page.page.get_by_role("button", name="Search", exact=True).click()
    expect(page.page).to_have_url(re.compile(r"/\?q=dress$"))
    expect(page.cards.first).to_be_visible()

    page.page.fill("#q", "bag")
    page.page.get_by_role("button", name="Search", exact=True).click()
    expect(page.page).to_have_url(re.compile(r"/\?q=bag$"))


def test_a_pasted_address_is_fetched_unless_somebody_is_typing(page, look):
    page.page.route("**/picture", lambda route: route.fulfill(path=look, content_type="image/jpeg"))
    paste = """(selector) => {
        const transfer = new DataTransfer();
        transfer.setData("text/plain", "https://shop.example/coat.jpg");
        const options = { clipboardData: transfer, bubbles: true, cancelable: true };
        return document.querySelector(selector).dispatchEvent(new ClipboardEvent("paste", options));
    }"""
    assert page.page.evaluate(paste, "#start-q")  # left to the field

    answer = page.answer_to(lambda: page.page.evaluate(paste, "main"))

    expect(page.page.locator("#photo")).to_be_visible()
    expect(page.dots).to_have_count(len(answer["regions"]))
