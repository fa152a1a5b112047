"""The upload's journey in one process; tests/journeys/test_upload_crashes.py kills the processes."""

import csv
import io
import os
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from catalog.models import AwaitedImage, Merchant, Product, ProductImage, Upload, UploadError
from catalog.uploads import imports
from catalog.uploads import work as upload_work
from catalog.uploads.accept import (
    MAX_WAITING,
    UploadOptions,
    accept_upload,
    cancel_upload,
    file_of,
    sweep,
    upload_as_json,
    upload_of,
)
from catalog.uploads.errors import errors_as_csv
from catalog.uploads.work import do_next_upload
from shop_search.errors import InputError, ServiceError
from tests.feed_folder import FeedFolder

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folders(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.UPLOADS_ROOT = tmp_path / "uploads"


@pytest.fixture
def feed(tmp_path) -> FeedFolder:
    return FeedFolder(tmp_path / "feed")


@pytest.fixture
def alice() -> Merchant:
    return Merchant.objects.create(slug="alice", name="Alice")


@pytest.fixture
def charlie() -> Merchant:
    return Merchant.objects.create(slug="charlie", name="Charlie")


def send(merchant: Merchant, feed: FeedFolder | str, **options: Any) -> Upload:
    name, data = ("feed.zip", feed.zip()) if isinstance(feed, FeedFolder) else ("feed.csv", feed.encode())
    return accept_upload(merchant, name, [data], UploadOptions(**options))


def upload(merchant: Merchant, feed: FeedFolder | str, **options: Any) -> Upload:
    """Returns the upload once the worker has done it."""
    sent = send(merchant, feed, **options)
    while do_next_upload():
        pass
    sent.refresh_from_db()
    return sent


def counts(done: Upload) -> dict[str, int]:
    names = ("rows_done", "rows_failed", "added", "changed", "unchanged", "withdrawn")
    return {name: value for name in names if (value := getattr(done, name))}


def table(done: Upload) -> list[dict[str, str]]:
    text = "".join(errors_as_csv(done))
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def as_csv(lines: list[dict[str, str]]) -> str:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(lines[0]))
    writer.writeheader()
    writer.writerows(lines)
    return buffer.getvalue()


def skus(merchant: Merchant) -> set[str]:
    return set(Product.objects.for_merchant(merchant).shown().values_list("sku", flat=True))


def test_an_upload_is_taken_in_by_the_worker_with_its_counts(alice, feed):
    feed.add_many(3)
    feed.add("BAD", price="cheap")

    sent = send(alice, feed)
    assert (sent.status, sent.rows_total) == ("queued", None)
    assert do_next_upload()
    assert not do_next_upload()

    sent.refresh_from_db()
    assert (sent.status, sent.format, sent.rows_total) == ("done", "csv", 4)
    assert counts(sent) == {"rows_done": 4, "rows_failed": 1, "added": 3}
    assert skus(alice) == {"P-0000", "P-0001", "P-0002"}
    body = upload_as_json(sent, "https://shop.example")
    assert body["images_pending"] == 3
    assert body["errors_url"] == f"https://shop.example/api/v1/uploads/{sent.pk}/errors.csv"
    assert (body["problem"], body["eta_s"]) == (None, 0)


def test_a_replay_changes_nothing(alice, feed):
    feed.add_many(3)
    upload(alice, feed)
    ProductImage.objects.update(state="indexed")
    before = list(Product.objects.values()), list(ProductImage.objects.values())

    assert counts(upload(alice, feed)) == {"rows_done": 3, "unchanged": 3}
    assert (list(Product.objects.values()), list(ProductImage.objects.values())) == before


def test_the_file_is_deleted_when_the_upload_is_done(alice, feed, django_capture_on_commit_callbacks):
    feed.add("S-1")
    sent = send(alice, feed)
    assert file_of(sent).is_file()

    with django_capture_on_commit_callbacks(execute=True):
        do_next_upload()

    assert not file_of(sent).parent.exists()


