import io

import pytest
from django.contrib.auth.models import User
from PIL import Image, ImageOps

from catalog.curation.moderation import block_photo, block_product, copies_of, unblock_photo, unblock_product
from catalog.indexing.check import check_index
from catalog.indexing.index import index_all
from catalog.listing import list_products, shown_product
from catalog.models import AuditEntry, BlockedPhoto, ProductImage
from catalog.pictures.blocked import forget
from catalog.search.questions import Question
from catalog.search.search import search
from catalog.uploads import imports
from shop_search.errors import InputError
from tests.catalog.shop import Shop, open_shop
from tests.fakes import picture

SIZE = (320, 320)


@pytest.fixture
def shop(db, settings, tmp_path) -> Shop:
    forget()
    shop = open_shop(settings, tmp_path)
    settings.BAND_THRESHOLDS = {"same_photo": 0.999, "same_product": 0.95, "similar": -1.0}
    for seed in range(6):
        shop.feed.draw(f"S-{seed}.png", seed=seed, size=SIZE)
        shop.feed.add(f"S-{seed}")
    shop.upload()
    index_all()
    return shop


@pytest.fixture
def admin(db) -> User:
    return User.objects.create_user("rae", is_staff=True)


def copy_of(seed: int, edit, format: str = "PNG", **options) -> bytes:
    """Returns a picture that somebody made from the drawn one."""
    stream = io.BytesIO()
    edit(Image.open(io.BytesIO(picture(seed, size=SIZE))).convert("RGB")).save(stream, format, **options)
    return stream.getvalue()


EDITS = {
    "resized": lambda image: image.resize((200, 200), Image.Resampling.LANCZOS),
    "mirrored": ImageOps.mirror,
    "recompressed": lambda image: image,
}


def found(question: Question) -> list[str]:
    return [result.product.sku for result in search(question).results]


def test_a_blocked_product_is_shown_nowhere_until_it_is_let_in_again(shop, admin):
    product = shop.image("S-1").product
    query = Question(image=picture(1, size=SIZE), category="all")
    assert found(query)[0] == "S-1"

    block_product(product, by=admin, why="Counterfeit.")
    assert "S-1" not in found(query)  # at once, before the index hears of it
    assert list_products(q="S-1")[0] == 0
    with pytest.raises(InputError, match="no product"):
        shown_product(product.pk)
    with pytest.raises(InputError, match="no product"):
        search(Question(product=product.pk))
    index_all()
    assert product.pk not in [payload["product"] for payload in shop.points().values()]
    assert check_index().agrees

    shop.upload()  # a feed that names it doesn't lift it
    index_all()
    assert "S-1" not in found(query)

    unblock_product(product, by=admin)
    index_all()
    assert found(query)[0] == "S-1"
    assert check_index().agrees
    assert list(AuditEntry.objects.order_by("pk").values_list("action", "by_name", "why")) == [
        ("product_blocked", "rae", "Counterfeit."),
        ("product_unblocked", "rae", ""),
    ]


def test_a_blocked_photo_goes_with_its_copies_and_nothing_else(shop, admin):
    for name, edit in EDITS.items():
        (shop.feed.root / f"{name}.png").write_bytes(copy_of(2, edit))
        shop.feed.add(name, image_link=f"{name}.png")
    shop.upload()
    index_all()
    assert {image.product.sku for image in copies_of(shop.image("S-2"))} == {"S-2", *EDITS}

    done = block_photo(shop.image("S-2"), by=admin, why="Not theirs.")

    assert (done.pictures, done.products) == (4, 4)
    index_all()
    assert check_index().agrees
    assert set(found(Question(image=picture(2, size=SIZE), category="all"))) == {
        "S-0",
        "S-1",
        "S-3",
        "S-4",
        "S-5",
    }


@pytest.mark.parametrize("edit", EDITS)
def test_an_upload_of_a_copy_is_refused_with_a_row_error(shop, admin, edit):
    block_photo(shop.image("S-3"), by=admin, why="Not theirs.")
    options = {"quality": 60} if edit == "recompressed" else {}
    data = copy_of(3, EDITS[edit], "JPEG" if options else "PNG", **options)
    (shop.feed.root / "copy.png").write_bytes(data)
    shop.feed.rows.clear()
    shop.feed.add("NEW", image_link="copy.png")
    shop.feed.add("FINE", seed=40)

    report = shop.upload()

    assert [(error.row, error.code) for error in report.errors] == [(2, "photo_blocked")]
    assert "another photo" in report.errors[0].message
    assert (report.added, report.failed) == (1, 1)


