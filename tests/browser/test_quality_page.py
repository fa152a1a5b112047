"""The quality page of a shop whose shoppers are simulated: charts, filters, badge, at every width."""

import pytest
from playwright.sync_api import expect

from tests.browser.test_everyone import faults
from tests.browser.test_review import MAKE_PEOPLE, run, sign_in

SIMULATE = """
import django
django.setup()
from django.core.management import call_command
call_command("simulate_shoppers", searches=40, days=40)
call_command("learn_ranking", simulated=True)
"""


@pytest.fixture(scope="module")
def simulated(shop):
    run(shop, MAKE_PEOPLE)
    run(shop, SIMULATE)


@pytest.fixture
def page(new_page, simulated):
    page = new_page()
    sign_in(page, "rae")
    page.open("/console/quality/?traffic=simulated")
    return page


def test_simulated_shoppers_fill_every_chart_and_are_marked(page):
    expect(page.page.locator("h1 .mark-simulated")).to_have_text("simulated")
    empty = page.page.locator(".tile-range", has_text="nothing to read it from")
    assert [one.text_content() for one in empty.all()] == []
    assert page.page.locator(".group svg.plot").count() >= 4
    assert page.page.locator("svg .plot-dot").count() >= 3  # weeks
    cells = page.page.locator(".matrix tbody td[data-shade]").all_text_contents()
    assert sum(int(cell) for cell in cells) > 20
    expect(page.page.get_by_role("cell", name="simulated-careful, simulated-hasty")).to_have_count(0)
    expect(page.page.get_by_role("rowheader", name="simulated-careful, simulated-hasty")).to_be_visible()
    expect(page.page.locator("#learning-title .mark-simulated")).to_be_visible()


def test_a_filter_and_a_measure_stand_in_the_address_together(page):
    page.page.locator("select[name=category]").select_option("shoes")
    page.page.locator("select[name=days]").select_option("90")
    page.page.get_by_role("button", name="Show").click()
    page.page.wait_for_url("**category=shoes**")
    page.page.get_by_role("link", name="Recall@10").click()
    page.page.wait_for_url("**measure=recall**")

    assert "category=shoes" in page.page.url
    assert "traffic=simulated" in page.page.url
    expect(page.page.locator(".tile[aria-current]")).to_contain_text("Recall@10")
    expect(page.page.locator("select[name=category]")).to_have_value("shoes")
    rows = page.page.locator("[aria-labelledby=category-title] tbody th").all_text_contents()
    assert rows == ["shoes"]
    page.page.get_by_role("link", name="Clear").click()
    expect(page.page.locator("select[name=category]")).to_have_value("")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("traffic", ["simulated", "all"])
def test_axe_finds_nothing_wrong_with_the_charts(new_page, simulated, scheme, traffic):
    page = new_page(color_scheme=scheme)
    sign_in(page, "rae")
    page.open(f"/console/quality/?traffic={traffic}&measure=clicks")
    assert faults(page) == []


@pytest.mark.parametrize("width", [390, 820, 1440])
def test_the_charts_never_make_the_page_scroll_sideways(new_page, simulated, width):
    page = new_page(viewport={"width": width, "height": 900})
    sign_in(page, "rae")
    page.open("/console/quality/?traffic=simulated")
    assert page.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_one_key_says_that_the_wrong_part_was_searched_with(new_page, simulated):
    page = new_page()
    sign_in(page, "ray")
    button = page.page.locator(".sight button")
    with page.page.expect_response(lambda response: response.request.method == "POST") as kept:
        page.page.keyboard.press("m")
    expect(button).to_have_attribute("aria-pressed", "true")
    assert kept.value.ok
    page.page.reload()
    expect(button).to_have_attribute("aria-pressed", "true")
    page.page.locator(".judged").first.focus()
    page.page.keyboard.press("m")
    expect(button).to_have_attribute("aria-pressed", "false")
