"""The merchant's part of the API, as Alice, her colleague Bob, and Charlie of another shop call it."""

import csv
import io
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

import embeddings
from catalog.indexing.index import index_due
from catalog.models import ApiKey, Merchant, Product, ProductImage, Upload
from catalog.uploads.work import do_next_upload
from tests.catalog.shop import use_fakes
from tests.fakes import MemoryStore, picture
from tests.feed_folder import FeedFolder

pytestmark = pytest.mark.django_db
HEADER = "id,title,image_link,price\n"


@pytest.fixture(autouse=True)
def service(settings, tmp_path):
    use_fakes(settings)
    settings.VECTOR_STORE = {"BACKEND": "tests.fakes.MemoryStore", "OPTIONS": {}}
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.UPLOADS_ROOT = tmp_path / "uploads"
    cache.clear()


@pytest.fixture
def feed(tmp_path) -> FeedFolder:
    return FeedFolder(tmp_path / "feed")


@dataclass
class Caller:
    """A program with a merchant's key."""

    key: str
    merchant: Merchant

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Api-Key {self.key}"}

    def get(self, path: str) -> Any:
        return Client().get(f"/api/v1/{path}", headers=self.headers)

    def send(self, data: bytes, name: str = "feed.csv", **options: Any) -> Any:
        return Client().post(
            "/api/v1/uploads/", {"file": SimpleUploadedFile(name, data), **options}, headers=self.headers
        )

    def put(self, sku: str, **fields: Any) -> Any:
        return Client().put(
            f"/api/v1/catalog/{sku}/", json.dumps(fields), content_type="application/json", headers=self.headers
        )

    def put_with_picture(self, sku: str, *images: bytes, **fields: Any) -> Any:
        files = [SimpleUploadedFile(f"{n}.png", image) for n, image in enumerate(images)]
        from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

        body = encode_multipart(BOUNDARY, {**fields, "image": files})
        return Client().put(f"/api/v1/catalog/{sku}/", body, content_type=MULTIPART_CONTENT, headers=self.headers)

    def delete(self, sku: str) -> Any:
        return Client().delete(f"/api/v1/catalog/{sku}/", headers=self.headers)


def caller(merchant: Merchant, name: str) -> Caller:
    return Caller(ApiKey.issue(merchant, name=name)[1], merchant)


@pytest.fixture
def linden() -> Merchant:
    return Merchant.objects.create(slug="linden", name="Linden")


@pytest.fixture
def alice(linden) -> Caller:
    return caller(linden, "Alice's program")


@pytest.fixture
def bob(linden) -> Caller:
    return caller(linden, "Bob's program")


@pytest.fixture
def charlie() -> Caller:
    return caller(Merchant.objects.create(slug="maison", name="Maison"), "Charlie's program")


def test_an_upload_is_accepted_done_and_reported(alice, bob, feed):
    feed.add_many(2)
    feed.add("BAD", price="cheap")

    accepted = alice.send(feed.zip(), "feed.zip")
    assert accepted.status_code == 202
    body = accepted.json()
    assert (body["status"], body["rows_total"], body["rows_done"], body["rows_failed"]) == ("queued", None, 0, 0)
    assert accepted["Location"] == f"/api/v1/uploads/{body['id']}/"
    do_next_upload()

    seen = bob.get(f"uploads/{body['id']}/").json()  # her colleague sees the same
    assert (seen["status"], seen["rows_total"], seen["rows_done"], seen["rows_failed"]) == ("done", 3, 3, 1)
    assert (seen["added"], seen["images_pending"], seen["eta_s"]) == (2, 2, 0)
    assert [one["id"] for one in bob.get("uploads/").json()["results"]] == [body["id"]]

    errors = alice.get(seen["errors_url"].split("/api/v1/")[1])
    assert errors["Content-Type"] == "text/csv; charset=utf-8"
    assert "attachment" in errors["Content-Disposition"]
    (line,) = csv.DictReader(io.StringIO(b"".join(errors.streaming_content).decode("utf-8-sig")))
    assert (line["row"], line["column"], line["code"], line["value"]) == ("4", "price", "price_invalid", "cheap")


