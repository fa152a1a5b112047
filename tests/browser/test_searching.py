"""A photo goes in, products come out, and every tap changes them in place."""

import re

from playwright.sync_api import expect

from tests.browser.search_page import corner, is_search


def center_distance(a, b):
    return max(abs(one - other) for one, other in zip(a, b, strict=True))


def test_a_photo_gets_a_dot_on_every_product_and_results_for_one(page, look):
    answer = page.search(look)

    expect(page.dots).to_have_count(len(answer["regions"]))
    assert len(answer["regions"]) >= 2
    assert page.shown_products() == [result["product"]["id"] for result in answer["results"]]
    assert center_distance(page.shown_box(answer["image"]), answer["selected"]["box"]) < 3
    expect(page.page.locator("#photo")).to_be_visible()


def test_the_very_product_of_the_photo_comes_first(page, shop, look):
    scene = next(scene for path, scene in shop.scenes if path == look)

    answer = page.search(look)

    region = answer["regions"][answer["selected"]["region"]]
    worn = next(item for item in scene.items if item.category == region["category"])
    assert center_distance(worn.xyxy, region["box"]) < 40
    assert answer["results"][0]["product"]["sku"] == worn.sku


def test_a_card_shows_picture_title_price_merchant_and_the_way_to_the_shop(page, look):
    product = page.search(look)["results"][0]["product"]

    card = page.cards.first
    expect(card.locator(".card-title a")).to_have_text(product["title"])
    expect(card.locator(".card-title a")).to_have_attribute("href", f"/p/{product['id']}/")
    expect(card.locator(".price")).to_have_text(f"€{product['price']}")
    expect(card.locator("[data-part=merchant]")).to_have_text(product["merchant"]["name"])
    expect(card.locator(".card-out")).to_have_attribute("href", product["url"])
    assert card.locator("img").evaluate("image => image.decode().then(() => image.naturalWidth)") > 0


def test_dots_are_numbered_and_name_their_category_on_hover_and_focus(page, look):
    region = page.search(look)["regions"][1]
    dot = page.page.get_by_role("button", name=re.compile(f"^2: {region['category']}$", re.IGNORECASE))
    tip = dot.locator(".dot-tip")

    expect(tip).to_have_css("opacity", "0")
    dot.hover()
    expect(tip).to_have_css("opacity", "1")
    expect(tip).to_contain_text(f"{round(region['confidence'] * 100)}% sure")
    page.page.mouse.move(0, 0)
    expect(tip).to_have_css("opacity", "0")
    page.page.keyboard.press("Tab")
    dot.focus()
    expect(tip).to_have_css("opacity", "1")


def test_tapping_another_dot_changes_the_results_without_a_reload(page, look):
    first = page.search(look)
    page.page.evaluate("window.untouched = true")
    other = next(region for region in first["regions"] if region["id"] != first["selected"]["region"])

    answer = page.answer_to(lambda: page.page.click(f'.dot[data-region="{other["id"]}"]'))

    assert answer["selected"]["region"] == other["id"]
    assert page.shown_products() == [result["product"]["id"] for result in answer["results"]]
    assert page.shown_products() != [result["product"]["id"] for result in first["results"]]
    expect(page.page.locator(f'.dot[data-region="{other["id"]}"]')).to_have_attribute("aria-pressed", "true")
    assert center_distance(page.shown_box(answer["image"]), other["box"]) < 3
    assert page.page.evaluate("window.untouched")


def test_the_category_is_shown_with_its_confidence_and_can_be_switched(page, look):
    first = page.search(look)
    category = first["selected"]["category"]
    expect(page.chips.first).to_contain_text(f"{round(category['confidence'] * 100)}% sure")
    assert page.active_category() == category["slug"]

    other = next(region["category"] for region in first["regions"] if region["category"] != category["slug"])
    answer = page.answer_to(lambda: page.page.click(f'#chips [data-category="{other}"]'))

    assert page.active_category() == other
    assert {result["product"]["category"] for result in answer["results"]} == {other}
    assert answer["selected"]["box"] == first["selected"]["box"]


