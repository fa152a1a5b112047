import io
from typing import Any

import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from catalog.doctor import checkup as doctor
from catalog.doctor import picture_checks
from catalog.doctor.checkup import examine_all, examine_some
from catalog.doctor.report import patients, sick, sums
from catalog.indexing.index import index_all
from catalog.models import Category, CategoryName, Checkup, Finding, Merchant, PictureCheck, Product
from catalog.taxonomy import held, read
from shop_search.errors import ServiceError
from tests.catalog.shop import Shop, open_shop, use_fakes
from tests.fakes import picture

pytestmark = pytest.mark.django_db

WHOLE = {"brand": "Linden", "color": "red"}


@pytest.fixture
def shop(settings, tmp_path) -> Shop:
    return open_shop(settings, tmp_path)


def put(shop: Shop, sku: str, *, seed: int, **cells: Any) -> None:
    """Adds a product whose picture is large and sharp."""
    cells = {"image_link": f"{sku}.png", **WHOLE, **cells}
    shop.feed.draw(cells["image_link"], seed=seed, size=(400, 400))
    shop.feed.add(sku, **cells)


def open_for_business(shop: Shop) -> None:
    shop.upload()
    index_all()


def found(merchant: Merchant) -> dict[str, set[str]]:
    rows: dict[str, set[str]] = {}
    for finding in Finding.objects.for_merchant(merchant).select_related("product"):
        rows.setdefault(finding.product.sku, set()).add(finding.code)
    return rows


def test_a_good_catalog_is_healthy(shop):
    for number in range(3):
        put(shop, f"S-{number}", seed=number)
    open_for_business(shop)

    checkup = examine_all(shop.merchant)

    assert found(shop.merchant) == {}
    assert (checkup.products, checkup.is_due) == (3, False)
    assert checkup.finished_at is not None


