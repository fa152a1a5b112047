"""The pages for merchants, as Alice (owner), her colleagues Bob (editor) and Vera (viewer), and Charlie elsewhere."""

from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from catalog.models import ApiKey, Delivery, Member, Merchant, Product, Upload, Webhook
from catalog.pages.merchant.insights import signed
from catalog.pages.merchant.sign_in import MOST_FAILURES
from catalog.pages.merchant.urls import urlpatterns
from catalog.uploads.webhooks import make_webhook, send_test
from catalog.uploads.work import do_next_upload
from tests.feed_folder import FeedFolder

pytestmark = pytest.mark.django_db


CROP = "2026-03-05/crop.jpg"


@dataclass
class Shops:
    clients: dict[str, Client]
    upload: Upload
    key: ApiKey
    product: Product
    webhook: Webhook
    delivery: Delivery

    def __getitem__(self, name: str) -> Client:
        return self.clients[name]

    def address(self, name: str, slug: str = "linden") -> str:
        known: dict[str, Any] = {"slug": slug, "upload_id": self.upload.pk, "key_id": self.key.pk}
        known |= {"webhook_id": self.webhook.pk, "delivery_id": self.delivery.pk, "product_id": self.product.pk}
        known["crop"] = signed(CROP, "linden")
        pattern = next(one for one in urlpatterns if one.name == name)
        return reverse(f"merchant:{name}", kwargs={part: known[part] for part in pattern.pattern.converters})


@pytest.fixture
def shops(settings, tmp_path) -> Shops:
    settings.MEDIA_ROOT, settings.UPLOADS_ROOT = tmp_path / "media", tmp_path / "uploads"
    settings.SEARCH_CROPS_ROOT = tmp_path / "crops"
    (tmp_path / "crops" / CROP).parent.mkdir(parents=True)
    (tmp_path / "crops" / CROP).write_bytes(b"a small picture")
    cache.clear()
    linden = Merchant.objects.create(slug="linden", name="Linden")
    maison = Merchant.objects.create(slug="maison", name="Maison")
    clients = {"nobody": Client()}
    for name, merchant, role in [
        ("alice", linden, "owner"),
        ("bob", linden, "editor"),
        ("vera", linden, "viewer"),
        ("charlie", maison, "owner"),
    ]:
        user = get_user_model().objects.create_user(name, password="a good password")
        Member.objects.create(user=user, merchant=merchant, role=role)
        clients[name] = Client()
        clients[name].force_login(user)
    feed = FeedFolder(tmp_path / "feed")
    feed.add("S-1", brand="Linden")
    feed.add("BAD", price="<b>cheap</b>")
    clients["alice"].post("/merchant/linden/send/", {"file": SimpleUploadedFile("feed.zip", feed.zip())})
    do_next_upload()
    webhook, _ = make_webhook(linden, "https://shop.example/hooks")
    key, _ = ApiKey.issue(linden, name="till")
    return Shops(clients, Upload.objects.get(), key, Product.objects.get(), webhook, send_test(webhook))


READ = ["uploads", "upload", "status", "errors", "products", "product", "doctor", "insights", "looked_for"]
EDIT = ["send", "cancel", "columns", "change", "edit", "examine"]
OWN = ["keys", "revoke", "webhooks", "end_webhook", "test_webhook", "send_again"]


def test_every_page_of_a_merchant_is_in_one_of_the_lists_of_these_tests():
    of_a_merchant = {pattern.name for pattern in urlpatterns if "slug" in pattern.pattern.converters}

    assert of_a_merchant == {*READ, *EDIT, *OWN}


@pytest.mark.parametrize("name", [*READ, *EDIT, *OWN])
def test_who_may_open_what(shops, name):
    address = shops.address(name)
    method = "get" if name in [*READ, "keys", "webhooks"] else "post"

    def status(who: str) -> int:
        return getattr(shops[who], method)(address).status_code

    assert status("nobody") == 302
    assert status("charlie") == 404  # to him the shop isn't there
    assert (status("vera") == 403) == (name not in READ)
    assert (status("bob") == 403) == (name in OWN)
    assert status("alice") not in {403, 404}


@pytest.mark.parametrize(
    "name",
    ["upload", "status", "errors", "cancel", "columns", "revoke", "end_webhook", "test_webhook", "send_again"],
)
def test_what_is_anothers_is_not_found_under_ones_own_shop_either(shops, name):
    method = "get" if name in {"upload", "status", "errors"} else "post"

    assert getattr(shops["charlie"], method)(shops.address(name, slug="maison")).status_code == 404
    assert ApiKey.objects.filter(revoked_at=None).count() == 1
    assert Webhook.objects.filter(ended_at=None).count() == Delivery.objects.count() == 1


