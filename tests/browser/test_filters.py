"""Filters: a panel with counts, chips that take them back, an address that keeps them, and a sheet on a phone."""

import re

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect


def faults(page):
    return [fault["id"] for fault in Axe().run(page.page).response["violations"]]


def option(page, name, index=0):
    return page.page.locator(f'#facets input[name="{name}"]').nth(index)


def open_filters(page):
    page.page.locator("#filters-open").click()
    expect(page.page.locator("#filters")).to_be_visible()


def test_a_color_narrows_the_results_and_comes_off_again(page, look):
    first = page.search(look)
    open_filters(page)
    counted = first["facets"]["color"][0]
    expect(page.page.locator('[data-facet="color"] .option-count').first).to_have_text(str(counted["count"]))
    assert faults(page) == []

    color = option(page, "color").get_attribute("value")

    answer = page.answer_to(option(page, "color").check)

    expect(page.page).to_have_url(re.compile(rf"color={color}"))
    expect(page.page.locator("#filters-label")).to_have_text("Filters, 1 on")
    expect(option(page, "color")).to_be_focused()
    assert answer["facets"]["color"]

    again = page.answer_to(lambda: page.page.get_by_role("button", name=re.compile("^Without ")).click())
    assert [result["product"]["id"] for result in again["results"]] == [
        result["product"]["id"] for result in first["results"]
    ]
    expect(page.page.locator(".wish")).to_have_count(0)


def test_several_values_of_one_kind_mean_any_of_them(page, look):
    page.search(look)
    open_filters(page)

    page.answer_to(option(page, "color", 0).check)
    page.answer_to(option(page, "color", 1).check)

    expect(page.page.locator('#facets input[name="color"]:checked')).to_have_count(2)
    expect(page.page).to_have_url(re.compile(r"color=\w+&color=\w+"))


def test_a_price_limit_is_kept_by_back_and_reload(page, look):
    first = page.search(look)
    open_filters(page)
    limit = max(float(result["product"]["price"]) for result in first["results"]) - 1

    def ask():
        page.page.fill('#facets input[name="price_max"]', str(limit))
        page.page.press('#facets input[name="price_max"]', "Tab")

    answer = page.answer_to(ask)
    assert all(float(result["product"]["price"]) <= limit for result in answer["results"])
    expect(page.page.locator(".wish")).to_contain_text("Up to €")

    page.page.go_back()
    page.wait_for(first)
    expect(page.page.locator(".wish")).to_have_count(0)
    page.page.go_forward()
    page.wait_for(answer)
    page.page.reload()
    page.wait_for(answer)
    expect(page.page.locator(".wish")).to_contain_text("Up to €")
    assert page.shown_products() == [result["product"]["id"] for result in answer["results"]]


def test_a_wish_of_the_words_shows_in_the_panel_and_leaves_the_words_when_changed(page, look):
    page.search(look)
    page.page.fill("#q", "elegant under 100")
    page.answer_to(lambda: page.page.press("#q", "Enter"))
    open_filters(page)
    field = page.page.locator('#facets input[name="price_max"]')
    expect(field).to_have_value("100")

    def ask():
        field.fill("80")
        field.press("Tab")

    page.answer_to(ask)

    expect(page.page.locator("#q")).to_have_value("elegant")
    expect(page.page.locator(".wish")).to_have_text(["Up to €80.00"])


def test_everything_that_narrows_is_cleared_at_once(page, look):
    page.search(look)
    page.page.fill("#q", "elegant under 100")
    page.answer_to(lambda: page.page.press("#q", "Enter"))
    open_filters(page)
    page.answer_to(option(page, "in_stock").check)
    expect(page.page.locator(".wish")).to_have_count(2)

    page.answer_to(lambda: page.page.locator(".wish-clear").click())

    expect(page.page.locator(".wish")).to_have_count(0)
    expect(page.page.locator("#q")).to_have_value("elegant")


def test_on_a_phone_the_filters_are_a_sheet_that_keeps_the_focus(phone, look):
    phone.search(look)
    open_filters(phone)
    dialog = phone.page.get_by_role("dialog", name="Filters")
    expect(dialog).to_be_visible()
    assert faults(phone) == []

    answer = phone.answer_to(option(phone, "in_stock").check)
    close = [result for result in answer["results"] if result["band"] != "nothing_close"]
    done = dialog.get_by_role("button", name=re.compile(rf"^Show {len(close)} products?$"))
    done.tap()

    expect(dialog).to_be_hidden()
    expect(phone.page.locator("#filters-open")).to_be_focused()
    assert phone.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_without_scripts_words_can_be_filtered(new_page):
    page = new_page(java_script_enabled=False)
    page.page.goto("/?q=bag")
    page.page.locator('#facets input[name="color"]').first.check()
    page.page.get_by_role("button", name="Show", exact=True).click()

    expect(page.page).to_have_url(re.compile(r"\?q=bag&color=\w+"))
    expect(page.page.locator(".wish").first).to_be_visible()
    page.page.get_by_role("link", name=re.compile("^Without ")).last.click()
    expect(page.page).to_have_url(re.compile(r"\?q=bag$"))
