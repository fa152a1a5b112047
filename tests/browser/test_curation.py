"""An admin pins a product, blocks a photo, merges a category and draws a box, in a shop of her own."""

import json
import re
from pathlib import Path

import pytest
from PIL import Image, ImageOps
from playwright.sync_api import Page, expect

from detection.training import dataset
from tests.browser.shop import Shop
from tests.browser.test_everyone import faults
from tests.browser.test_review import PASSWORD, run
from tests.feed_folder import FeedFolder

MAKE_ADMIN = """
import django
django.setup()
from django.contrib.auth.models import Group, User
user = User.objects.create_user("ada", password="a long password", is_staff=True)
user.groups.set(Group.objects.filter(name="Shop admins"))
from catalog.models import Member, Merchant
mo = User.objects.create_user("mo", password="a long password")
Member.objects.create(user=mo, merchant=Merchant.objects.create(slug="mo", name="Mo"), role="owner")
"""
PRODUCTS = """
import django, json
django.setup()
from catalog.models import Product
rows = Product.objects.shown().filter(category__slug=CATEGORY).order_by("pk")
print(json.dumps([[row.pk, row.sku, row.title, row.images.first().file.path] for row in rows]))
"""


@pytest.fixture(scope="module")
def shop(stock, tmp_path_factory):
    """A shop of this module's own: what is merged and blocked here would be missed elsewhere."""
    shop = Shop(stock, tmp_path_factory.mktemp("curated-shop"))
    run(shop, MAKE_ADMIN)
    yield shop
    shop.stop()


@pytest.fixture(scope="module")
def look(shop) -> Path:
    """A photo of somebody in several products."""
    return max(shop.scenes, key=lambda scene: len(scene[1].items))[0]


@pytest.fixture
def admin(new_page):
    page = new_page()
    page.open("/console/login/")
    page.page.fill("#id_username", "ada")
    page.page.fill("#id_password", PASSWORD)
    page.page.keyboard.press("Enter")
    expect(page.page.locator(".console-out")).to_be_visible()
    return page


def products(shop: Shop, category: str) -> list[tuple[int, str, str, Path]]:
    rows = json.loads(run(shop, PRODUCTS.replace("CATEGORY", repr(category))))
    return [(pk, sku, title, Path(path)) for pk, sku, title, path in rows]