def test_a_category_that_is_not_in_the_photo_can_be_chosen_too(page, look):
    seen = {region["category"] for region in page.search(look)["regions"]}
    select = page.page.get_by_label("Another category")
    others = select.locator("option").evaluate_all("options => options.map(option => option.value).filter(Boolean)")
    assert not seen & set(others)

    answer = page.answer_to(lambda: select.select_option(others[0]))

    assert {result["product"]["category"] for result in answer["results"]} == {others[0]}
    assert page.active_category() == others[0]


def test_everything_turns_the_category_off(page, look):
    page.search(look)

    answer = page.answer_to(lambda: page.page.get_by_role("button", name="Everything").click())

    assert answer["selected"]["category_applied"] is False
    assert page.active_category() == "all"
    assert len({result["product"]["category"] for result in answer["results"]}) > 1


def test_more_products_come_below_and_the_count_is_announced(page, look):
    page.search(look)
    first = page.answer_to(lambda: page.page.get_by_role("button", name="Everything").click())
    page.show_all()
    shown = page.shown_products()
    assert len(shown) == 24

    with page.page.expect_response(lambda response: response.url.endswith("/search/")) as info:
        page.page.get_by_role("button", name="Show more").click()
    expect(page.cards).to_have_count(24 + len(info.value.json()["results"]))

    assert page.shown_products()[:24] == shown
    assert len(set(page.shown_products())) == len(page.shown_products())
    expect(page.page.locator("#said")).to_have_text(f"{len(page.shown_products())} products")
    expect(page.page).to_have_url(re.compile(first["id"]))


def test_a_followed_result_leads_to_its_page_and_is_told_to_the_shop(page, look):
    answer = page.search(look)
    product = answer["results"][1]["product"]

    with page.page.expect_request(lambda request: request.url.endswith(f"/search/{answer['id']}/feedback/")) as told:
        page.cards.nth(1).get_by_role("link", name=product["title"], exact=True).click()

    assert told.value.post_data_json == {"product": product["id"], "verdict": "click"}
    expect(page.page).to_have_url(re.compile(f"/p/{product['id']}/$"))
    expect(page.page.get_by_role("heading", level=1)).to_have_text(product["title"])
    expect(page.page.get_by_role("heading", name="More like this")).to_be_visible()
    expect(page.page.locator(".similar .card")).not_to_have_count(0)


def test_a_late_answer_never_replaces_a_newer_one(page, look):
    first = page.search(look)
    slow = next(region for region in first["regions"] if region["id"] != first["selected"]["region"])
    page.page.evaluate(
        """() => {
            const plain = window.fetch;
            // The first question's answer arrives late, and its cancellation is not heard.
            window.fetch = async (url, options) => {
                if (window.lateArrived !== undefined || options?.method !== "POST") return plain(url, options);
                window.lateArrived = false;
                const response = await plain(url, { ...options, signal: undefined });
                const body = await response.text();
                await new Promise((resolve) => { window.letItArrive = resolve; });
                setTimeout(() => { window.lateArrived = true; });
                return new Response(body, { status: response.status });
            };
        }"""
    )
    with page.page.expect_response(is_search):
        page.page.click(f'.dot[data-region="{slow["id"]}"]')
    newest = page.answer_to(lambda: page.page.get_by_role("button", name="Everything").click())
    page.until("Boolean(window.letItArrive)")
    page.page.evaluate("window.letItArrive()")
    page.until("window.lateArrived")
    page.page.wait_for_timeout(200)
    assert page.shown_products() == [result["product"]["id"] for result in newest["results"]]
    expect(page.page).to_have_url(re.compile(newest["id"]))


def test_the_photo_stays_in_view_while_results_scroll(page, look):
    page.search(look)
    page.answer_to(lambda: page.page.get_by_role("button", name="Everything").click())
    page.page.get_by_role("button", name=re.compile("more that aren't close")).click()
    page.page.mouse.move(*corner(page.page.locator("#grid"), 0.5, 0.1))

    page.page.mouse.wheel(0, 700)
    page.until("scrollY > 300")

    expect(page.page.locator("#photo")).to_be_in_viewport(ratio=0.9)
