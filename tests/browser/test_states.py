"""What the page says while it waits, when something fails, and when nothing is close."""

import re

import pytest
from playwright.sync_api import expect

SEARCH = re.compile(r"/api/v1/search/$")


def refuse(page, status, code, message):
    page.page.route(
        SEARCH, lambda route: route.fulfill(status=status, json={"code": code, "message": message, "fields": {}})
    )


def test_skeletons_stand_in_while_the_first_answer_is_on_its_way(page, look):
    page.page.route(SEARCH, lambda route: None)
    page.page.set_input_files("#choose", look)

    expect(page.page.locator(".skeleton")).to_have_count(8)
    expect(page.page.locator("#found")).to_have_attribute("aria-busy", "true")
    expect(page.page.locator("#photo")).to_be_visible()
    expect(page.title).to_have_text("Looking…")


def test_a_slow_answer_is_explained_and_one_that_never_comes_given_up(page, look):
    page.page.clock.install()
    page.page.route(SEARCH, lambda route: None)
    page.page.set_input_files("#choose", look)
    expect(page.page.locator(".skeleton").first).to_be_visible()

    page.page.clock.run_for(5_000)
    expect(page.page.locator("#found-note")).to_contain_text("Still looking")

    page.page.clock.run_for(45_000)
    expect(page.title).to_have_text("This is taking too long")
    expect(page.page.get_by_role("button", name="Try again")).to_be_visible()


def test_a_failure_shows_the_servers_words_and_can_be_tried_again(page, look):
    page.forgive("503")
    refuse(page, 503, "vector_store_unavailable", "The store is being repaired.")
    page.page.set_input_files("#choose", look)

    expect(page.page.get_by_role("alert").filter(has_text="The store is being repaired.")).to_be_visible()
    expect(page.page.locator("#photo")).to_be_visible()

    page.page.unroute(SEARCH)
    answer = page.answer_to(lambda: page.page.get_by_role("button", name="Try again").click())
    expect(page.cards).to_have_count(len(answer["results"]))
    expect(page.page.locator("#found .notice")).to_have_count(0)


def test_a_lost_connection_keeps_the_photo(page, look):
    page.forgive("ERR_")
    page.page.route(SEARCH, lambda route: route.abort("connectionfailed"))
    page.page.set_input_files("#choose", look)

    expect(page.title).to_have_text("The shop can't be reached")
    expect(page.page.locator("#photo")).to_be_visible()


def test_a_shopper_who_is_offline_is_told_so(page, look):
    page.forgive("ERR_INTERNET_DISCONNECTED")
    page.search(look)
    page.page.context.set_offline(True)
    page.dots.last.click()

    expect(page.title).to_have_text("You are offline")


@pytest.mark.parametrize(
    ("reason", "headline"),
    [
        ("no_similar_product", "Nothing here is close to that"),
        ("too_dark", "The photo is very dark"),
        ("too_small", "That part of the photo is very small"),
        ("nothing_detected", "We couldn't make out a product"),
        ("a_reason_of_tomorrow", "Nothing here is close to that"),
    ],
)
def test_nothing_close_says_why_and_keeps_the_nearest_behind_one_tap(page, look, reason, headline):
    answer = page.search(look) | {"band": "nothing_close", "reason": reason}
    page.page.route(SEARCH, lambda route: route.fulfill(json=answer))
    page.dots.first.click()

    expect(page.title).to_have_text(headline)
    expect(page.cards.first).to_be_hidden()
    expect(page.page.locator("#found-note")).to_have_text("")

    page.page.get_by_role("button", name="Show the nearest anyway").click()
    expect(page.cards.first).to_be_visible()
    expect(page.page.locator("#found-note")).to_contain_text("products, nearest first")


def test_an_empty_shop_is_not_an_error(page, look):
    answer = page.search(look) | {"band": "nothing_close", "reason": "nothing_matches_filters", "results": []}
    page.page.route(SEARCH, lambda route: route.fulfill(json=answer))
    page.dots.first.click()

    expect(page.title).to_have_text("Nothing here matches that")
    expect(page.page.get_by_role("button", name="Show the nearest anyway")).to_have_count(0)