def test_columns_with_other_names_are_asked_for_on_the_page(shops):
    feed = b"Artikel;Bezeichnung;Bild;<b>Notiz</b>\nA-1;Stiefel;https://cdn.example/a.png;x\n"
    sent = shops["bob"].post(shops.address("send"), {"file": SimpleUploadedFile("feed.csv", feed)})
    do_next_upload()
    page = shops["bob"].get(sent["Location"]).content.decode()
    assert "Which column is what?" in page
    assert '<option value="title" selected>' in page
    assert "Stiefel" in page
    assert "<b>Notiz" not in page

    twice = shops["bob"].post(sent["Location"] + "columns/", {"column-0": "id", "column-1": "id"})
    assert (twice.status_code, "both be" in twice.content.decode()) == (400, True)
    few = shops["bob"].post(sent["Location"] + "columns/", {"column-0": "id"})
    assert (few.status_code, "title, image_link" in few.content.decode()) == (400, True)
    shops["bob"].post(sent["Location"] + "columns/", {"column-0": "id", "column-1": "title", "column-2": "image_link"})
    do_next_upload()

    assert Product.objects.filter(sku="A-1", title="Stiefel").exists()
    assert "Which column is what?" not in shops["bob"].get(sent["Location"]).content.decode()


def test_a_webhook_is_made_with_a_secret_that_is_shown_once_then_tried_and_ended(shops):
    made = shops["alice"].post(shops.address("webhooks"), {"url": "https://shop.example/new"}).content.decode()
    webhook = Webhook.objects.get(url="https://shop.example/new")
    assert webhook.secret in made
    assert webhook.secret not in shops["alice"].get(shops.address("webhooks")).content.decode()

    shops["alice"].post(f"/merchant/linden/webhooks/{webhook.pk}/test/")
    listed = shops["alice"].get(shops.address("webhooks")).content.decode()
    assert listed.count("https://shop.example/new") >= 2
    shops["alice"].post(f"/merchant/linden/webhooks/{webhook.pk}/end/")

    webhook.refresh_from_db()
    assert webhook.ended_at is not None
    refused = shops["alice"].post(shops.address("webhooks"), {"url": "ftp://shop.example/<b>"})
    assert refused.status_code == 400
    assert "public internet" in refused.content.decode()
    assert "<b>" not in refused.content.decode()


def test_charlie_withdraws_none_of_alices_products(shops):
    shops["charlie"].post("/merchant/maison/products/change/", {"product": shops.product.pk, "action": "withdraw"})

    assert Product.objects.shown().count() == 1
    assert "Product S-1" not in shops["charlie"].get("/merchant/maison/products/").content.decode()


def test_an_upload_is_sent_watched_and_its_errors_are_read(shops):
    page = shops["vera"].get(shops.address("upload")).content.decode()

    assert "is not a price" in page
    assert "&lt;b&gt;cheap" in page
    assert "<b>cheap" not in page
    state = shops["vera"].get(shops.address("status")).json()
    assert (state["status"], state["percent"], state["rows_done"], state["rows_failed"]) == ("done", 100, 2, 1)
    errors = shops["vera"].get(shops.address("errors"))
    assert b"price_invalid" in b"".join(errors.streaming_content)
    assert "feed.zip" in shops["vera"].get(shops.address("uploads")).content.decode()


def test_a_new_upload_leads_to_its_page(shops):
    file = SimpleUploadedFile("prices.csv", b"id,title,image_link\n")

    response = shops["bob"].post(
        shops.address("send"), {"file": file, "dry_run": "on", "reject_all": "on", "mapping": "id = A\r\n\r\ntitle=B"}
    )

    upload = Upload.objects.get(name="prices.csv")
    assert response["Location"] == f"/merchant/linden/uploads/{upload.pk}/"
    assert (upload.dry_run, upload.on_error, upload.status) == (True, "reject_all", "queued")
    assert upload.mapping == {"id": "A", "title": "B"}
    assert shops["bob"].post(response["Location"] + "cancel/").status_code == 302
    upload.refresh_from_db()
    assert upload.status == "canceled"


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"file": SimpleUploadedFile("a.csv", b"")},
        {"file": SimpleUploadedFile("a.csv", b"x"), "currency": "??"},
        {"file": SimpleUploadedFile("a.csv", b"x"), "mapping": "Article no"},
        {"file": SimpleUploadedFile("a.csv", b"x"), "mapping": "sku = Article no"},
    ],
)
def test_what_cannot_be_uploaded_is_said_on_the_form(shops, fields):
    response = shops["bob"].post(shops.address("send"), fields)

    assert response.status_code == 400
    assert 'role="alert"' in response.content.decode()
    assert Upload.objects.count() == 1


