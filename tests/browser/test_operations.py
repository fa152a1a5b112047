"""An admin starts a job, sees how far it is and that it is done, without loading the page anew."""

import pytest
from playwright.sync_api import expect

from tests.browser.test_everyone import faults
from tests.browser.test_review import PASSWORD, run

MAKE_ADMIN = """
import django
django.setup()
from django.contrib.auth.models import Group, User
user, _ = User.objects.get_or_create(username="ada", defaults={"is_staff": True})
user.set_password("a long password")
user.save()
user.groups.add(Group.objects.get(name="Shop admins"))
"""


@pytest.fixture
def ada(shop, new_page):
    run(shop, MAKE_ADMIN)
    page = new_page()
    page.open("/console/login/?next=/console/operations/")
    page.page.keyboard.type("ada")
    page.page.keyboard.press("Tab")
    page.page.keyboard.type(PASSWORD)
    page.page.keyboard.press("Enter")
    expect(page.page.get_by_role("heading", name="Operations")).to_be_visible()
    page.page.wait_for_load_state()  # the script that starts jobs has run then
    return page


def card(page, title: str):
    return page.page.locator(".job-card", has=page.page.get_by_role("heading", name=title, exact=True))


def test_a_job_is_started_watched_and_seen_to_finish(ada):
    assert faults(ada) == []
    card(ada, "Check the index").get_by_role("button", name="Start").press("Enter")

    expect(card(ada, "Check the index").get_by_text("Database and index agree.")).to_be_visible()
    row = ada.page.locator(".runs tbody tr").first
    expect(row).to_contain_text("Check the index")
    expect(row).to_contain_text("ada")
    expect(ada.page.locator(".flash")).to_have_count(0)  # it was not loaded anew, and old news are gone
    expect(ada.page.locator("[data-said]")).to_have_text("Check the index: done")
    assert faults(ada) == []


def test_a_job_is_canceled_from_the_page(ada):
    card(ada, "Measure the catalog").get_by_role("button", name="Start").click()
    expect(card(ada, "Measure the catalog").get_by_role("progressbar")).to_be_visible()
    assert faults(ada) == []

    card(ada, "Measure the catalog").get_by_role("button", name="Cancel").click()

    expect(card(ada, "Measure the catalog").get_by_text("Canceled")).to_be_visible()


def test_what_was_done_is_in_the_audit(ada):
    card(ada, "Back up").get_by_role("button", name="Start").click()
    expect(card(ada, "Back up").get_by_text("Done")).to_be_visible()

    ada.page.get_by_role("link", name="Audit").click()

    expect(ada.page.locator("tbody tr").first).to_contain_text("Back up")
    assert faults(ada) == []


@pytest.mark.parametrize("width", [390, 820, 1440])
def test_nothing_is_wider_than_the_screen(ada, width):
    ada.page.set_viewport_size({"width": width, "height": 900})
    for path in ("/console/operations/", "/console/audit/"):
        ada.page.goto(path)
        assert ada.page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_the_admin_runs_its_theme_under_its_policy(ada):
    """A script or style that the policy forbids would be logged as an error, and fail the test."""
    ada.page.goto("/admin/catalog/merchant/")
    expect(ada.page.get_by_text("Plain records")).to_be_visible()
    ada.page.goto("/admin/catalog/auditentry/")
    expect(ada.page.get_by_text("Plain records")).to_be_visible()