def test_a_dry_run_and_other_wishes_are_sent_in_the_form(alice):
    body = alice.send(
        b"Artikel,title,image_link\n1,One,a.png\n",
        dry_run="true",
        on_error="reject_all",
        withdraw_missing="true",
        mapping='{"id": "Artikel"}',
        currency="eur",
    ).json()

    upload = Upload.objects.get(pk=body["id"])
    assert (body["dry_run"], body["on_error"], body["withdraw_missing"]) == (True, "reject_all", True)
    assert (upload.mapping, upload.currency) == ({"id": "Artikel"}, "EUR")


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"on_error": "ignore"}, "on_error"),
        ({"dry_run": "perhaps"}, "dry_run"),
        ({"mapping": "id=Artikel"}, "mapping"),
        ({"mapping": '{"id": 5}'}, "mapping"),
        ({"mapping": '{"sku": "Artikel"}'}, "mapping"),
        ({"currency": "EURO"}, "currency"),
    ],
)
def test_a_wish_that_cannot_be_is_refused_by_its_field(alice, options, field):
    response = alice.send(HEADER.encode(), **options)

    assert response.status_code == 400
    assert field in response.json()["fields"]
    assert not Upload.objects.exists()


def test_a_form_without_a_file_or_with_an_empty_one_is_refused(alice):
    missing = Client().post("/api/v1/uploads/", {}, headers=alice.headers)
    empty = alice.send(b"")

    assert (missing.status_code, empty.status_code) == (400, 400)
    assert ("file" in missing.json()["fields"], empty.json()["code"]) == (True, "feed_empty")


def test_too_large_a_file_is_refused(alice, settings):
    settings.UPLOADS_MAX_BYTES = 100

    response = alice.send(b"x" * 200)

    assert (response.status_code, response.json()["code"]) == (413, "upload_too_large")


def test_an_upload_is_canceled(alice, charlie):
    upload_id = alice.send(HEADER.encode()).json()["id"]

    stranger = Client().post(f"/api/v1/uploads/{upload_id}/cancel/", headers=charlie.headers)
    own = Client().post(f"/api/v1/uploads/{upload_id}/cancel/", headers=alice.headers)

    assert (stranger.status_code, own.json()["status"]) == (404, "canceled")


# --- who may


@pytest.mark.parametrize("authorization", [None, "", "Api-Key", "Api-Key nonsense", "Bearer {key}", "Api-Key {key}x"])
@pytest.mark.parametrize(
    ("method", "path"),
    [("post", "uploads/"), ("get", "uploads/"), ("put", "catalog/S-1/"), ("delete", "catalog/S-1/")],
)
def test_without_a_good_key_nothing_is_possible(alice, authorization, method, path):
    headers = {} if authorization is None else {"Authorization": authorization.format(key=alice.key)}

    response = getattr(Client(), method)(f"/api/v1/{path}", headers=headers)

    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Api-Key"
    assert response.json()["code"] in {"not_authenticated", "authentication_failed"}


def test_a_revoked_key_opens_nothing_and_its_colleagues_do(alice, bob):
    ApiKey.objects.filter(name="Alice's program").update(revoked_at=timezone.now())

    assert alice.get("uploads/").status_code == 401
    assert bob.get("uploads/").status_code == 200


def test_charlie_sees_and_changes_nothing_of_alices_shop(alice, charlie, feed):
    feed.add("S-1")
    upload_id = alice.send(feed.zip(), "feed.zip").json()["id"]
    do_next_upload()
    before = list(Product.objects.values())

    assert charlie.get("uploads/").json()["results"] == []
    for path in (f"uploads/{upload_id}/", f"uploads/{upload_id}/errors.csv"):
        assert (charlie.get(path).status_code, charlie.get(path).json()["code"]) == (404, "upload_unknown")
    assert charlie.delete("S-1").status_code == 404
    assert charlie.put("S-1", title="Mine").status_code == 400  # to him it is a new product, without a picture
    assert list(Product.objects.values()) == before


def test_the_same_sku_is_another_product_in_another_shop(alice, charlie):
    for one in (alice, charlie):
        assert one.put_with_picture("S-1", picture(1), title=one.merchant.name).status_code == 201

    assert charlie.delete("S-1").status_code == 204
    assert list(Product.objects.shown().values_list("merchant__slug", "title")) == [("linden", "Linden")]


def test_when_a_key_was_last_used_is_noted_once_a_minute(alice):
    alice.get("uploads/")
    first = ApiKey.objects.get().last_used_at
    alice.get("uploads/")
    assert ApiKey.objects.get().last_used_at == first
    ApiKey.objects.update(last_used_at=timezone.now() - timedelta(minutes=2))

    alice.get("uploads/")

    assert ApiKey.objects.get(last_used_at__gt=timezone.now() - timedelta(minutes=1))


def test_each_key_has_an_allowance_of_its_own_that_headers_tell(alice, bob, settings):
    settings.API_RATES = {"read": (2, 3600), "write": (1, 3600), "upload": (1, 3600)}

    first, second, third = (alice.get("uploads/") for _ in range(3))

    assert [response.status_code for response in (first, second, third)] == [200, 200, 429]
    assert [response["RateLimit-Remaining"] for response in (first, second, third)] == ["1", "0", "0"]
    assert first["RateLimit-Limit"] == "2"
    assert 0 < int(third["Retry-After"]) <= int(first["RateLimit-Reset"]) <= 3600
    assert third.json()["code"] == "throttled"
    assert bob.get("uploads/").status_code == 200
    assert alice.delete("S-1").status_code == 404  # writing has an allowance of its own