def test_products_are_found_by_words_and_state_and_withdrawn(shops):
    def found(query: str) -> bool:
        return "Product S-1" in shops["bob"].get(f"{shops.address('products')}?{query}").content.decode()

    assert found("")
    assert found("q=s-1&state=waiting")
    assert not found("q=nothing")
    assert not found("state=withdrawn")
    assert found("page=999&state=nonsense")

    shops["bob"].post(shops.address("change"), {"action": "withdraw", "product": [shops.product.pk, "x", "9" * 40]})

    assert found("state=withdrawn")
    assert not found("state=shown")


def test_a_key_is_shown_once_and_revoked(shops):
    made = shops["alice"].post(shops.address("keys"), {"name": "New till"}).content.decode()
    key = made.split('class="key">')[1].split("<")[0]

    assert ApiKey.objects.find(key) is not None
    assert key not in shops["alice"].get(shops.address("keys")).content.decode()
    made_key = ApiKey.objects.get(name="New till")
    shops["alice"].post(f"/merchant/linden/keys/{made_key.pk}/revoke/")
    assert ApiKey.objects.find(key) is None
    assert shops["alice"].post(shops.address("keys"), {"name": " "}).status_code == 400


def test_people_sign_in_and_out(shops):
    client = Client()

    assert client.get("/merchant/")["Location"] == "/merchant/sign-in/"
    wanted = client.get("/merchant/linden/products/")["Location"]
    assert wanted == "/merchant/sign-in/?next=/merchant/linden/products/"
    assert "csrfmiddlewaretoken" in client.get(wanted).content.decode()
    form = {"username": "vera", "password": "a good password", "next": "/merchant/linden/products/"}
    assert client.post("/merchant/sign-in/", form)["Location"] == "/merchant/linden/products/"
    assert client.get("/merchant/")["Location"] == "/merchant/linden/"
    assert client.post("/merchant/sign-out/")["Location"] == "/merchant/sign-in/"
    assert client.get("/merchant/linden/").status_code == 302


def test_signing_in_leads_nowhere_else(shops):
    form = {"username": "vera", "password": "a good password", "next": "https://evil.example/"}

    assert Client().post("/merchant/sign-in/", form)["Location"] == "/merchant/"


def test_a_password_is_guessed_only_so_often(shops):
    client = Client()
    for _ in range(MOST_FAILURES):
        assert client.post("/merchant/sign-in/", {"username": "vera", "password": "wrong"}).status_code == 200

    refused = client.post("/merchant/sign-in/", {"username": "Vera", "password": "a good password"})

    assert "Too many wrong tries" in refused.content.decode()
    assert Client().post("/merchant/sign-in/", {"username": "bob", "password": "a good password"}).status_code == 302


def test_somebody_without_a_shop_is_told_so(shops):
    client = Client()
    client.force_login(get_user_model().objects.create_user("rae", is_superuser=True, is_staff=True))

    assert "no shop yet" in client.get("/merchant/").content.decode()
    assert client.get("/merchant/linden/").status_code == 404


@pytest.mark.parametrize("name", ["send", "change", "edit", "revoke", "cancel", "keys", "sign_out"])
def test_no_other_website_can_post_in_a_members_name(shops, name):
    client = Client(enforce_csrf_checks=True)
    client.force_login(get_user_model().objects.get(username="alice"))

    assert client.post(shops.address(name)).status_code == 403


def test_pages_load_nothing_from_elsewhere_and_run_no_inline_script(shops):
    response = shops["alice"].get(shops.address("uploads"))

    assert "script-src 'self'" in response["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in response["Content-Security-Policy"]
    assert " style=" not in response.content.decode()
    assert "<script>" not in response.content.decode()


def test_a_command_makes_members(shops, capsys):
    call_command("create_member", "dora", "--merchant", "linden", "--role", "editor")
    password = capsys.readouterr().out.strip()

    assert Client().login(username="dora", password=password)
    assert Member.objects.get(user__username="dora").role == "editor"
    call_command("create_member", "dora", "--merchant", "linden", "--role", "owner")
    assert capsys.readouterr().out == ""
    assert Member.objects.get(user__username="dora").role == "owner"
    with pytest.raises(CommandError, match="no merchant"):
        call_command("create_member", "dora", "--merchant", "nowhere")