def test_the_same_feed_again_does_not_bring_a_blocked_photo_back(shop, admin):
    block_photo(shop.image("S-3"), by=admin, why="Not theirs.")
    report = shop.upload()
    assert [error.code for error in report.errors] == ["photo_blocked"]
    assert not ProductImage.objects.filter(product__sku="S-3").exists()


def test_a_photo_that_is_let_in_again_is_found_again(shop, admin):
    photo = block_photo(shop.image("S-4"), by=admin, why="By mistake.").photo
    index_all()
    assert unblock_photo(photo, by=admin) == 1
    index_all()
    assert found(Question(image=picture(4, size=SIZE), category="all"))[0] == "S-4"
    assert shop.upload().unchanged == 6
    assert check_index().agrees
    assert unblock_photo(photo, by=admin) == 0  # twice is once


def test_a_picture_uploaded_meanwhile_keeps_its_place_when_the_old_one_comes_back(shop, admin):
    photo = block_photo(shop.image("S-4"), by=admin, why="By mistake.").photo
    shop.feed.draw("other.png", seed=77, size=SIZE)
    shop.feed.edit("S-4", {"image_link": "other.png"})
    shop.upload()
    unblock_photo(photo, by=admin)
    assert [image.source for image in ProductImage.objects.filter(product__sku="S-4")] == ["other.png", "S-4.png"]


def test_a_photo_blocked_while_its_upload_runs_is_refused(shop, admin, monkeypatch):
    """The pictures were read and found good; then somebody blocks one, and only then the rows are written."""
    (shop.feed.root / "copy.png").write_bytes(copy_of(5, EDITS["mirrored"]))
    shop.feed.rows.clear()
    shop.feed.add("NEW", image_link="copy.png")
    compare, target = imports._Importer._with_pictures, shop.image("S-5")
    calls: list[object] = []

    def block_then_go_on(self, rows):
        done = compare(self, rows)
        if not calls:
            block_photo(target, by=admin, why="Just now.")
        calls.append(done)
        return done

    monkeypatch.setattr(imports._Importer, "_with_pictures", block_then_go_on)
    report = shop.upload()
    assert [error.code for error in report.errors] == ["photo_blocked"]
    assert len(calls) == 2


def test_indexing_takes_off_what_came_in_between(shop, admin):
    """On a database with row versions an upload may commit right after the scan for copies."""
    photo = block_photo(shop.image("S-5"), by=admin, why="Just now.").photo
    BlockedPhoto.objects.update(lifted_at="2020-01-01T00:00Z")
    (shop.feed.root / "copy.png").write_bytes(copy_of(5, EDITS["mirrored"]))
    shop.feed.rows.clear()
    shop.feed.add("NEW", image_link="copy.png")
    assert shop.upload().added == 1
    BlockedPhoto.objects.update(lifted_at=None)

    index_all()

    assert not ProductImage.objects.filter(product__sku="NEW").exists()
    assert photo.taken.filter(product__sku="NEW").exists()
    assert check_index().agrees


def test_blocking_asks_why_and_blocks_once(shop, admin):
    image = shop.image("S-0")
    with pytest.raises(InputError, match="Say why"):
        block_photo(image, by=admin, why=" ")
    with pytest.raises(InputError, match="Say why"):
        block_product(image.product, by=admin, why="")
    block_photo(image, by=admin, why="Once.")
    with pytest.raises(InputError, match="already"):
        block_photo(image, by=admin, why="Twice.")


def test_a_blocked_file_is_served_to_nobody(shop, admin, client):
    image = shop.image("S-0")
    assert client.get(image.file.url).status_code == 200
    photo = block_photo(image, by=admin, why="Not theirs.").photo
    forget()
    assert client.get(image.file.url).status_code == 404
    assert client.get(f"{image.file.url}?w=480").status_code == 404
    unblock_photo(photo, by=admin)
    forget()
    assert client.get(image.file.url).status_code == 200