# --- one product


def test_a_product_is_put_changed_and_withdrawn(alice):
    added = alice.put_with_picture("A/1 b", picture(1), title="Boot", price="19.90 EUR", product_type="Boots")
    assert (added.status_code, added.json()["change"]) == (201, "added")
    assert (added.json()["sku"], added.json()["price"], added.json()["category"]) == ("A/1 b", "19.90", "shoes")
    assert ProductImage.objects.get().state == "indexed"  # at once: nothing waits for the worker

    changed = alice.put("A/1 b", title="Boot", price={"value": "25", "currency": "EUR"}, product_type="Boots")
    assert (changed.status_code, changed.json()["change"], changed.json()["price"]) == (200, "changed", "25.00")
    image = ProductImage.objects.get()
    assert (image.state, image.payload_due is not None) == ("indexed", True)  # told, not embedded again

    again = alice.put("A/1 b", title="Boot", price="25 EUR", product_type="Boots")
    assert again.json()["change"] == "unchanged"

    assert alice.delete("A/1 b").status_code == 204
    assert alice.delete("A/1 b").status_code == 204
    assert Product.objects.get().withdrawn_at is not None
    assert alice.put("A/1 b", title="Boot", price="25 EUR", product_type="Boots").json()["change"] == "changed"
    assert Product.objects.get().withdrawn_at is None


def test_a_product_whose_pictures_are_addresses_is_put_at_once_and_awaits_them(alice):
    link = "https://cdn.example/a,b.jpg"

    response = alice.put(
        "S-1", title="Boot", image_link=link, additional_image_link=[link, "https://cdn.example/c.jpg"]
    )
    again = alice.put("S-1", title="Boot")

    assert (response.status_code, response.json()["image"]) == (201, None)
    assert again.json()["change"] == "unchanged"
    assert Product.objects.get().awaited.count() == 3


def test_a_product_that_is_put_overtakes_an_upload(alice, feed):
    feed.add_many(20)
    alice.send(feed.zip(), "feed.zip")
    do_next_upload()

    alice.put_with_picture("NEW", picture(99), title="Boot")

    assert list(ProductImage.objects.filter(state="indexed").values_list("product__sku", flat=True)) == ["NEW"]


def test_a_product_is_put_while_the_store_is_down_and_indexed_later(alice):
    store = embeddings.vector_store()
    assert isinstance(store, MemoryStore)
    store.failing = True

    assert alice.put_with_picture("S-1", picture(1), title="Boot").status_code == 201

    store.failing = False
    assert ProductImage.objects.get().state == "pending"
    assert index_due().indexed == 1


@pytest.mark.parametrize(
    ("fields", "blamed"),
    [
        ({"title": ""}, "title"),
        ({"title": "Boot", "price": "cheap"}, "price"),
        ({"title": "Boot", "colour": "red"}, "colour"),
        ({"title": "Boot", "id": "S-2"}, "id"),
        ({"title": "Boot", "image_link": "../../etc/passwd"}, "image_link"),
        ({"title": "Boot", "image_link": "file:///etc/passwd"}, "image_link"),
        ({"title": "Boot"}, "image_link"),
    ],
)
def test_a_product_that_cannot_be_taken_is_refused_by_field(alice, fields, blamed):
    response = alice.put("S-1", **fields)

    assert (response.status_code, response.json()["code"]) == (400, "product_invalid")
    assert blamed in response.json()["fields"]
    assert not Product.objects.exists()


def test_a_picture_that_is_none_is_refused(alice):
    response = alice.put_with_picture("S-1", b"no picture", title="Boot")

    assert (response.status_code, list(response.json()["fields"])) == (400, ["image_link"])


@pytest.mark.parametrize("body", ["[]", "{", '"text"', '{"title": "a\\u0000b"}', '{"title": "\\ud800"}'])
def test_a_body_that_is_no_product_is_refused(alice, body):
    response = Client().put("/api/v1/catalog/S-1/", body, content_type="application/json", headers=alice.headers)

    assert response.status_code == 400
    assert set(response.json()) == {"code", "message", "fields"}


def test_what_was_left_out_of_a_product_is_told(alice):
    response = alice.put_with_picture("S-1", picture(1), picture(2), b"none", title="Boot", gtin="4.0E+12")

    assert response.status_code == 201
    assert {warning["column"] for warning in response.json()["warnings"]} == {"gtin", "additional_image_link"}
    assert ProductImage.objects.count() == 2
