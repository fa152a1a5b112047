"""A live A/B, as visitors and the admin see it: started on the page, answered by two sides, counted, stopped."""

import json
import re
from typing import Any

import pytest
from playwright.sync_api import expect

from catalog.versions.visitors import COOKIE
from tests.browser.test_everyone import faults
from tests.browser.test_review import run
from tests.browser.test_versions import MAKE_ADMIN, picture, sign_in, until

BY_COLOR = {"Appearance": "0", "Color": "1", "Attributes": "0", "Quality": "0"}
# A visitor's number for each side of the trial that runs.
NUMBERS = """
import json, django
django.setup()
from itertools import count
from catalog.models import Trial
from catalog.serving import serving
from catalog.versions.visitors import side_of
trial = serving().trial
sides = {}
for number in map("{:032x}".format, count()):
    sides.setdefault(side_of(trial, number).is_challenger, number)
    if len(sides) == 2:
        break
print(json.dumps([sides[False], sides[True]]))
"""
VISITS = """
import json, django
django.setup()
from django.db.models import Count
from catalog.models import TrialVisit
rows = TrialVisit.objects.annotate(found=Count("searches")).order_by("is_challenger", "pk")
print(json.dumps(list(rows.values_list("is_challenger", "found", "has_clicked"))))
"""


@pytest.fixture
def admin(shop, new_page):
    run(shop, MAKE_ADMIN)
    page = new_page()
    sign_in(page)
    return page


def propose_order_by_color(page):
    page.page.get_by_label("Name").fill("By color")
    page.page.get_by_label("Of what").select_option("ranking")
    for label, weight in BY_COLOR.items():
        page.page.get_by_label(label).fill(weight)
    page.page.get_by_role("button", name="Propose").click()
    version = page.page.locator(".version", has_text="By color")
    expect(version.locator(".mark").first).to_have_text("Ready")
    return version


def visitor(new_page, shop, number: str):
    page = new_page()
    page.page.context.add_cookies([{"name": COOKIE, "value": number, "url": shop.address}])
    return page


def numbers_of(page) -> list[Any]:
    return [cookie for cookie in page.page.context.cookies() if cookie["name"] == COOKIE]


def order(page, photo) -> list[int]:
    """Returns the products that a visitor of the start page finds for a photo."""
    page.open()
    return [result["product"]["id"] for result in page.search(photo)["results"]]


def test_two_visitors_are_answered_by_two_sides_until_the_admin_stops_the_trial(shop, admin, new_page, look):
    before = new_page()
    usual = order(before, look)
    assert numbers_of(before) == []  # no trial, no number

    version = propose_order_by_color(admin)
    trying = version.locator("details", has_text="Try it on visitors")
    trying.locator("summary").click()
    trying.get_by_label("Percent of the visitors").fill("50")
    trying.get_by_label("Why").fill("Does color matter more?")
    trying.get_by_role("button", name="Start the trial").click()
    trial = admin.page.get_by_role("region", name=re.compile("^Live A"))
    expect(trial).to_contain_text(re.compile("By color answers 50% of the visitors .* Does color matter more"))
    expect(trial.locator("tbody td")).to_have_text([re.compile("^.$"), re.compile("^.$"), "0"] * 2)
    picture(admin, "trial-started")
    assert faults(admin) == []

    numbers = json.loads(run(shop, NUMBERS))
    with_live, with_color = (visitor(new_page, shop, number) for number in numbers)
    until(admin, lambda: order(with_color, look) != usual)  # every process has learned of the trial by then
    by_color = order(with_color, look)
    assert order(with_live, look) == usual
    assert order(with_color, look) == by_color  # the same side each time
    with_color.cards.first.locator("a").first.click()

    new = new_page()
    order(new, look)
    (cookie,) = numbers_of(new)
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Lax")

    until(admin, lambda: sum(1 for row in json.loads(run(shop, VISITS)) if row[1]) == 3)
    until(admin, lambda: any(is_challenger and clicked for is_challenger, _, clicked in json.loads(run(shop, VISITS))))
    admin.open("/console/versions/")
    expect(trial).to_contain_text("3 visitors came in the last ten minutes")
    trial.locator("summary", has_text="Stop the trial").click()
    trial.get_by_label("Why").fill("Seen enough")
    trial.get_by_role("button", name="Stop it").click()
    expect(trial.locator(".mark")).to_have_text("Stopped by a person")
    expect(trial).to_contain_text("By color answered 50% of the visitors from")
    picture(admin, "trial-stopped")
    assert faults(admin) == []
    until(admin, lambda: order(with_color, look) == usual)
