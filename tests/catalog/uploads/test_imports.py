import errno
import hashlib
import os
import zipfile
from decimal import Decimal
from pathlib import Path

import pytest
from django.utils import timezone
from openpyxl import Workbook
from PIL import Image

from catalog.models import Category, DroppedPoint, Merchant, Product, ProductImage
from catalog.uploads.imports import BATCH_ROWS, ImportReport, import_feed
from detection.images import MAX_BYTES
from shop_search.errors import InputError, ServiceError
from tests.fakes import picture
from tests.feed_folder import FeedFolder

pytestmark = pytest.mark.django_db


@pytest.fixture
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"
    return settings.MEDIA_ROOT


@pytest.fixture
def feed(tmp_path, media):
    return FeedFolder(tmp_path / "feed")


@pytest.fixture
def merchant():
    return Merchant.objects.create(slug="atelier", name="Atelier")


def run(feed: FeedFolder, merchant: Merchant, **options) -> ImportReport:
    return import_feed(feed.write(), merchant=merchant, **options)


def counts(report: ImportReport) -> tuple[int, int, int, int]:
    return report.added, report.changed, report.unchanged, report.failed


def mark_indexed() -> None:
    ProductImage.objects.update(state="indexed", payload_due=None, encoder="e" * 12)


def codes(report: ImportReport) -> list[str]:
    return [error.code for error in report.errors]


def test_a_row_becomes_a_product_with_pending_pictures(feed, merchant):
    feed.draw("back.png", seed=99)
    feed.add(
        "S-1",
        brand="Linden",
        color="white/red",
        gender="women",
        additional_image_link="back.png",
        link="https://a.example/1",
    )

    report = run(feed, merchant)

    product = Product.objects.get(merchant=merchant, sku="S-1")
    assert counts(report) == (1, 0, 0, 0)
    assert (product.title, product.brand, product.colors, product.gender) == (
        "Product S-1",
        "Linden",
        ["white", "red"],
        "female",
    )
    assert (product.price, product.currency, product.category.slug) == (Decimal("10.00"), "EUR", "shoes")
    assert [(image.position, image.state, image.source) for image in product.images.all()] == [
        (0, "pending", "S-1.png"),
        (1, "pending", "back.png"),
    ]
    assert (product.images.all()[0].width, product.images.all()[0].height) == (96, 96)


def test_pictures_are_files_named_by_their_content(feed, merchant, media):
    feed.add("S-1", image_link="evil name.php.png")

    run(feed, merchant)

    image = ProductImage.objects.get()
    sha256 = hashlib.sha256((feed.root / image.source).read_bytes()).hexdigest()
    assert image.sha256 == sha256
    assert image.file.name == f"products/{sha256[:2]}/{sha256}.png"
    assert (media / image.file.name).read_bytes() == (feed.root / image.source).read_bytes()
    assert not list(media.rglob("*.part"))


def test_the_extension_comes_from_the_content_and_not_from_the_sender(feed, merchant):
    (feed.root / "shoe.png").write_bytes(picture(1, format="JPEG"))
    feed.add("S-1", image_link="shoe.png")

    run(feed, merchant)

    assert str(ProductImage.objects.get().file.name).endswith(".jpg")


def test_a_picture_that_browsers_do_not_show_is_kept_as_a_jpeg(feed, merchant, media):
    (feed.root / "shoe.tif").write_bytes(picture(1, format="TIFF"))
    feed.add("S-1", image_link="shoe.tif")

    run(feed, merchant)

    image = ProductImage.objects.get()
    with Image.open(media / image.file.name) as stored:
        assert (stored.format, stored.size) == ("JPEG", (image.width, image.height))


def test_equal_content_is_one_file_however_often_it_is_sold(feed, merchant, media):
    for n in range(3):
        feed.add(f"S-{n}", seed=7)

    run(feed, merchant)

    assert len({image.file.name for image in ProductImage.objects.all()}) == 1
    assert len([path for path in media.rglob("*") if path.is_file()]) == 1