def test_a_dry_run_counts_and_writes_nothing(alice, feed):
    feed.add_many(3)
    upload(alice, feed)
    feed.edit("P-0001", {"price": "99 EUR"})
    feed.add("NEW")
    feed.add("BAD", price="cheap")
    feed.rows.remove(feed.row("P-0002"))
    before = list(Product.objects.values())

    done = upload(alice, feed, dry_run=True, withdraw_missing=True, confirm_withdraw=True)

    assert counts(done) == {
        "rows_done": 4, "rows_failed": 1, "added": 1, "changed": 1, "unchanged": 1, "withdrawn": 1,
    }  # fmt: skip
    assert [line["code"] for line in table(done)] == ["price_invalid"]
    assert list(Product.objects.values()) == before


def test_one_bad_row_rejects_the_whole_upload_when_asked_to(alice, feed):
    feed.add_many(3)
    feed.add("BAD", price="cheap")

    done = upload(alice, feed, on_error="reject_all")

    assert (done.status, done.error_code) == ("rejected", "rows_failed")
    assert counts(done) == {"rows_done": 4, "rows_failed": 1}
    assert [line["code"] for line in table(done)] == ["price_invalid"]
    assert skus(alice) == set()

    feed.edit("BAD", {"price": "5 EUR"})
    assert counts(upload(alice, feed, on_error="reject_all")) == {"rows_done": 4, "added": 4}


def test_what_is_only_told_is_told_once_by_an_upload_that_checks_first(alice, feed):
    feed.add("S-1", gtin="4.00638E+12")

    done = upload(alice, feed, on_error="reject_all")

    assert (done.status, done.errors.count()) == ("done", 1)


def test_a_full_feed_withdraws_what_it_names_no_more(alice, charlie, feed):
    feed.add_many(10)
    upload(alice, feed)
    upload(charlie, feed)
    feed.rows = feed.rows[2:]

    done = upload(alice, feed, withdraw_missing=True)

    assert counts(done) == {"rows_done": 8, "unchanged": 8, "withdrawn": 2}
    assert len(skus(alice)) == 8
    assert len(skus(charlie)) == 10  # another's products are none of this feed's


def test_a_feed_that_withdraws_nothing_unless_asked_to(alice, feed):
    feed.add_many(10)
    upload(alice, feed)
    feed.rows = feed.rows[:1]

    upload(alice, feed)

    assert len(skus(alice)) == 10


def test_more_than_a_fifth_is_withdrawn_only_when_confirmed(alice, feed):
    feed.add_many(10)
    upload(alice, feed)
    feed.rows = feed.rows[3:]

    held = upload(alice, feed, withdraw_missing=True)
    assert (held.status, held.error_code, held.withdrawn) == ("done", "withdraw_needs_confirmation", 0)
    assert "3 of 10" in held.error
    assert len(skus(alice)) == 10

    assert upload(alice, feed, withdraw_missing=True, confirm_withdraw=True).withdrawn == 3
    assert len(skus(alice)) == 7


def test_a_product_whose_row_is_bad_is_not_missing(alice, feed):
    feed.add_many(10)
    upload(alice, feed)
    feed.edit("P-0000", {"price": "cheap"})

    assert upload(alice, feed, withdraw_missing=True).withdrawn == 0
    assert len(skus(alice)) == 10


def test_nothing_is_withdrawn_when_a_row_cannot_be_read(alice, feed):
    feed.add_many(10)
    upload(alice, feed)
    text = feed.write().read_text().replace("P-0000,Product", "P-0000,too,many,Product")

    done = upload(alice, text, withdraw_missing=True)

    assert (done.error_code, done.withdrawn) == ("withdraw_unsure", 0)
    assert len(skus(alice)) == 10


def test_a_product_that_came_after_the_upload_is_not_missing_from_it(alice, feed):
    feed.add_many(10)
    upload(alice, feed)
    sent = send(alice, feed, withdraw_missing=True)
    other = Product.objects.get(sku="P-0000")
    Product.objects.create(merchant=alice, sku="LATER", title="Later", category=other.category)

    do_next_upload()

    sent.refresh_from_db()
    assert sent.withdrawn == 0
    assert "LATER" in skus(alice)


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("feed.csv", b"one,two\n1,2\n", "columns_missing"),
        ("feed.xml", b"<!DOCTYPE a><rss><item></item></rss>", "feed_doctype_forbidden"),
        ("feed.zip", b"PK\x03\x04 not really", "archive_unreadable"),
        ("feed.xlsx", b"PK\x03\x04" + b"[Content_Types].xml", "archive_unreadable"),
        ("feed.xls", b"\xd0\xcf\x11\xe0", "feed_unsupported"),
        ("photo.jpg", b"\xff\xd8\xff\xe0", "feed_unsupported"),
    ],
)
def test_a_file_that_cannot_be_read_fails_with_the_reason(alice, name, data, code):
    sent = accept_upload(alice, name, [data])

    do_next_upload()

    sent.refresh_from_db()
    assert (sent.status, sent.error_code) == ("failed", code)
    assert sent.error