def results(shop: Shop, page: Page, category: str, photo: Path) -> list[int]:
    """Returns the products that a shopper finds, in their order."""
    answer = page.request.post(
        f"{shop.address}/api/v1/search/",
        multipart={
            "image": {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": photo.read_bytes()},
            "category": category,
        },
    ).json()
    return [one["product"]["id"] for one in answer["results"]]


def test_a_product_is_pinned_after_a_look_at_what_that_changes(shop, admin, look):
    page = admin.page
    before = results(shop, page, "shoes", look)
    pk, _, title, _ = next(one for one in products(shop, "shoes") if one[0] == before[-1])

    admin.open(f"/console/curation/new/?product={pk}")
    assert faults(admin) == []
    page.get_by_label("Place", exact=True).fill("1")
    page.get_by_label("Why").fill("The season's favorite.")
    page.get_by_role("button", name="Preview the effect").click()
    after = page.locator(".effect").first.locator(".effect-row").nth(1)
    expect(after.locator("[data-meant]").first).to_be_visible()
    assert after.locator("li").first.get_attribute("data-meant") is not None
    assert before == results(shop, page, "shoes", look)  # a preview changes nothing
    assert faults(admin) == []

    page.get_by_role("button", name="Keep the rule").click()
    expect(page.get_by_role("listitem").filter(has_text=title).first).to_contain_text("Pinned to place 1")
    assert faults(admin) == []
    assert results(shop, page, "shoes", look)[0] == pk

    page.get_by_role("button", name=f"Remove {title}").click()
    expect(page.get_by_text("There is no rule.")).to_be_visible()
    assert before == results(shop, page, "shoes", look)


def test_a_photo_is_blocked_and_an_upload_of_its_copy_refused(shop, admin, new_page, tmp_path):
    page = admin.page
    pk, _, title, path = products(shop, "bags")[0]
    admin.open("/console/products/")
    page.get_by_label("Title, brand or SKU").fill(title)
    page.keyboard.press("Enter")
    page.locator(f"a[href='/console/products/{pk}/']").click()
    assert faults(admin) == []
    page.get_by_role("link", name="Block this photo").first.click()
    expect(page.get_by_text(re.compile("goes? with it"))).to_be_visible()
    assert faults(admin) == []
    page.get_by_label("Why").fill("It belongs to somebody else.")
    page.get_by_role("button", name="Block it with its copies").click()
    expect(page.get_by_text("It belongs to somebody else.")).to_be_visible()
    picture = page.locator(".rule-tile img").first
    assert (
        picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    )  # admins still see what it was
    assert faults(admin) == []

    with Image.open(path) as image:
        ImageOps.mirror(image).resize((250, 250)).save(tmp_path / "copy.jpg", quality=70)
    feed = FeedFolder(tmp_path / "feed")
    feed.add("FINE", seed=7)
    feed.add("COPY", image_link="copy.jpg")
    (feed.root / "copy.jpg").write_bytes((tmp_path / "copy.jpg").read_bytes())
    (tmp_path / "spring.zip").write_bytes(feed.zip())
    merchant = new_page().page
    merchant.goto("/merchant/")
    merchant.get_by_label("Name").fill("mo")
    merchant.get_by_label("Password").fill(PASSWORD)
    merchant.get_by_role("button", name="Sign in").click()
    merchant.get_by_label("Drop your feed here").set_input_files(tmp_path / "spring.zip")
    merchant.get_by_role("button", name="Upload").click()
    said = "'copy.jpg' shows a photo that this shop has blocked. Use another photo of the product"
    expect(merchant.get_by_role("cell", name=said)).to_be_visible()
    expect(merchant.locator("[data-field=added]")).to_have_text("1")

    page.get_by_role("button", name="Let it in again").click()
    expect(page.get_by_text("No photo is blocked.")).to_be_visible()


def test_a_category_is_merged_and_its_old_link_goes_on(shop, admin):
    page = admin.page
    moved = {pk for pk, *_ in products(shop, "shorts")}
    assert moved
    admin.open("/console/categories/")
    assert faults(admin) == []
    row = page.get_by_role("row").filter(has=page.locator("code", has_text=re.compile("^shorts$")))
    row.get_by_text("Edit").click()
    row.get_by_label("Merge into").select_option("pants")
    row.get_by_role("button", name="What would that touch?").first.click()
    expect(page.get_by_text("shorts becomes a part of pants.")).to_be_visible()
    expect(page.locator(".numbers dd").first).to_have_text(str(len(moved)))
    assert faults(admin) == []
    page.get_by_label("Why").fill("One shelf.")
    page.get_by_role("button", name="Do it").click()
    expect(page.locator("#jobs [data-state=done]")).to_be_visible(timeout=90_000)  # without a reload by hand

    pants = page.get_by_role("row").filter(has=page.locator("code", has_text=re.compile("^pants$")))
    expect(pants).to_contain_text("/shorts")
    found = page.request.get(f"{shop.address}/api/v1/products/?category=shorts&limit=100").json()
    assert moved <= {one["id"] for one in found["results"]}
    assert {one["category"] for one in found["results"]} == {"pants"}


def test_a_box_is_drawn_by_mouse_and_moved_by_keys_and_found_in_the_export(shop, admin, tmp_path):
    page = admin.page
    pk, *_ = products(shop, "hats")[0]
    admin.open(f"/console/products/{pk}/")
    frame = page.locator(".box-frame").first
    bounds = frame.bounding_box()
    assert bounds is not None

    def at(x: float, y: float) -> tuple[float, float]:
        return bounds["x"] + x * bounds["width"], bounds["y"] + y * bounds["height"]

    left, top = (page.locator(f"input[name={name}]").first for name in ("x1", "y1"))
    corner = page.locator(".box-handle[data-corner=nw]").first.bounding_box()
    assert corner is not None
    admin.drag((corner["x"] + 8, corner["y"] + 8), at(0.3, 0.4))
    assert float(left.input_value()) == pytest.approx(30, abs=1.5)
    assert float(top.input_value()) == pytest.approx(40, abs=1.5)
    body = page.locator(".box-body").first
    body.focus()
    width = float(page.locator("input[name=x2]").first.input_value())
    page.keyboard.press("Shift+ArrowLeft")
    assert float(page.locator("input[name=x2]").first.input_value()) == pytest.approx(width - 1, abs=0.11)
    wanted = [float(page.locator(f"input[name={name}]").first.input_value()) / 100 for name in ("x1", "y1", "x2", "y2")]
    page.get_by_role("button", name="Keep the box").first.click()
    expect(page.get_by_text("box corrected")).to_be_visible()
    assert faults(admin) == []

    out = tmp_path / "out"
    shop.manage("export_reviews", str(out))
    read = dataset.read(out / "detector" / "data.yaml")
    labels = [label for split in ("train", "val") for sample in read.samples(split) for label in sample.labels]
    assert any(label.category == "hats" and label.box == pytest.approx(wanted, abs=1e-3) for label in labels)


def test_a_reviewer_puts_a_crop_right_on_the_review_sheet(shop, admin, new_page, look):
    shopper = new_page()
    shopper.open()
    shopper.search(look)
    page = admin.page
    admin.open("/console/review/")
    page.get_by_text("Fix the box or category").click()
    page.get_by_label("left").fill("20")
    page.locator(".fix select[name=category]").select_option("bags")
    page.get_by_role("button", name="Keep the correction").click()
    expect(page.locator(".fix summary .mark")).to_have_text(re.compile("[12]"))
    page.get_by_text("Fix the box or category").click()
    assert float(page.get_by_label("left").input_value()) == 20
    assert faults(admin) == []
