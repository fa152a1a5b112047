"""What one merchant may have and send: the rest of a feed fails row by row, and nothing that was there is lost."""

import csv
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from catalog.models import ApiKey, Merchant, MerchantQuota, Product, Upload
from catalog.uploads.accept import UploadOptions, accept_upload
from catalog.uploads.errors import errors_as_csv
from catalog.uploads.quotas import QuotaError, usage_of
from catalog.uploads.work import do_next_upload
from tests.feed_folder import FeedFolder

pytestmark = pytest.mark.django_db


@pytest.fixture
def linden(settings, tmp_path) -> Merchant:
    settings.MEDIA_ROOT, settings.UPLOADS_ROOT = tmp_path / "media", tmp_path / "uploads"
    cache.clear()
    return Merchant.objects.create(slug="linden", name="Linden")


@pytest.fixture
def feed(tmp_path) -> FeedFolder:
    feed = FeedFolder(tmp_path / "feed")
    feed.add_many(5)
    return feed


def sent(merchant: Merchant, data: bytes, **options) -> Upload:
    upload = accept_upload(merchant, "feed.zip", [data], UploadOptions(**options))
    do_next_upload()
    upload.refresh_from_db()
    return upload


def skus(merchant: Merchant) -> list[str]:
    return list(Product.objects.for_merchant(merchant).shown().values_list("sku", flat=True))


def used(merchant: Merchant) -> dict[str, int]:
    return {one.name: one.used for one in usage_of(merchant)}


def test_rows_over_the_limit_fail_and_come_in_once_there_is_room(linden, feed):
    quota = MerchantQuota.objects.create(merchant=linden, products=3)

    upload = sent(linden, feed.zip())

    assert (upload.status, upload.added, upload.rows_failed) == ("done", 3, 2)
    assert skus(linden) == ["P-0000", "P-0001", "P-0002"]
    assert list(upload.errors.values_list("row", "code", "value")) == [
        (5, "quota_products", "P-0003"),
        (6, "quota_products", "P-0004"),
    ]
    assert "3 products" in upload.errors.first().message

    quota.products = 5
    quota.save()
    failed = {row["id"] for row in csv.DictReader("".join(errors_as_csv(upload)).splitlines())}
    feed.rows = [row for row in feed.rows if row["id"] in failed]

    assert (sent(linden, feed.zip()).added, len(skus(linden))) == (2, 5)


def test_products_that_are_there_are_changed_however_full_it_is(linden, feed):
    sent(linden, feed.zip())
    MerchantQuota.objects.create(merchant=linden, products=2, pictures=1)
    for row in feed.rows:
        row["price"] = "11.00 EUR"

    upload = sent(linden, feed.zip())

    assert (upload.changed, upload.rows_failed) == (5, 0)


def test_pictures_are_counted_too(linden, feed):
    MerchantQuota.objects.create(merchant=linden, pictures=3)
    feed.row("P-0001")["additional_image_link"] = "P-0002.png,P-0003.png"

    upload = sent(linden, feed.zip())

    assert skus(linden) == ["P-0000", "P-0002", "P-0003"]
    assert [error.code for error in upload.errors.all()] == ["quota_pictures"] * 2
    assert used(linden)["pictures"] == 3


def test_a_dry_run_tells_what_would_be_over(linden, feed):
    MerchantQuota.objects.create(merchant=linden, products=3)

    upload = sent(linden, feed.zip(), dry_run=True)

    assert (upload.added, upload.rows_failed, skus(linden)) == (3, 2, [])


def test_reject_all_rejects_a_feed_that_does_not_fit(linden, feed):
    MerchantQuota.objects.create(merchant=linden, products=3)

    assert sent(linden, feed.zip(), on_error="reject_all").status == "rejected"
    assert skus(linden) == []


def test_a_withdrawn_product_takes_no_room_and_needs_it_to_come_back(linden, feed):
    sent(linden, feed.zip())
    MerchantQuota.objects.create(merchant=linden, products=4)
    Product.objects.filter(sku__in=["P-0000", "P-0001"]).withdraw()
    assert used(linden)["products"] == 3

    upload = sent(linden, feed.zip())

    assert (upload.changed, upload.rows_failed) == (1, 1)
    assert used(linden)["products"] == 4


def test_so_many_uploads_a_day_and_then_no_more(linden, settings):
    settings.MERCHANT_QUOTAS = {**settings.MERCHANT_QUOTAS, "uploads_a_day": 2}
    for _ in range(2):
        accept_upload(linden, "feed.csv", [b"id,title,image_link\n"])

    with pytest.raises(QuotaError) as caught:
        accept_upload(linden, "feed.csv", [b"id,title,image_link\n"])

    assert (caught.value.code, caught.value.limit) == ("quota_uploads", 2)
    assert 80_000 < caught.value.reset_s <= 86_400
    Upload.objects.update(created_at=timezone.now() - timedelta(hours=25))
    assert accept_upload(linden, "feed.csv", [b"id,title,image_link\n"]).pk


def test_so_many_bytes_a_day_and_nothing_of_the_rest_is_kept(linden, settings):
    MerchantQuota.objects.create(merchant=linden, bytes_a_day=100)
    accept_upload(linden, "feed.csv", [b"x" * 60])

    with pytest.raises(QuotaError) as caught:
        accept_upload(linden, "feed.csv", [b"x" * 60])

    assert caught.value.code == "quota_bytes"
    assert Upload.objects.count() == len(list(Path(settings.UPLOADS_ROOT).iterdir())) == 1


def test_the_api_says_so_with_the_usual_headers(linden):
    MerchantQuota.objects.create(merchant=linden, uploads_a_day=0, products=7)
    headers = {"Authorization": f"Api-Key {ApiKey.issue(linden, name='x')[1]}"}
    file = SimpleUploadedFile("feed.csv", b"id,title,image_link\n")

    refused = Client().post("/api/v1/uploads/", {"file": file}, headers=headers)
    told = Client().get("/api/v1/quota/", headers=headers).json()

    assert (refused.status_code, refused.json()["code"]) == (429, "quota_uploads")
    assert (refused["RateLimit-Limit"], refused["RateLimit-Remaining"]) == ("0", "0")
    assert int(refused["Retry-After"]) == int(refused["RateLimit-Reset"]) >= 1
    assert told["products"] == {"limit": 7, "used": 0, "remaining": 7}
    assert Client().get("/api/v1/quota/").status_code == 401


def test_a_single_product_over_the_limit_is_refused_by_its_code(linden):
    MerchantQuota.objects.create(merchant=linden, products=0)
    headers = {"Authorization": f"Api-Key {ApiKey.issue(linden, name='x')[1]}"}

    answer = Client().put(
        "/api/v1/catalog/S-1/",
        '{"title": "Boot", "image_link": "https://cdn.example/1.png"}',
        content_type="application/json",
        headers=headers,
    )

    assert (answer.status_code, answer.json()["code"]) == (403, "quota_products")


def test_another_merchants_products_are_no_matter(linden, feed):
    MerchantQuota.objects.create(merchant=linden, products=0)
    other = Merchant.objects.create(slug="other", name="Other")

    assert sent(other, feed.zip()).added == 5
