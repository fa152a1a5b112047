"""The address bar: Back, Forward, reload, and a link for someone else."""

import re
import uuid

from playwright.sync_api import expect

from tests.browser.search_page import is_search


def other_dot(page, answer):
    region = next(region for region in answer["regions"] if region["id"] != answer["selected"]["region"])
    return page.page.locator(f'.dot[data-region="{region["id"]}"]')


def test_back_and_forward_show_earlier_answers_without_asking_again(page, look):
    first = page.search(look)
    second = page.answer_to(other_dot(page, first).click)
    asked = []
    page.page.on("request", lambda request: asked.append(request.url) if "/api/" in request.url else None)

    page.page.go_back()
    page.wait_for(first)
    page.wait_for_products(first)
    page.page.go_forward()
    page.wait_for(second)
    page.wait_for_products(second)
    assert asked == []

    page.page.go_back()
    page.page.go_back()
    expect(page.page.locator("#start")).to_be_visible()
    expect(page.page).to_have_url(re.compile("/$"))


def test_a_reload_shows_the_same_answer_with_the_photo_from_this_device(page, look):
    first = page.search(look)
    answer = page.answer_to(other_dot(page, first).click)
    page.wait_until_kept(answer)

    page.page.reload()

    expect(page.page.locator("#photo")).to_be_visible()
    page.wait_for(answer)
    expect(page.dots).to_have_count(len(answer["regions"]))
    assert page.shown_products() == [result["product"]["id"] for result in answer["results"]]
    # And it can be searched on.
    with page.page.expect_response(is_search):
        other_dot(page, answer).click()


def test_back_from_a_product_shows_the_results_again(page, look):
    answer = page.search(look)
    page.wait_until_kept(answer)
    page.cards.first.locator(".card-title a").click()
    expect(page.page).to_have_url(re.compile(r"/p/\d+/$"))

    page.page.go_back()

    expect(page.page.locator("#photo")).to_be_visible()
    page.wait_for(answer)
    page.wait_for_products(answer)


def test_someone_else_sees_the_same_answer_without_the_photo(page, new_page, look):
    answer = page.search(look)
    friend = new_page()

    friend.open(f"/s/{answer['id']}")

    expect(friend.dots).to_have_count(len(answer["regions"]))
    assert friend.shown_products() == [result["product"]["id"] for result in answer["results"]]
    expect(friend.page.locator("#photo")).to_be_hidden()
    expect(friend.page.get_by_role("img", name="Where the products were in the photo")).to_be_visible()
    expect(friend.page.get_by_text("Only the person who searched has the photo")).to_be_visible()
    expect(friend.page.get_by_role("button", name="Draw a box")).to_be_hidden()
    assert all(dot.is_disabled() for dot in friend.dots.all())


def test_someone_else_can_go_on_with_a_photo_of_her_own(page, new_page, look, other_look):
    answer = page.search(look)
    friend = new_page()
    friend.open(f"/s/{answer['id']}")

    friend.search(other_look)

    expect(friend.page.locator("#photo")).to_be_visible()
    friend.page.go_back()
    friend.wait_for(answer)
    expect(friend.page.locator("#photo")).to_be_hidden()


def test_a_link_that_leads_nowhere_offers_a_new_search(new_page):
    page = new_page()
    page.forgive("404")
    page.open(f"/s/{uuid.uuid4()}")

    expect(page.page.get_by_role("alert")).to_contain_text("This link leads nowhere")
    expect(page.page.locator("#choose")).to_be_attached()


def test_the_link_can_be_copied(page, look):
    page.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    answer = page.search(look)

    page.page.get_by_role("button", name="Copy link").click()

    expect(page.page.get_by_role("button", name="Link copied")).to_be_visible()
    assert page.page.evaluate("navigator.clipboard.readText()").endswith(f"/s/{answer['id']}")


def test_a_new_photo_starts_over(page, look):
    page.search(look)
    page.page.get_by_role("link", name="New photo").click()

    expect(page.page.locator("#start")).to_be_visible()
    expect(page.page.locator("#work")).to_be_hidden()
    expect(page.page).to_have_url(re.compile("/$"))
