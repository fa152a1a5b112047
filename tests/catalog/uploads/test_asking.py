"""A feed whose columns have names of their own: asked once with the first rows, known the next time."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from catalog.models import ApiKey, FeedMapping, Merchant, Product, Upload
from catalog.uploads.accept import UploadOptions, accept_upload, cancel_upload, file_of, sweep, upload_as_json
from catalog.uploads.asking import name_columns
from catalog.uploads.work import do_next_upload
from shop_search.errors import InputError

pytestmark = pytest.mark.django_db
FEED = b"Artikel;Bezeichnung;Foto;Preis;Notiz\nA-1;Stiefel;https://cdn.example/a.png;19,90;x\n"
SAID = {"id": "Artikel", "title": "Bezeichnung", "image_link": "Foto", "price": "Preis"}


@pytest.fixture
def linden(settings, tmp_path) -> Merchant:
    settings.MEDIA_ROOT, settings.UPLOADS_ROOT = tmp_path / "media", tmp_path / "uploads"
    cache.clear()
    return Merchant.objects.create(slug="linden", name="Linden")


def sent(merchant: Merchant, data: bytes = FEED, *, ask_columns: bool = True) -> Upload:
    upload = accept_upload(merchant, "feed.csv", [data], UploadOptions(ask_columns=ask_columns, currency="EUR"))
    do_next_upload()
    upload.refresh_from_db()
    return upload


def test_the_merchant_is_asked_with_a_proposal_and_the_first_rows(linden):
    upload = sent(linden)

    asks = upload_as_json(upload, "")["asks"]
    assert (upload.status, upload.is_finished, upload.claimed_until) == ("asking", False, None)
    assert (asks["proposed"], asks["rows"][0][1]) == (SAID, "Stiefel")
    assert not do_next_upload()  # it waits for a person
    assert file_of(upload).is_file()


def test_with_the_answer_it_goes_on_and_the_next_feed_needs_none(linden):
    name_columns(linden, sent(linden).pk, SAID)

    do_next_upload()

    assert Upload.objects.get().status == "done"
    assert Product.objects.values_list("sku", "title", "currency").get() == ("A-1", "Stiefel", "EUR")
    later = sent(linden, FEED.replace(b"19,90", b"18,00"), ask_columns=False)
    assert (later.status, later.changed, later.mapping) == ("done", 1, SAID)


def test_what_one_merchant_said_is_not_what_another_means(linden):
    name_columns(linden, sent(linden).pk, SAID)
    do_next_upload()
    other = Merchant.objects.create(slug="other", name="Other")

    assert sent(other).status == "asking"
    assert sent(other, ask_columns=False).error_code == "columns_missing"


def test_a_feed_that_is_clear_is_not_asked_about(linden):
    assert sent(linden, b"id,title,image_link,season\nA-1,Boot,https://cdn.example/a.png,winter\n").status == "done"


@pytest.mark.parametrize(
    ("mapping", "code"),
    [
        ({"id": "Artikel"}, "columns_missing"),
        ({**SAID, "title": "Nowhere"}, "column_missing"),
        ({**SAID, "nonsense": "Notiz"}, "column_unknown"),
    ],
)
def test_an_answer_that_cannot_be_is_refused_and_asked_again(linden, mapping, code):
    upload = sent(linden)

    with pytest.raises(InputError) as caught:
        name_columns(linden, upload.pk, mapping)

    upload.refresh_from_db()
    assert (caught.value.code, upload.status, FeedMapping.objects.count()) == (code, "asking", 0)


def test_it_can_be_canceled_and_is_given_up_after_a_week(linden):
    upload, forgotten = sent(linden), sent(linden)
    assert cancel_upload(linden, upload.pk).status == "canceled"
    assert not file_of(upload).exists()
    with pytest.raises(InputError):
        name_columns(linden, upload.pk, SAID)
    sweep()
    assert file_of(forgotten).is_file()

    Upload.objects.filter(pk=forgotten.pk).update(created_at=timezone.now() - timedelta(days=8))
    sweep()

    forgotten.refresh_from_db()
    assert forgotten.status == "canceled"


def test_another_upload_does_not_wait_for_the_answer(linden):
    sent(linden)

    assert sent(linden, b"id,title,image_link\nA-2,Boot,https://cdn.example/a.png\n").status == "done"


def test_by_api_too_and_only_to_its_own_merchant(linden):
    key, strange = (
        {"Authorization": f"Api-Key {ApiKey.issue(one, name='x')[1]}"}
        for one in (linden, Merchant.objects.create(slug="other", name="Other"))
    )
    file = SimpleUploadedFile("feed.csv", FEED)
    upload = Client().post("/api/v1/uploads/", {"file": file, "ask_columns": "true"}, headers=key).json()
    do_next_upload()
    address = f"/api/v1/uploads/{upload['id']}/"
    asks = Client().get(address, headers=key).json()["asks"]

    def answer(headers: dict[str, str]) -> int:
        body = {"mapping": asks["proposed"]}
        return Client().post(f"{address}columns/", body, content_type="application/json", headers=headers).status_code

    assert answer(strange) == 404
    assert answer(key) == 202
    do_next_upload()
    assert Client().get(address, headers=key).json()["added"] == 1