def test_a_header_of_ones_own_is_mapped(alice, feed):
    feed.add("S-1")
    upload(alice, feed)
    text = "Artikel;Bezeichnung;Foto;Preis\nS-1;Schuh;S-1.png;12,50\n"

    done = upload(
        alice,
        text,
        mapping={"id": "Artikel", "title": "Bezeichnung", "image_link": "Foto", "price": "Preis"},
        currency="eur",
    )

    assert counts(done) == {"rows_done": 1, "changed": 1}
    product = Product.objects.get()
    assert (product.title, str(product.price), product.currency) == ("Schuh", "12.50", "EUR")
    assert done.columns["used"]["id"] == "Artikel"


@pytest.mark.parametrize(
    ("options", "code"), [({"mapping": {"sku": "a"}}, "column_unknown"), ({"currency": "EURO"}, "currency_unknown")]
)
def test_options_that_mean_nothing_are_refused(options, code):
    with pytest.raises(InputError) as caught:
        UploadOptions(**options)

    assert caught.value.code == code


def test_a_file_without_an_end_is_refused_and_leaves_nothing(alice, settings):
    settings.UPLOADS_MAX_BYTES = 1000

    def endless() -> Iterator[bytes]:
        while True:
            yield b"x" * 100

    with pytest.raises(InputError) as caught:
        accept_upload(alice, "feed.csv", endless())

    assert caught.value.code == "upload_too_large"
    assert not Upload.objects.exists()
    assert list(Path(settings.UPLOADS_ROOT).iterdir()) == []


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "..\\..\\evil.csv", "/abs.csv", "", "...", "a b\0c.csv", "x" * 300]
)
def test_a_name_never_leads_out_of_the_uploads_folder(alice, settings, name):
    sent = accept_upload(alice, name, [b"id,title,image_link\n"])

    assert file_of(sent).parent.parent == settings.UPLOADS_ROOT
    assert file_of(sent).is_file()


def test_only_so_many_uploads_wait_at_once(alice, charlie):
    for _ in range(MAX_WAITING):
        send(alice, "id,title,image_link\n")

    with pytest.raises(InputError) as caught:
        send(alice, "id,title,image_link\n")

    assert caught.value.code == "uploads_too_many"
    send(charlie, "id,title,image_link\n")


def test_uploads_of_a_merchant_are_done_in_order_and_others_do_not_wait(alice, charlie):
    first = send(alice, "id,title,image_link\n")
    second = send(alice, "id,title,image_link\n")
    other = send(charlie, "id,title,image_link\n")

    assert Upload.objects.claim() == first
    assert Upload.objects.claim() == other
    assert Upload.objects.claim() is None
    Upload.objects.filter(pk=first.pk).update(status="done")
    assert Upload.objects.claim() == second


def test_nobody_sees_anothers_upload(alice, charlie):
    sent = send(alice, "id,title,image_link\n")

    with pytest.raises(InputError) as caught:
        upload_of(charlie, sent.pk)

    assert caught.value.code == "upload_unknown"
    with pytest.raises(InputError):
        cancel_upload(charlie, sent.pk)


def test_a_waiting_upload_is_canceled_at_once(alice, feed):
    feed.add("S-1")
    sent = send(alice, feed)

    assert cancel_upload(alice, sent.pk).status == "canceled"
    assert not do_next_upload()
    assert not file_of(sent).exists()


