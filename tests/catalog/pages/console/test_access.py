"""Who may open what of the console. The addresses come from the URLconf itself, so that none can be forgotten."""

import pytest
from django.urls import reverse

from catalog.pages.console import urls
from tests.catalog.people import everybody

ALL, REVIEWERS, ADMINS = {"rae", "reviewer", "reader"}, {"rae", "reviewer"}, {"rae"}
# Who may, by address; a new address fails the test until it is decided here.
MAY = {
    "home": ALL,
    "quality": ALL,
    "quality_csv": ALL,
    "review": REVIEWERS,
    "undo": REVIEWERS,
    "search": REVIEWERS,
    "sight": REVIEWERS,
    "after": REVIEWERS,
    "verdict": REVIEWERS,
    "skip": REVIEWERS,
    "crop": REVIEWERS,
    "operations": ADMINS,
    "operations_state": ADMINS,
    "operations_start": ADMINS,
    "operations_cancel": ADMINS,
    "audit": ADMINS,
    "audit_csv": ADMINS,
    "versions": ALL,
    "comparison": ALL,
    "version_new": ADMINS,
    "version_build": ADMINS,
    "version_compare": ADMINS,
    "version_promote": ADMINS,
    "version_rollback": ADMINS,
    "version_retire": ADMINS,
    "version_try": ADMINS,
    "trial_stop": ADMINS,
    "categories": ADMINS,
    "category_new": ADMINS,
    "category_label": ADMINS,
    "category_edit": ADMINS,
    "category_again": ADMINS,
    "products": REVIEWERS,
    "product": REVIEWERS,
    "correct_search": REVIEWERS,
    "correct_product": REVIEWERS,
    "correct_image": REVIEWERS,
    "apply": ADMINS,
    "curation": ADMINS,
    "curation_new": ADMINS,
    "curation_effect": ADMINS,
    "curation_remove": ADMINS,
    "blocked": ADMINS,
    "blocked_picture": ADMINS,
    "let_in": ADMINS,
    "block_product": ADMINS,
    "block_photo": ADMINS,
}
OPEN = {"login", "logout"}
NAMES = [str(pattern.name) for pattern in urls.urlpatterns if pattern.name not in OPEN]
VALUES = {"uuid": "7b0f8a53-5c3c-4b7e-9a3b-5b4f2f0f7d11", "int": "7", "slug": "shoes", "string": "shoes"}


def address(name: str) -> str:
    """Returns the address with some value for each of its parts."""
    pattern = next(one for one in urls.urlpatterns if one.name == name)
    converters = pattern.pattern.converters
    values = {part: VALUES[type(one).__name__.removesuffix("Converter").lower()] for part, one in converters.items()}
    return reverse(f"console:{name}", kwargs=values)


def test_it_is_decided_of_each_address_who_may_open_it():
    assert set(NAMES) == set(MAY)


@pytest.mark.parametrize("name", NAMES)
def test_only_those_who_may_open_an_address(shelf, client, name):
    people = everybody()
    path = address(name)

    for method in (client.get, client.post):
        answer = method(path)
        assert answer.status_code == 302
        assert answer.url.startswith(reverse("console:login"))
    for who, user in people.items():
        client.force_login(user)
        for method in (client.get, client.post):
            status = method(path).status_code
            if who in MAY[name]:
                assert status != 403, f"{who} may open {path}"
            else:
                assert status == 403, f"{who} may not open {path}"


@pytest.mark.parametrize("who", ["rae", "reviewer", "reader"])
def test_the_navigation_offers_what_one_may_open_and_nothing_else(shelf, client, who):
    client.force_login(everybody()[who])
    page = client.get(reverse("console:home"), follow=True).content.decode()
    for name in ("review", "quality", "operations", "audit"):
        assert (f'href="{reverse(f"console:{name}")}"' in page.split("console-nav")[1]) == (who in MAY[name])