def test_a_replay_changes_nothing(feed, merchant):
    feed.add_many(5)
    run(feed, merchant)
    mark_indexed()
    before = list(Product.objects.values()), list(ProductImage.objects.values())

    report = run(feed, merchant)

    assert counts(report) == (0, 0, 5, 0)
    assert (list(Product.objects.values()), list(ProductImage.objects.values())) == before


@pytest.mark.parametrize(
    "cells",
    [
        {"price": "12.50 EUR"},
        {"price": "12.50 USD"},
        {"availability": "out of stock"},
        {"brand": "Other"},
        {"color": "green"},
        {"gender": "men"},
    ],
)
def test_what_searches_filter_by_is_told_to_the_point_without_embedding_again(feed, merchant, cells):
    feed.add_many(2)
    run(feed, merchant)
    mark_indexed()
    feed.edit("P-0001", cells)

    report = run(feed, merchant)

    assert counts(report) == (0, 1, 1, 0)
    untouched, edited = ProductImage.objects.order_by("pk")
    assert untouched.payload_due is None
    assert edited.payload_due is not None
    assert (edited.state, edited.encoder) == ("indexed", "e" * 12)


def test_a_description_is_no_news_to_the_point(feed, merchant):
    feed.add("S-1")
    run(feed, merchant)
    mark_indexed()
    feed.edit("S-1", {"description": "New words"})

    report = run(feed, merchant)

    assert counts(report) == (0, 1, 0, 0)
    assert Product.objects.get().description == "New words"
    assert ProductImage.objects.get().payload_due is None


def test_a_changed_picture_is_pending_again_and_an_unchanged_one_is_not(feed, merchant):
    feed.add_many(2)
    run(feed, merchant)
    mark_indexed()
    feed.draw("P-0001.png", seed=1234)

    report = run(feed, merchant)

    assert counts(report) == (0, 1, 1, 0)
    assert [image.state for image in ProductImage.objects.order_by("pk")] == ["indexed", "pending"]


def test_a_new_category_makes_all_pictures_of_the_product_pending(feed, merchant):
    feed.draw("more.png", seed=5)
    feed.add("S-1", additional_image_link="more.png")
    run(feed, merchant)
    mark_indexed()
    feed.edit("S-1", {"product_type": "boots"})
    assert counts(run(feed, merchant)) == (0, 1, 0, 0)  # other words, same category
    assert {image.state for image in ProductImage.objects.all()} == {"indexed"}
    feed.edit("S-1", {"product_type": "handbags"})

    assert counts(run(feed, merchant)) == (0, 1, 0, 0)

    assert Product.objects.get().category.slug == "bags"
    assert {image.state for image in ProductImage.objects.all()} == {"pending"}


def test_a_picture_that_left_the_feed_leaves_the_product_and_its_point_is_due_for_deletion(feed, merchant):
    feed.draw("a.png", seed=5)
    feed.draw("b.png", seed=6)
    feed.add("S-1", additional_image_link="a.png,b.png")
    run(feed, merchant)
    last = ProductImage.objects.get(position=2)
    feed.edit("S-1", {"additional_image_link": "a.png"})

    assert counts(run(feed, merchant)) == (0, 1, 0, 0)

    assert list(ProductImage.objects.values_list("position", flat=True)) == [0, 1]
    assert list(DroppedPoint.objects.values_list("point", flat=True)) == [last.pk]


def test_a_withdrawn_product_returns_with_its_row(feed, merchant):
    feed.add("S-1")
    run(feed, merchant)
    mark_indexed()
    Product.objects.update(withdrawn_at=timezone.now())

    assert counts(run(feed, merchant)) == (0, 1, 0, 0)

    assert Product.objects.get().withdrawn_at is None
    assert ProductImage.objects.get().payload_due is not None


def test_a_picture_that_could_not_be_indexed_gets_another_chance(feed, merchant):
    feed.add("S-1")
    run(feed, merchant)
    ProductImage.objects.update(state="failed", error_code="image_file_missing", error="It is gone.")

    run(feed, merchant)

    image = ProductImage.objects.get()
    assert (image.state, image.error_code, image.error) == ("pending", "", "")


