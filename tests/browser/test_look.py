"""The whole look: a row of results for each product in the photo."""

import re

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

SEARCH = re.compile(r"/api/v1/search/$")


def whole_look(page):
    return page.answer_to(lambda: page.page.get_by_role("button", name="Whole look").click())


def test_each_product_of_the_look_has_a_row_of_results(page, look):
    page.search(look)

    answer = whole_look(page)

    rows = page.page.locator(".look-row")
    expect(rows).to_have_count(len(answer["outfit"]))
    assert len(answer["outfit"]) >= 3
    for row, shown in zip(answer["outfit"], rows.all(), strict=True):
        ids = [int(card.get_attribute("data-product") or 0) for card in shown.locator(".card").all()]
        assert ids == [result["product"]["id"] for result in row["results"]]
    expect(page.title).to_have_text("Shop the look")
    expect(page.box).to_be_hidden()
    expect(page.page.locator("#grid")).to_be_hidden()
    assert Axe().run(page.page).response["violations"] == []


def test_all_of_one_row_is_one_tap_away_and_back_shows_the_look_again(page, look):
    page.search(look)
    answer = whole_look(page)
    region = answer["outfit"][1]["region"]

    one = page.answer_to(lambda: page.page.locator(".look-row").nth(1).get_by_role("button", name="See all").click())

    assert one["selected"]["region"] == region
    assert page.shown_products() == [result["product"]["id"] for result in one["results"]]
    expect(page.page.locator("#look-rows")).to_be_hidden()
    page.page.go_back()
    page.wait_for(answer)
    expect(page.page.locator(".look-row")).to_have_count(len(answer["outfit"]))
    expect(page.page.get_by_role("button", name="Whole look")).to_have_attribute("aria-pressed", "true")


def test_a_reload_and_a_link_show_the_look_again(page, new_page, look):
    page.search(look)
    answer = whole_look(page)
    page.wait_until_kept(answer)

    page.page.reload()
    expect(page.page.locator(".look-row")).to_have_count(len(answer["outfit"]))

    friend = new_page()
    friend.open(page.page.url)
    expect(friend.page.locator(".look-row")).to_have_count(len(answer["outfit"]))
    expect(friend.page.locator("#photo")).to_be_hidden()


def test_a_row_with_nothing_close_says_so_and_keeps_the_nearest_behind_one_tap(page, look):
    page.search(look)
    answer = whole_look(page)
    answer["outfit"][0]["band"] = "nothing_close"
    page.page.route(SEARCH, lambda route: route.fulfill(json=answer | {"id": "00000000-0000-4000-8000-000000000001"}))
    page.page.get_by_role("button", name="Whole look").click()
    row = page.page.locator(".look-row").first
    expect(row).to_contain_text("Nothing here is close to this one.")
    expect(row.locator(".card")).to_have_count(0)

    row.get_by_role("button", name="Show the nearest anyway").click()

    expect(row.locator(".card")).to_have_count(len(answer["outfit"][0]["results"]))


def test_on_a_phone_each_row_scrolls_by_itself(phone, look):
    phone.search(look)
    whole_look(phone)

    assert phone.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    row = phone.page.locator(".look-cards").first
    assert row.evaluate("row => row.scrollWidth > row.clientWidth")
