"""Who gets what, over every address of the site.

Alice (a merchant's owner), Bob (her colleague, an editor), Charlie (the owner of another shop), Rae (an admin), nobody.

The addresses are read from the URLconf: one that is added and not decided on here fails a test. Which admin may open
what of the console is decided in tests/catalog/pages/console/test_access.py.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.forms.models import model_to_dict
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from catalog.models import ApiKey, Delivery, Member, Merchant, Product, SearchRecord, Upload, Webhook
from catalog.pages.merchant.insights import signed
from catalog.search.answers import keep
from catalog.search.questions import Question
from catalog.search.search import search
from catalog.uploads.webhooks import make_webhook, send_test
from catalog.uploads.work import do_next_upload
from tests.catalog.shelf import Shelf
from tests.fakes import picture
from tests.feed_folder import FeedFolder

EVERYBODY = {
    *("pages:home", "pages:shared", "pages:product", "pages:picture", "pages:media", "pages:favicon"),
    "pages:agree",  # from a page of ours alone
    *("api:search", "api:recall", "api:feedback", "api:products", "api:product", "api:similar", "api:health"),
    *("api:schema", "api:None"),
    *("merchant:home", "merchant:sign_in", "merchant:sign_out"),
}
# A merchant's members, by the least role.
MEMBERS = {
    "merchant:uploads": "viewer",
    "merchant:upload": "viewer",
    "merchant:status": "viewer",
    "merchant:errors": "viewer",
    "merchant:products": "viewer",
    "merchant:product": "viewer",
    "merchant:doctor": "viewer",
    "merchant:insights": "viewer",
    "merchant:looked_for": "viewer",
    "merchant:send": "editor",
    "merchant:cancel": "editor",
    "merchant:columns": "editor",
    "merchant:change": "editor",
    "merchant:edit": "editor",
    "merchant:examine": "editor",
    "merchant:keys": "owner",
    "merchant:revoke": "owner",
    "merchant:webhooks": "owner",
    "merchant:end_webhook": "owner",
    "merchant:test_webhook": "owner",
    "merchant:send_again": "owner",
}
# Programs with a merchant's key.
KEYS = {
    *("api:uploads", "api:upload", "api:cancel_upload", "api:upload_errors", "api:own_product"),
    *("api:webhooks", "api:webhook", "api:webhook_deliveries", "api:webhook_test", "api:send_again"),
    *("api:upload_columns", "api:quota"),
}
METHODS = ("get", "post", "put", "patch", "delete")
# Tables of Alice's shop that nobody else may change.
KEPT = (Product, Upload, ApiKey, Member, Webhook, Delivery)


def addresses(resolver: Any = None, namespace: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Yields every address outside of the console and Django's admin, as namespace:name."""
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLResolver):
            inner = pattern.namespace or namespace
            if inner not in {"console", "admin"}:
                yield from addresses(pattern, inner)
        else:
            yield f"{namespace}:{pattern.name}", pattern


PATTERNS = dict(addresses())


@dataclass
class Site:
    clients: dict[str, Client]
    keys: dict[str, str]
    known: dict[str, Any]

    def address(self, name: str, slug: str = "linden") -> str:
        known = {**self.known, "slug": slug}
        return reverse(name, kwargs={part: known[part] for part in PATTERNS[name].pattern.converters})

    def ask(self, who: str, method: str, name: str, *, slug: str = "linden", key: str = "") -> Any:
        headers = {"Authorization": f"Api-Key {self.keys[key]}"} if key else {}
        return getattr(self.clients[who], method)(self.address(name, slug), headers=headers)

    @staticmethod
    def rows() -> list[dict[str, Any]]:
        rows = [model_to_dict(row) for table in KEPT for row in table._default_manager.order_by("pk")]
        for row in rows:
            row.pop("claimed_until", None)
        return rows


@pytest.fixture
def site(shelf: Shelf, settings, tmp_path) -> Site:
    settings.UPLOADS_ROOT = tmp_path / "uploads"
    cache.clear()
    linden, maison = (Merchant.objects.create(slug=slug, name=slug.title()) for slug in ("linden", "maison"))
    clients = {"nobody": Client()}
    for name, merchant, role in (
        ("alice", linden, "owner"),
        ("bob", linden, "editor"),
        ("vera", linden, "viewer"),
        ("charlie", maison, "owner"),
        ("rae", None, ""),
    ):
        user = get_user_model().objects.create_user(name, is_staff=not merchant, is_superuser=not merchant)
        if merchant is not None:
            Member.objects.create(user=user, merchant=merchant, role=role)
        clients[name] = Client()
        clients[name].force_login(user)
    product = shelf.put("S-1", 1, merchant="linden")
    feed = FeedFolder(tmp_path / "feed")
    feed.add("BAD", price="cheap")
    clients["alice"].post("/merchant/linden/send/", {"file": SimpleUploadedFile("feed.zip", feed.zip())})
    do_next_upload()
    webhook, _ = make_webhook(linden, "https://shop.example/hooks")
    key, text = ApiKey.issue(linden, name="till")
    keep(search(Question(image=picture(1))))
    known = {
        "upload_id": Upload.objects.get().pk,
        "key_id": key.pk,
        "product_id": product.pk,
        "sku": product.sku,
        "webhook_id": webhook.pk,
        "delivery_id": send_test(webhook).pk,
        "search_id": SearchRecord.objects.get().pk,
        "crop": signed("2026-03-05/crop.jpg", "linden"),
        "name": product.images.get().file.name,
    }
    return Site(clients, {"alice": text, "charlie": ApiKey.issue(maison, name="till")[1]}, known)