def test_a_stored_file_that_was_lost_is_stored_again(feed, merchant, media):
    feed.add("S-1")
    run(feed, merchant)
    stored = media / ProductImage.objects.get().file.name
    stored.unlink()

    assert counts(run(feed, merchant)) == (0, 0, 1, 0)

    assert stored.exists()


def test_one_bad_picture_costs_one_row(feed, merchant):
    feed.add_many(3)
    (feed.root / "P-0001.png").write_bytes(picture(1)[:200])

    report = run(feed, merchant)

    assert counts(report) == (2, 0, 0, 1)
    assert [(error.row, error.column, error.code, error.value) for error in report.errors] == [
        (3, "image_link", "image_truncated", "P-0001.png")
    ]
    assert list(Product.objects.values_list("sku", flat=True)) == ["P-0000", "P-0002"]


def test_a_product_whose_new_picture_is_bad_stays_as_it_was(feed, merchant):
    feed.add("S-1")
    run(feed, merchant)
    before = list(Product.objects.values()), list(ProductImage.objects.values())
    feed.edit("S-1", {"price": "99 EUR"})
    (feed.root / "S-1.png").write_bytes(b"no picture")

    report = run(feed, merchant)

    assert counts(report) == (0, 0, 0, 1)
    assert (list(Product.objects.values()), list(ProductImage.objects.values())) == before


def test_a_bad_further_picture_is_left_out_and_told(feed, merchant):
    feed.draw("good.png", seed=3)
    feed.add("S-1", additional_image_link="nowhere.png,good.png")

    report = run(feed, merchant)

    assert counts(report) == (1, 0, 0, 0)
    assert [(error.code, error.column, error.is_fatal) for error in report.errors] == [
        ("image_not_found", "additional_image_link", False)
    ]
    assert list(ProductImage.objects.values_list("position", "source")) == [(0, "S-1.png"), (1, "good.png")]


def test_new_prices_may_come_without_the_pictures(feed, merchant):
    feed.add("S-1")
    run(feed, merchant)
    (feed.root / "S-1.png").unlink()
    feed.edit("S-1", {"price": "99 EUR"})

    assert counts(run(feed, merchant)) == (0, 1, 0, 0)

    assert Product.objects.get().price == Decimal(99)


@pytest.mark.parametrize(
    ("link", "code"),
    [
        ("ftp://shop.example/a.png", "image_url_not_supported"),
        ("data:image/png;base64,AAAA", "image_url_not_supported"),
        ("file:///etc/passwd", "image_url_not_supported"),
        ("../secret.png", "image_path_forbidden"),
        ("a/../../secret.png", "image_path_forbidden"),
        ("..\\secret.png", "image_path_forbidden"),
        ("%2e%2e/secret.png", "image_path_forbidden"),
        ("/etc/passwd", "image_path_forbidden"),
        ("C:\\secret.png", "image_path_forbidden"),
        ("escape/secret.png", "image_path_forbidden"),
        ("escape.png", "image_path_forbidden"),
        ("nowhere.png", "image_not_found"),
        (".", "image_not_found"),
        ("folder", "image_not_found"),
        ("pipe.png", "image_not_found"),
        ("x" * 300, "image_not_found"),
        ("empty.png", "image_empty"),
        ("huge.png", "image_too_large"),
        ("note.png", "image_unreadable"),
    ],
)
def test_a_link_reaches_only_good_pictures_inside_the_folder(feed, merchant, tmp_path, link, code):
    (tmp_path / "secret.png").write_bytes(picture(1))
    (feed.root / "escape").symlink_to(tmp_path)
    (feed.root / "escape.png").symlink_to(tmp_path / "secret.png")
    (feed.root / "folder").mkdir()
    os.mkfifo(feed.root / "pipe.png")
    (feed.root / "empty.png").write_bytes(b"")
    (feed.root / "note.png").write_bytes(b"just some text")
    with (feed.root / "huge.png").open("wb") as stream:
        stream.truncate(MAX_BYTES + 1)
    feed.rows.append({"id": "S-1", "title": "One", "image_link": link})

    report = run(feed, merchant)

    assert counts(report) == (0, 0, 0, 1)
    assert codes(report) == [code]


