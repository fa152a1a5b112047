"""Yes, no and more like this, on the cards; a card dragged onto the photo; the latest searches of this device."""

import re

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

SEARCH = re.compile(r"/api/v1/search/$")


def act(page, index, name):
    card = page.cards.nth(index)
    card.hover()
    return card.locator(f'[data-act="{name}"]')


def title(answer, index):
    return answer["results"][index]["product"]["title"]


def test_a_like_is_told_to_the_shop_and_asks_again(page, look):
    first = page.search(look)
    liked = first["results"][1]["product"]["id"]

    with page.page.expect_request(lambda request: request.url.endswith(f"/{first['id']}/feedback/")) as told:
        page.answer_to(act(page, 1, "like").click)

    assert told.value.post_data_json == {"product": liked, "verdict": "like"}
    expect(page.page).to_have_url(re.compile(rf"like={liked}"))
    heart = page.page.locator(f'.card[data-product="{liked}"] [data-act="like"]')
    expect(heart).to_have_attribute("aria-pressed", "true")
    expect(page.page.locator(".wish")).to_have_text(["1 liked"])

    again = page.answer_to(lambda: page.page.get_by_role("button", name="Without 1 liked").click())
    assert page.shown_products() == [result["product"]["id"] for result in again["results"]]
    assert again["results"][0]["product"]["id"] == first["results"][0]["product"]["id"]


def test_what_is_not_wanted_goes_and_can_be_had_back(page, look):
    first = page.search(look)
    unwanted = first["results"][1]["product"]["id"]

    page.answer_to(act(page, 1, "dislike").click)

    assert unwanted not in page.shown_products()
    toast = page.page.get_by_role("group", name="What you said")
    expect(toast).to_be_visible()
    assert Axe().run(page.page).response["violations"] == []
    page.answer_to(toast.get_by_role("button", name="Undo").click)
    assert unwanted in page.shown_products()
    expect(toast).to_be_hidden()


def test_a_wrong_category_is_told_to_the_shop(page, look):
    first = page.search(look)
    unwanted = first["results"][1]["product"]["id"]
    page.answer_to(act(page, 1, "dislike").click)

    with page.page.expect_request(lambda request: request.url.endswith(f"/{first['id']}/feedback/")) as told:
        page.page.get_by_role("button", name="Wrong category").click()

    assert told.value.post_data_json == {"product": unwanted, "verdict": "wrong_category"}
    expect(page.page.locator("#toast-words")).to_have_text("Thank you, noted.")


def test_more_like_a_card_shows_it_where_the_photo_was_and_leads_back(page, look):
    first = page.search(look)
    product = first["results"][1]["product"]
    page.wait_until_kept(first)

    answer = page.answer_to(act(page, 1, "more").click)

    assert product["id"] not in page.shown_products()
    assert page.shown_products() == [result["product"]["id"] for result in answer["results"]]
    expect(page.page.locator("#asked-title")).to_have_text(product["title"])
    expect(page.page.locator("#stage")).to_be_hidden()
    expect(page.page).to_have_url(re.compile(rf"\?product={product['id']}$"))
    assert Axe().run(page.page).response["violations"] == []

    page.page.reload()
    expect(page.page.locator("#asked-title")).to_have_text(product["title"])
    page.page.go_back()
    page.wait_for(first)
    expect(page.page.locator("#photo")).to_be_visible()


def test_the_photo_is_one_tap_away_from_more_like_this(page, look):
    first = page.search(look)
    page.answer_to(act(page, 1, "more").click)

    again = page.answer_to(lambda: page.page.get_by_role("button", name="Back to your photo").click())

    expect(page.page.locator("#photo")).to_be_visible()
    assert again["regions"] == first["regions"]


def test_a_card_dragged_onto_the_photo_is_searched(page, look):
    product = page.search(look)["results"][1]["product"]

    page.answer_to(lambda: page.cards.nth(1).drag_to(page.page.locator("#stage-picture")))

    expect(page.page.locator("#asked-title")).to_have_text(product["title"])
    expect(page.page.locator("#drop-veil")).to_be_hidden()


def test_the_latest_searches_are_kept_on_this_device_until_cleared(page, new_page, look):
    answer = page.search(look)
    page.wait_until_kept(answer)
    page.wait_until_recent(answer)
    page.open("/")
    entry = page.page.locator(".recent-entry")
    expect(entry).to_have_count(1)
    assert entry.locator("img").evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    assert Axe().run(page.page).response["violations"] == []

    entry.click()
    page.wait_for(answer)
    expect(page.page.locator("#photo")).to_be_visible()

    page.open("/")
    page.page.get_by_role("button", name="Clear", exact=True).click()
    expect(entry).to_have_count(0)
    page.page.reload()
    expect(entry).to_have_count(0)
    page.page.goto(f"/s/{answer['id']}")
    expect(page.cards.first).to_be_visible()
    expect(page.page.locator("#photo")).to_be_hidden()  # the photo was forgotten too


def test_several_searches_with_one_photo_are_one_entry(page, look):
    page.search(look)
    answer = page.answer_to(lambda: page.page.get_by_role("button", name="Everything").click())
    page.wait_until_recent(answer)
    page.open("/")

    expect(page.page.locator(".recent-entry")).to_have_text(["Everything"])


def test_someone_who_can_not_ask_again_is_offered_more_like_this_alone(page, new_page, look):
    answer = page.search(look)
    friend = new_page()
    friend.open(f"/s/{answer['id']}")

    expect(act(friend, 0, "more")).to_be_visible()
    expect(act(friend, 0, "like")).to_be_hidden()
    friend.answer_to(act(friend, 0, "more").click)
    expect(friend.page.locator("#asked-title")).to_have_text(title(answer, 0))