def test_it_is_decided_of_each_address_who_may_open_it():
    assert set(PATTERNS) == EVERYBODY | set(MEMBERS) | KEYS
    assert all("slug" in PATTERNS[name].pattern.converters for name in MEMBERS)


@pytest.mark.parametrize("name", sorted(MEMBERS))
def test_a_merchants_page_is_for_its_members_alone_and_by_their_role(site, name):
    before = site.rows()
    for method in METHODS:
        for who in ("charlie", "rae"):  # to them the shop isn't there; an admin has the console
            assert site.ask(who, method, name).status_code == 404, (who, method)
        assert site.ask("nobody", method, name).status_code == 302
        least = MEMBERS[name]
        if least != "viewer":
            assert site.ask("vera", method, name).status_code == 403
        if least == "owner":
            assert site.ask("bob", method, name).status_code == 403
    assert site.rows() == before
    assert 403 not in {site.ask("alice", method, name).status_code for method in ("get", "post")}


@pytest.mark.parametrize("name", sorted(name for name in MEMBERS if len(PATTERNS[name].pattern.converters) > 1))
def test_what_is_anothers_is_not_found_under_ones_own_shop_either(site, name):
    before = site.rows()
    for method in METHODS:
        assert site.ask("charlie", method, name, slug="maison").status_code in {404, 405}
    assert site.rows() == before


@pytest.mark.parametrize("name", sorted(KEYS))
def test_a_merchants_api_needs_a_key_and_a_session_is_none(site, name):
    before = site.rows()
    for method in METHODS:
        for who in ("nobody", "alice", "rae"):
            assert site.ask(who, method, name).status_code in {401, 405}, (who, method)
    assert site.rows() == before


@pytest.mark.parametrize("name", sorted(KEYS))
def test_a_key_opens_what_is_its_merchants_and_nothing_of_anothers(site, name):
    def of_alice() -> list[dict[str, Any]]:
        return [row for row in site.rows() if row.get("merchant") == linden or "merchant" not in row]

    linden = Merchant.objects.get(slug="linden").pk
    before = of_alice()
    for method in METHODS:
        answer = site.ask("nobody", method, name, key="charlie")
        if PATTERNS[name].pattern.converters:
            # A SKU is free to every merchant: to put what isn't there makes one's own, if the body says enough.
            assert answer.status_code in {400, 404, 405, 415}, method
        body = b"" if answer.streaming else answer.content
        assert b"shop.example" not in body
        assert b"feed.zip" not in body
    assert of_alice() == before
    assert site.ask("nobody", "get", name, key="alice").status_code in {200, 405}


@pytest.mark.parametrize("name", sorted(KEYS))
def test_a_revoked_key_opens_nothing(site, name):
    site.clients["alice"].post(site.address("merchant:revoke"))

    for method in METHODS:
        assert site.ask("nobody", method, name, key="alice").status_code in {401, 405}


@pytest.mark.parametrize("name", sorted(EVERYBODY - {"api:None"}))
def test_what_everybody_may_open_asks_nobody_to_sign_in(site, name):
    answer = site.ask("nobody", "get", name)

    assert answer.status_code not in {401, 403, 500}
    if name != "merchant:home":
        assert answer.status_code != 302


@pytest.mark.parametrize("who", ["nobody", "alice", "bob", "charlie"])
def test_neither_console_nor_djangos_admin_lets_merchants_in(site, who):
    for address in ("/console/", "/console/quality/", "/console/audit/", "/admin/", "/admin/catalog/merchant/"):
        assert site.clients[who].get(address).status_code in {302, 403}, address


def test_insights_and_lists_show_nothing_of_anothers(site):
    for name in ("merchant:products", "merchant:uploads", "merchant:doctor", "merchant:insights"):
        page = site.ask("charlie", "get", name, slug="maison").content.decode()
        assert "Product S-1" not in page
        assert "feed.zip" not in page