@pytest.mark.parametrize(
    "link", ["in/shoe one.png", "in\\shoe one.png", "in/shoe%20one.png", "./in/shoe one.png", "link.png"]
)
def test_a_link_may_be_written_in_several_ways(feed, merchant, link):
    feed.draw("in/shoe one.png", seed=1)
    (feed.root / "link.png").symlink_to(feed.root / "in" / "shoe one.png")
    feed.rows.append({"id": "S-1", "title": "One", "image_link": link})

    assert counts(run(feed, merchant)) == (1, 0, 0, 0)


def test_pictures_may_lie_in_another_folder_than_the_feed(feed, merchant, tmp_path):
    other = FeedFolder(tmp_path / "pictures")
    other.draw("one.png", seed=1)
    feed.rows.append({"id": "S-1", "title": "One", "image_link": "one.png"})

    assert counts(run(feed, merchant, images_dir=other.root)) == (1, 0, 0, 0)


def test_a_dry_run_tells_all_and_writes_nothing(feed, merchant, media):
    feed.add_many(3)
    run(feed, merchant)
    feed.edit("P-0001", {"price": "11 EUR"})
    feed.add("NEW", product_type="gizmo")
    feed.add("BAD", image_link="bad.png")
    (feed.root / "bad.png").write_bytes(b"no picture")
    before = list(Product.objects.values()), list(ProductImage.objects.values()), sorted(media.rglob("*"))

    report = run(feed, merchant, dry_run=True)

    assert counts(report) == (1, 1, 2, 1)
    assert codes(report) == ["image_unreadable"]
    assert (list(Product.objects.values()), list(ProductImage.objects.values()), sorted(media.rglob("*"))) == before
    assert not Category.objects.filter(slug="gizmo").exists()


def test_a_dry_run_needs_no_saved_merchant(feed):
    feed.add_many(2)

    assert counts(run(feed, Merchant(slug="new"), dry_run=True)) == (2, 0, 0, 0)

    assert not Merchant.objects.exists()


def test_one_sku_of_two_merchants_is_two_products(feed, merchant):
    other = Merchant.objects.create(slug="other", name="Other")
    feed.add("S-1")
    run(feed, merchant)

    assert counts(run(feed, other)) == (1, 0, 0, 0)

    assert Product.objects.count() == 2


def test_batches_are_reported_as_they_are_committed(feed, merchant):
    feed.add("BAD", image_link="none.png")
    (feed.root / "none.png").unlink()
    feed.draw("one.png", seed=1)
    for n in range(BATCH_ROWS + 1):
        feed.rows.append({"id": f"S-{n}", "title": "One", "image_link": "one.png"})
    seen: list[tuple[int, int, int, int]] = []

    report = run(feed, merchant, progress=lambda batch: seen.append(counts(batch)))

    assert seen == [(BATCH_ROWS - 1, 0, 0, 1), (2, 0, 0, 0)]
    assert counts(report) == (BATCH_ROWS + 1, 0, 0, 1)
    assert report.rows == BATCH_ROWS + 2


def test_a_row_with_many_mistakes_is_one_failed_row_wherever_a_batch_ends(feed, merchant):
    for n in range(BATCH_ROWS):
        feed.rows.append({"id": f"S-{n}", "title": "", "image_link": "", "price": "??"})

    report = run(feed, merchant)

    assert report.failed == BATCH_ROWS
    assert len(report.errors) == 3 * BATCH_ROWS


def test_an_error_names_the_picture_column_as_the_feed_does(feed, merchant):
    feed.rows.append({"sku": "1", "name": "One", "photo": "nowhere.png"})

    assert [error.column for error in run(feed, merchant).errors] == ["photo"]


def test_a_feed_of_another_header_is_imported_by_its_aliases(feed, merchant, settings):
    source = Path(settings.BASE_DIR) / "fixtures" / "feeds" / "own_header.csv"
    feed.path.write_bytes(source.read_bytes())
    for n, name in enumerate(["one.png", "two.png", "three.png"]):
        feed.draw(name, seed=n)

    report = import_feed(feed.path, merchant=merchant)

    assert counts(report) == (3, 0, 0, 0)
    assert list(Product.objects.values_list("category__slug", "colors", "gender")) == [
        ("shoes", ["Red"], "male"),
        ("tops", ["Black"], "female"),
        ("watches", ["Silver"], "unisex"),
    ]