def test_a_running_upload_is_canceled_after_the_rows_in_hand(alice, feed, monkeypatch):
    monkeypatch.setattr(imports, "BATCH_ROWS", 3)
    feed.add_many(10)
    sent = send(alice, feed)
    real = upload_work._Run._acknowledge

    def acknowledge(run: Any, report: Any, last_row: int) -> None:
        cancel_upload(alice, sent.pk)
        real(run, report, last_row)

    monkeypatch.setattr(upload_work._Run, "_acknowledge", acknowledge)
    do_next_upload()

    sent.refresh_from_db()
    assert sent.status == "canceled"
    assert 0 < sent.rows_done < 10
    assert len(skus(alice)) == sent.rows_done


class DiedError(BaseException):
    """The process ends here."""


def die_after(monkeypatch: pytest.MonkeyPatch, batches: int) -> None:
    """Ends the work in the middle of the transaction of a batch."""
    real = upload_work._Run._acknowledge
    seen: list[int] = []

    def acknowledge(run: Any, report: Any, last_row: int) -> None:
        seen.append(last_row)
        if len(seen) > batches:
            raise DiedError
        real(run, report, last_row)

    monkeypatch.setattr(upload_work._Run, "_acknowledge", acknowledge)


@pytest.mark.parametrize("on_error", ["keep_good", "reject_all"])
@pytest.mark.parametrize("batches", [0, 1, 2, 3])
def test_a_killed_upload_goes_on_at_its_checkpoint_and_nothing_doubles(alice, feed, monkeypatch, on_error, batches):
    monkeypatch.setattr(imports, "BATCH_ROWS", 3)
    feed.add_many(10)
    feed.add("WARNED", gtin="4.00638E+12")
    if on_error == "keep_good":
        feed.add("BAD", price="cheap")
    feed.add("LAST")
    sent = send(alice, feed, on_error=on_error)
    with monkeypatch.context() as patch:
        die_after(patch, batches)
        with pytest.raises(DiedError):
            do_next_upload()
    assert not do_next_upload()  # the claim still holds

    Upload.objects.update(claimed_until=timezone.now())
    assert do_next_upload()

    sent.refresh_from_db()
    failed = {"rows_failed": 1} if on_error == "keep_good" else {}
    assert sent.status == "done"
    assert counts(sent) == {"rows_done": 12 + len(failed), "added": 12, **failed}
    assert len(skus(alice)) == 12
    assert sorted(sent.errors.values_list("code", flat=True)) == sorted(
        ["gtin_invalid"] + (["price_invalid"] if failed else [])
    )


def test_a_worker_that_lost_its_claim_commits_nothing(alice, feed, monkeypatch):
    monkeypatch.setattr(imports, "BATCH_ROWS", 3)
    feed.add_many(10)
    sent = send(alice, feed)
    real = upload_work._Run._acknowledge

    def acknowledge(run: Any, report: Any, last_row: int) -> None:
        real(run, report, last_row)
        Upload.objects.filter(pk=sent.pk).update(claim="another")

    monkeypatch.setattr(upload_work._Run, "_acknowledge", acknowledge)
    do_next_upload()

    sent.refresh_from_db()
    assert (sent.status, sent.rows_done, sent.claim) == ("running", 3, "another")
    assert len(skus(alice)) == 3


def test_a_stopped_worker_hands_the_upload_on_at_once(alice, feed):
    feed.add_many(5)
    sent = send(alice, feed)
    answers = iter([False, False, False])

    do_next_upload(lambda: next(answers, True))
    sent.refresh_from_db()
    assert (sent.status, sent.rows_done, sent.claimed_until) == ("running", 3, None)

    do_next_upload()
    sent.refresh_from_db()
    assert (sent.status, counts(sent)) == ("done", {"rows_done": 5, "added": 5})


def test_a_full_disk_leaves_the_upload_to_be_done_later(alice, feed, monkeypatch):
    feed.add_many(2)
    sent = send(alice, feed)

    def full(*_: object, **__: object) -> None:
        raise ServiceError("media_unwritable", "No space left on device.")

    with monkeypatch.context() as patch:
        patch.setattr(upload_work, "import_rows", full)
        with pytest.raises(ServiceError):
            do_next_upload()

    assert do_next_upload()
    sent.refresh_from_db()
    assert (sent.status, sent.added) == ("done", 2)