def test_a_thin_category_says_that_the_results_come_from_the_whole_shop(page, look):
    answer = page.search(look)
    answer["selected"] |= {
        "category_applied": False,
        "category": {"slug": "hats", "confidence": 0.8, "source": "detector"},
    }
    page.page.route(SEARCH, lambda route: route.fulfill(json=answer))
    page.dots.first.click()

    expect(page.page.locator("#found-note")).to_contain_text("There is little in Hats")
    assert page.active_category() == "all"


def test_the_very_product_is_marked(page, look):
    answer = page.search(look)
    answer["band"] = answer["results"][0]["band"] = "same_product"
    for result in answer["results"][1:]:
        result["band"] = "similar"
    page.page.route(SEARCH, lambda route: route.fulfill(json=answer))
    page.dots.first.click()

    expect(page.title).to_have_text("This looks like it")
    expect(page.cards.nth(0).locator(".badge")).to_have_text("Same product")
    expect(page.cards.nth(1).locator(".badge")).to_be_hidden()


@pytest.mark.parametrize(
    ("reason", "way", "field"),
    [
        ("no_similar_product", "Look through everything", "category"),
        ("category_not_sold", "Look through everything", "category"),
        ("nothing_matches_filters", "Clear all", "q"),
    ],
)
def test_nothing_close_offers_the_way_on_that_its_reason_asks_for(page, look, reason, way, field):
    answer = page.search(look)
    wish = {"kind": "color", "value": "red", "label": "Red", "start": 0, "end": 3}
    poor = {"band": "nothing_close", "reason": reason, "results": [], "wishes": [wish]}
    page.page.route(SEARCH, lambda route: route.fulfill(json=answer | poor))
    page.page.fill("#q", "red striped")
    page.page.press("#q", "Enter")
    button = page.page.locator("#notices").get_by_role("button", name=way)
    expect(button).to_be_visible()
    page.page.unroute(SEARCH)
    page.record_questions()

    page.answer_to(button.click)

    asked = page.page.evaluate("window.asked.at(-1)")
    assert asked[field] == {"category": "all", "q": "striped"}[field]


def test_too_small_a_part_offers_to_draw_a_larger_one(page, look):
    answer = page.search(look) | {"band": "nothing_close", "reason": "too_small"}
    page.page.route(SEARCH, lambda route: route.fulfill(json=answer))
    page.dots.first.click()

    page.page.locator("#notices").get_by_role("button", name="Draw a box").click()

    tool = page.page.locator("#draw")
    expect(tool).to_have_attribute("aria-pressed", "true")
    expect(tool).to_be_focused()


def test_one_card_stands_for_several_offers_at_the_lowest_price(page, look):
    answer = page.search(look)
    answer["results"][0]["offers"] = {"count": 3, "from": "19.90", "currency": "EUR"}
    page.page.route(SEARCH, lambda route: route.fulfill(json=answer | {"id": "00000000-0000-4000-8000-000000000003"}))
    page.dots.last.click()

    card = page.cards.first
    expect(card.locator(".card-line").first).to_contain_text("from €19.90")
    expect(card.locator("[data-part=merchant]")).to_have_text("3 offers")
    expect(page.cards.nth(1).locator(".price-from")).to_be_hidden()


def test_what_is_not_close_waits_behind_one_tap_beside_what_is(page, look):
    answer = page.search(look)
    bands = ["same_product", "similar"] + ["nothing_close"] * (len(answer["results"]) - 2)
    for result, band in zip(answer["results"], bands, strict=True):
        result["band"] = band
    page.page.route(SEARCH, lambda route: route.fulfill(json=answer | {"id": "00000000-0000-4000-8000-000000000004"}))
    page.dots.last.click()

    headings = page.page.locator(".band-title:visible")
    expect(headings).to_have_text(["Looks like the very product", "Similar"])
    expect(page.page.locator("#grid .card:visible")).to_have_count(2)
    page.page.get_by_role("button", name=re.compile("^Show .* that aren't close$")).click()

    expect(headings).to_have_text(["Looks like the very product", "Similar", "Further away"])
    expect(page.cards.nth(2).locator("a").first).to_be_focused()