def test_a_full_disk_stops_the_import_and_keeps_what_was_committed(feed, merchant, media, monkeypatch):
    feed.add_many(BATCH_ROWS + 5)
    synced: list[int] = []

    def sync_until_full(descriptor: int) -> None:
        synced.append(descriptor)
        if len(synced) > BATCH_ROWS + 2:
            raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("catalog.pictures.files.os.fsync", sync_until_full)
        with pytest.raises(ServiceError) as caught:
            run(feed, merchant)

    assert caught.value.code == "disk_full"
    assert "No space left" in caught.value.message
    assert Product.objects.count() == BATCH_ROWS
    assert not list(media.rglob("*.part"))
    assert counts(run(feed, merchant)) == (5, 0, BATCH_ROWS, 0)


def zip_of(feed: FeedFolder, name: str = "upload.zip") -> Path:
    path = feed.root.parent / name
    with zipfile.ZipFile(path, "w") as archive:
        for file in [feed.write(), *sorted(feed.root.rglob("*.png"))]:
            archive.write(file, file.relative_to(feed.root))
    return path


def test_a_zip_brings_a_feed_and_its_pictures(feed, merchant, media):
    feed.draw("extra/back.png", seed=50)
    feed.add("S-1", additional_image_link="back.png")
    feed.add("S-2")
    feed.rows.append({"id": "S-3", "title": "Three", "image_link": "nowhere.png"})

    report = import_feed(zip_of(feed), merchant=merchant)

    assert counts(report) == (2, 0, 0, 1)
    assert codes(report) == ["image_not_found"]
    assert list(ProductImage.objects.values_list("product__sku", "source")) == [
        ("S-1", "S-1.png"),
        ("S-1", "back.png"),
        ("S-2", "S-2.png"),
    ]
    assert counts(import_feed(zip_of(feed), merchant=merchant)) == (0, 0, 2, 1)


def test_a_shopify_export_is_imported_with_pictures_beside_it(feed, merchant, settings):
    source = Path(settings.BASE_DIR) / "fixtures" / "feeds" / "shopify.csv"
    text = source.read_text().replace("https://cdn.example/", "").replace("?v=1", "")
    feed.path.write_text(text)
    for n, name in enumerate(["sneaker-white", "sneaker-sole", "sneaker-red", "sneaker-box", "tote"]):
        feed.draw(f"{name}.jpg", seed=n)

    report = import_feed(feed.path, merchant=merchant, currency="EUR")

    assert counts(report) == (4, 0, 0, 1)
    assert list(Product.objects.values_list("sku", "item_group", "category__slug", "currency")) == [
        ("SNK-W-40", "canvas-sneaker", "shoes", "EUR"),
        ("SNK-W-41", "canvas-sneaker", "shoes", "EUR"),
        ("SNK-R-40", "canvas-sneaker", "shoes", "EUR"),
        ("market-tote", "market-tote", "bags", "EUR"),
    ]


def test_a_workbook_of_another_kind_is_refused_with_what_to_do_instead(feed, merchant):
    path = feed.root / "products.ods"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")

    with pytest.raises(InputError) as caught:
        import_feed(path, merchant=merchant)

    assert caught.value.code == "feed_xlsx_unsupported"
    assert "CSV" in caught.value.message


def test_a_workbook_in_a_zip_with_its_pictures_is_imported(feed, merchant):
    feed.draw("one.png", seed=1)
    book = Workbook()
    for row in (["id", "title", "image_link", "price"], ["W-1", "Walking shoe", "one.png", 19.5]):
        book.active.append(row)
    book.save(feed.root / "products.xlsx")
    path = feed.root / "upload.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(feed.root / "products.xlsx", "spring/products.xlsx")
        archive.write(feed.root / "one.png", "spring/one.png")

    report = import_feed(path, merchant=merchant, currency="EUR")

    assert counts(report) == (1, 0, 0, 0)
    assert Product.objects.values_list("sku", "price", "currency").get() == ("W-1", Decimal("19.50"), "EUR")