def test_a_mistake_of_ours_ends_the_upload_and_not_the_worker(alice, feed, monkeypatch):
    feed.add("S-1")
    sent = send(alice, feed)

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(upload_work, "import_rows", broken)
    assert do_next_upload()

    sent.refresh_from_db()
    assert (sent.status, sent.error_code) == ("failed", "internal_error")


def test_pictures_by_url_are_noted_with_the_upload(alice):
    sent = upload(alice, "id,title,image_link\nS-1,One,https://cdn.example/1.png\n")

    assert counts(sent) == {"rows_done": 1, "added": 1}
    assert list(AwaitedImage.objects.values_list("upload", "row")) == [(sent.pk, 2)]
    assert upload_as_json(sent, "")["images_pending"] == 1


def test_uploads_of_long_ago_and_files_that_nobody_waits_for_are_swept_away(alice, settings):
    old, waiting = upload(alice, "id,title,image_link\n"), send(alice, "id,title,image_link\n")
    Upload.objects.filter(pk=old.pk).update(finished_at=timezone.now() - timedelta(days=settings.UPLOADS_KEPT_DAYS + 1))
    young, orphan = (Path(settings.UPLOADS_ROOT) / name for name in ("young", "orphan"))
    for folder in (young, orphan):
        folder.mkdir()
    two_days_ago = time.time() - 2 * 24 * 3600
    for folder in (orphan, file_of(waiting).parent):
        os.utime(folder, (two_days_ago, two_days_ago))

    sweep()

    assert list(Upload.objects.all()) == [waiting]
    assert file_of(waiting).is_file()
    assert (young.exists(), orphan.exists()) == (True, False)


# --- errors.csv


def test_errors_are_one_line_a_row_with_its_cells(alice, feed):
    feed.add("S-1")
    feed.add("BAD", price="cheap", availability="maybe", title="Shoe")

    (line,) = table(upload(alice, feed))

    assert {name: line[name] for name in ("row", "column", "code", "value", "row_kept")} == {
        "row": "3",
        "column": "price | availability",
        "code": "price_invalid | availability_unknown",
        "value": "cheap | maybe",
        "row_kept": "no",
    }
    assert (line["id"], line["title"], line["price"], line["availability"]) == ("BAD", "Shoe", "cheap", "maybe")


def test_errors_are_put_right_and_sent_again(alice, feed):
    feed.add_many(5)
    good = upload(alice, feed)
    feed.edit("P-0001", {"price": "cheap"})
    feed.edit("P-0003", {"title": "", "availability": "maybe"})
    first = upload(alice, feed)
    assert (good.added, counts(first)) == (5, {"rows_done": 5, "rows_failed": 2, "unchanged": 3})
    lines = table(first)
    lines[0]["price"] = "5 EUR"
    lines[1].update(title="Mended", availability="out_of_stock")

    done = upload(alice, as_csv(lines))

    assert counts(done) == {"rows_done": 2, "changed": 2}
    assert done.columns["unknown"] == ["row", "column", "code", "message", "value", "row_kept"]
    mended = Product.objects.get(sku="P-0003")
    assert (mended.title, mended.in_stock) == ("Mended", False)


@pytest.mark.parametrize("cell", ["=1+1", "+x", "-1", "@SUM(A1)", "  =1+1", "=cmd|' /C calc'!A0", "\uff1d1+1"])
def test_no_cell_of_the_errors_is_a_formula_and_reading_it_again_gives_what_it_was(alice, feed, cell):
    feed.add("S-1")
    upload(alice, feed)
    row = {"id": "S-1", "title": cell, "image_link": "S-1.png", "price": cell}

    (line,) = table(upload(alice, as_csv([row])))
    assert all(value.strip()[:1] not in {"=", "+", "-", "@", "\uff1d"} for value in line.values())
    upload(alice, as_csv([{**line, "price": "1 EUR"}]))

    assert Product.objects.get().title == " ".join(cell.split())


def test_so_many_errors_are_kept_and_all_are_counted(alice, monkeypatch):
    monkeypatch.setattr(upload_work, "MOST_ERRORS", 3)
    done = upload(alice, "id,title,image_link\n" + "".join(f"S-{n},One,\n" for n in range(10)))

    assert (done.rows_failed, UploadError.objects.count()) == (10, 3)