def test_small_blurred_and_dark_pictures_are_found_in_their_pixels(shop):
    put(shop, "good", seed=1)
    put(shop, "blurred", seed=2)
    put(shop, "dark", seed=3)
    shop.feed.add("small", seed=4, **WHOLE)
    blurred = Image.open(io.BytesIO(picture(2, size=(400, 400)))).filter(ImageFilter.GaussianBlur(24))
    blurred.save(shop.feed.root / "blurred.png")
    dark = Image.open(io.BytesIO(picture(3, size=(400, 400)))).point(lambda value: value // 6)
    dark.save(shop.feed.root / "dark.png")
    open_for_business(shop)

    examine_all(shop.merchant)

    assert found(shop.merchant) == {"blurred": {"blurred"}, "dark": {"dark"}, "small": {"too_small"}}


def test_text_over_a_picture_is_found_and_told_with_its_place(shop):
    put(shop, "plain", seed=1)
    put(shop, "banner", seed=2)
    with_text = Image.open(io.BytesIO(picture(2, size=(400, 400)))).convert("RGB")
    draw = ImageDraw.Draw(with_text)
    draw.rectangle([0, 0, 400, 56], fill="#0a58ca")
    draw.text((200, 28), "FREE SHIPPING", font=ImageFont.load_default(36), fill="white", anchor="mm")
    with_text.save(shop.feed.root / "banner.png")
    open_for_business(shop)

    examine_all(shop.merchant)

    assert found(shop.merchant) == {"banner": {"lettering"}}
    assert Finding.objects.get().detail == {"where": "upper"}


def test_pictures_that_were_measured_before_anybody_looked_for_text_are_looked_at_again(shop):
    put(shop, "S-1", seed=1)
    open_for_business(shop)
    examine_all(shop.merchant)
    PictureCheck.objects.update(lettering=None)

    examine_all(shop.merchant)

    assert PictureCheck.objects.get().lettering is not None


def test_a_picture_is_opened_once_and_again_when_it_changes(shop, monkeypatch):
    put(shop, "S-1", seed=1)
    open_for_business(shop)
    examine_all(shop.merchant)
    first = PictureCheck.objects.get().sha256
    read = []
    monkeypatch.setattr(picture_checks, "_read", lambda name: read.append(name))

    examine_all(shop.merchant)
    assert read == []

    monkeypatch.undo()
    put(shop, "S-1", seed=2)
    shop.feed.rows = shop.feed.rows[-1:]
    open_for_business(shop)
    examine_all(shop.merchant)
    assert PictureCheck.objects.get().sha256 != first


def test_one_picture_for_two_products_is_found_but_variants_may_share_theirs(shop):
    put(shop, "one", seed=1, image_link="same.png")
    put(shop, "two", seed=1, image_link="same.png")
    put(shop, "small", seed=2, image_link="variant.png", item_group_id="G")
    put(shop, "large", seed=2, image_link="variant.png", item_group_id="G")
    open_for_business(shop)

    examine_all(shop.merchant)

    assert found(shop.merchant) == {"one": {"same_picture"}, "two": {"same_picture"}}
    assert Finding.objects.get(product__sku="one").detail == {"skus": ["two"]}


def test_a_picture_that_was_saved_again_is_found_by_its_fingerprint(shop):
    put(shop, "one", seed=1)
    put(shop, "two", seed=1, image_link="again.png")
    Image.open(shop.feed.root / "one.png").resize((380, 380)).save(shop.feed.root / "again.png")
    open_for_business(shop)

    examine_all(shop.merchant)

    assert found(shop.merchant) == {"one": {"same_picture"}, "two": {"same_picture"}}


def test_another_merchant_with_the_same_picture_is_named(shop):
    put(shop, "one", seed=1)
    open_for_business(shop)
    shop.merchant, mine = Merchant.objects.create(slug="brink", name="Brink & Co"), shop.merchant
    open_for_business(shop)

    examine_all(mine)

    assert found(mine) == {"one": {"same_picture_elsewhere"}}
    assert Finding.objects.get().detail == {"merchants": ["Brink & Co"]}
    assert found(shop.merchant) == {}  # nobody asked for that one


def test_a_product_that_its_second_picture_does_not_find_is_flagged(shop):
    put(shop, "lost", seed=100)
    shop.feed.rows[0]["additional_image_link"] = "side.png"
    shop.feed.draw("side.png", seed=200, size=(400, 400))
    for number in range(12):  # these look more like the side view than the front does
        near = Image.open(io.BytesIO(picture(200, size=(400, 400)))).convert("RGB")
        near.putpixel((200, 200), (number, 0, 0))
        put(shop, f"S-{number}", seed=300 + number)
        near.rotate(number - 6, fillcolor="white").save(shop.feed.root / f"S-{number}.png")
    open_for_business(shop)

    examine_all(shop.merchant)

    assert "not_findable" in found(shop.merchant)["lost"]
    finding = Finding.objects.get(product__sku="lost", code="not_findable")
    assert finding.detail["rank"] > 10
    assert finding.image.position == 1


def test_a_product_of_another_category_than_declared_is_flagged(shop, settings):
    use_fakes(settings, category="bags", detector="2")
    for number in range(10):
        put(shop, f"bag-{number}", seed=number + 10, product_type="bags")
    put(shop, "odd", seed=50, product_type="shoes")
    open_for_business(shop)

    examine_all(shop.merchant)

    assert found(shop.merchant) == {"odd": {"wrong_category"}}
    assert Finding.objects.get().detail["seen"] == "bags"


def test_a_category_is_looked_for_in_the_picture_once_admins_said_what_it_looks_like(shop, settings):
    use_fakes(settings, category="tops", detector="2")
    put(shop, "crown", seed=1, product_type="crowns")
    shop.upload()
    examine_all(shop.merchant)
    assert found(shop.merchant) == {}

    crowns = Category.objects.get()
    CategoryName.objects.create(kind=CategoryName.Kind.DETECTED, name="hats", category=crowns)
    index_all()
    with held(read()):
        examine_all(shop.merchant)

    assert found(shop.merchant) == {"crown": {"wrong_category"}}


def test_what_to_fix_first_comes_first_and_sums_say_how_many(shop):
    shop.feed.add("small", seed=4, **WHOLE)
    put(shop, "nameless", seed=1, brand="")
    put(shop, "bare", seed=2, brand="", color="")
    open_for_business(shop)
    examine_all(shop.merchant)

    first = patients(shop.merchant, list(sick(shop.merchant)))
    assert [one.product.sku for one in first] == ["small", "bare", "nameless"]
    assert [told.code for told in first[1].findings] == ["no_brand", "no_color"]
    assert [(one.code, one.products) for one in sums(shop.merchant)] == [
        ("too_small", 1),
        ("no_brand", 2),
        ("no_color", 1),
    ]
    assert {one.product.sku for one in sick(shop.merchant, "no_brand")} == {"bare", "nameless"}


def test_findings_go_when_what_was_wrong_is_mended_or_withdrawn(shop):
    put(shop, "one", seed=1, brand="")
    put(shop, "two", seed=2, brand="")
    open_for_business(shop)
    examine_all(shop.merchant)
    Product.objects.filter(sku="two").withdraw()
    assert found(shop.merchant) == {"one": {"no_brand"}}  # at once

    shop.feed.edit("one", {"brand": "Linden"})
    shop.feed.rows = shop.feed.rows[:1]
    open_for_business(shop)
    examine_all(shop.merchant)

    assert not Finding.objects.exists()


def test_a_merchant_sees_her_own_findings_alone(shop):
    put(shop, "one", seed=1, brand="")
    open_for_business(shop)
    examine_all(shop.merchant)
    charlie = Merchant.objects.create(slug="charlie", name="Charlie")

    assert sums(charlie) == []
    assert not sick(charlie).exists()
    assert patients(charlie, list(sick(shop.merchant))) == []


def test_a_worker_goes_through_a_catalog_slice_by_slice(shop, monkeypatch):
    monkeypatch.setattr(doctor, "SLICE", 2)
    for number in range(5):
        put(shop, f"S-{number}", seed=number, brand="")
    open_for_business(shop)
    assert not examine_some()  # nobody asked

    Checkup.objects.ask(shop.merchant)

    assert examine_some()
    assert Checkup.objects.get().products == 2
    assert examine_some()
    assert examine_some()
    assert not examine_some()
    checkup = Checkup.objects.get()
    assert (checkup.products, checkup.is_due) == (5, False)
    assert len(found(shop.merchant)) == 5


def test_a_checkup_that_failed_goes_on_where_it_stopped(shop, monkeypatch):
    monkeypatch.setattr(doctor, "SLICE", 2)
    for number in range(4):
        put(shop, f"S-{number}", seed=number, brand="")
    open_for_business(shop)
    Checkup.objects.ask(shop.merchant)
    assert examine_some()

    shop.store.failing = True
    with pytest.raises(ServiceError, match="switched off"):
        examine_some()
    assert Checkup.objects.get().products == 2
    shop.store.failing = False

    while examine_some():
        pass
    assert Checkup.objects.get().products == 4
    assert len(found(shop.merchant)) == 4


def test_a_checkup_in_hand_is_not_taken_by_another_worker(shop):
    Checkup.objects.ask(shop.merchant)

    assert Checkup.objects.claim() is not None
    assert Checkup.objects.claim() is None


def test_asking_again_while_a_slice_is_under_way_begins_anew(shop, monkeypatch):
    for number in range(2):
        put(shop, f"S-{number}", seed=number, brand="")
    open_for_business(shop)
    Checkup.objects.ask(shop.merchant)
    looked = doctor._evidence

    def asked_meanwhile(products):
        monkeypatch.setattr(doctor, "_evidence", looked)
        Checkup.objects.ask(shop.merchant)
        return looked(products)

    monkeypatch.setattr(doctor, "_evidence", asked_meanwhile)
    assert examine_some()

    checkup = Checkup.objects.get()
    assert (checkup.is_due, checkup.products) == (True, 0)
