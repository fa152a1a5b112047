"""A merchant looks at one product of hers, mends it, and changes many at once."""

import io
import re
from dataclasses import dataclass
from decimal import Decimal

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.test import Client

from catalog.doctor.neighbors import neighbors_of
from catalog.indexing.index import index_all
from catalog.models import Category, Member, Merchant, Product, ProductImage
from tests.catalog.shelf import Shelf
from tests.catalog.shop import Shop, open_shop

pytestmark = pytest.mark.django_db


@dataclass
class Till:
    """Alice's shop, with a product and a colleague who may only read."""

    shop: Shop
    alice: Client
    vera: Client
    product: Product

    @property
    def address(self) -> str:
        return f"/merchant/{self.shop.merchant.slug}/products/{self.product.pk}/"

    def form(self, **changes: str) -> dict[str, str]:
        """Returns what the page's form would send."""
        page = self.alice.get(self.address).content.decode()
        (seen,) = re.findall(r'name="seen" value="([^"]+)"', page)
        return {"seen": seen.replace("&#x2B;", "+"), **changes}

    def save(self, **changes: str):
        return self.alice.post(self.address + "edit/", self.form(**changes))

    def change(self, action: str, *products: Product) -> None:
        address = f"/merchant/{self.shop.merchant.slug}/products/change/"
        self.alice.post(address, {"product": [one.pk for one in products], "action": action})


@pytest.fixture
def till(settings, tmp_path) -> Till:
    shop = open_shop(settings, tmp_path)
    shop.feed.add("S-1", brand="Vale", color="red", description="Soft.")
    shop.feed.add("S-2")
    shop.upload()
    index_all()
    alice, vera = (signed_in(name, shop.merchant, role) for name, role in (("alice", "owner"), ("vera", "viewer")))
    return Till(shop, alice, vera, Product.objects.get(sku="S-1"))


def signed_in(name: str, merchant: Merchant, role: str) -> Client:
    user = get_user_model().objects.create_user(name)
    Member.objects.create(user=user, merchant=merchant, role=role)
    client = Client()
    client.force_login(user)
    return client


def test_the_page_shows_the_crop_the_category_the_colors_and_the_attributes(till):
    ProductImage.objects.filter(product=till.product).update(
        box=[10, 12, 60, 70],
        detected_category="shoes",
        detected_confidence=0.93,
        palette=[[50.0, 60.0, 40.0, 0.7], [90.0, 0.0, 0.0, 0.3]],
        seen_colors=["red"],
        seen_attributes={"pattern": ["striped", 0.81]},
    )

    page = till.vera.get(till.address).content.decode()

    assert '<rect class="crop" x="10" y="12" width="50" height="58"' in page
    assert re.search(r"Shoes <span class=\"note\">93 %", page)
    assert 'width="70.0" height="10" fill="lab(50.0% 60.0 40.0)"' in page
    assert re.search(r"Pattern</dt><dd>striped <span class=\"note\">81 %", page)


def test_who_may_only_read_gets_no_form(till):
    page = till.vera.get(till.address).content.decode()

    assert "Product S-1" in page
    assert 'name="title"' not in page
    assert till.vera.post(till.address + "edit/", {"title": "Mine"}).status_code == 403


def test_an_edit_changes_the_product_and_embeds_nothing(till):
    embedded = till.shop.encoder.encoded

    response = till.save(title="Soft shoe", price="1.234,50 EUR", availability="out_of_stock", color="blue, white")

    assert response.status_code == 302
    product = Product.objects.get(pk=till.product.pk)
    assert (product.title, product.price, product.in_stock) == ("Soft shoe", Decimal("1234.50"), False)
    assert (product.colors, product.brand, product.description) == (["blue", "white"], "Vale", "Soft.")
    assert product.images.get().state == "indexed"
    index_all()
    assert till.shop.encoder.encoded == embedded
    payload = till.shop.points()[product.images.get().pk]
    assert (payload["price"], payload["in_stock"]) == (1234.5, False)


def test_another_category_has_the_pictures_looked_at_anew(till):
    till.save(product_type="Bags")

    product = Product.objects.get(pk=till.product.pk)
    assert product.category.slug == "bags"
    assert product.images.get().state == "pending"


def test_a_category_that_another_column_of_the_feed_named_stays(till):
    bags = Category.objects.create(slug="bags", name="Bags")
    Product.objects.filter(pk=till.product.pk).update(category=bags, product_type="")

    till.save(price="5 EUR")

    product = Product.objects.get(pk=till.product.pk)
    assert (product.category, product.price) == (bags, Decimal("5.00"))


def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_is_kept(till):
    response = till.save(price="cheap", title="Soft shoe")

    page = response.content.decode()
    assert response.status_code == 400
    assert 'id="w-price"' in page
    assert 'value="cheap"' in page
    assert 'value="Soft shoe"' in page
    assert Product.objects.get(pk=till.product.pk).title == "Product S-1"


def test_a_product_that_a_feed_changed_meanwhile_is_not_overwritten(till):
    form = till.form(title="Mine")
    till.shop.feed.edit("S-1", {"title": "The feed's"})
    till.shop.upload()

    response = till.alice.post(till.address + "edit/", form)

    assert response.status_code == 400
    assert "changed while you edited it" in response.content.decode()
    assert Product.objects.get(pk=till.product.pk).title == "The feed's"


@pytest.mark.parametrize("seen", ["", "yesterday", "2026-13-45T99:00"])
def test_a_form_without_its_moment_saves_nothing(till, seen):
    assert till.alice.post(till.address + "edit/", {"title": "Mine", "seen": seen}).status_code == 400
    assert Product.objects.get(pk=till.product.pk).title == "Product S-1"


def test_a_withdrawn_product_is_not_edited_back_into_the_shop(till):
    form = till.form(title="Mine")
    till.change("withdraw", till.product)

    assert till.alice.post(till.address + "edit/", form).status_code == 400
    assert not Product.objects.shown().filter(pk=till.product.pk).exists()
    assert 'name="title"' not in till.alice.get(till.address).content.decode()


def test_markup_in_a_title_is_text(till):
    till.save(title="<script>alert(1)</script> shoe")

    page = till.alice.get(till.address).content.decode()

    assert "<script>alert" not in page


def test_many_products_are_withdrawn_and_brought_back_at_once(till):
    both = list(Product.objects.all())
    embedded = till.shop.encoder.encoded

    till.change("withdraw", *both)
    assert Product.objects.shown().count() == 0
    till.change("restore", *both)

    assert Product.objects.shown().count() == 2
    index_all()
    assert len(till.shop.points()) == 2
    assert till.shop.encoder.encoded == embedded  # they were never out of the index


def test_a_product_brought_back_after_it_left_the_index_is_found_again(till):
    till.change("withdraw", till.product)
    index_all()
    assert len(till.shop.points()) == 1

    till.change("restore", till.product)
    index_all()

    assert len(till.shop.points()) == 2


def test_stock_of_many_products_is_set_at_once(till):
    till.change("out_of_stock", *Product.objects.all())

    assert not Product.objects.filter(in_stock=True).exists()
    index_all()
    assert {payload["in_stock"] for payload in till.shop.points().values()} == {False}
    till.change("in_stock", till.product)
    assert Product.objects.get(in_stock=True) == till.product


def test_nobody_changes_anothers_products_by_their_numbers(till):
    other = Merchant.objects.create(slug="maison", name="Maison")
    theirs = Product.objects.create(merchant=other, sku="X", title="Theirs", category=till.product.category)

    for action in ("withdraw", "out_of_stock"):
        till.change(action, theirs)
    theirs.refresh_from_db()

    assert theirs.withdrawn_at is None
    assert theirs.in_stock
    assert till.alice.get(f"/merchant/atelier/products/{theirs.pk}/").status_code == 404
    assert till.alice.post(f"/merchant/atelier/products/{theirs.pk}/edit/", till.form()).status_code == 404


def test_the_nearest_products_are_named_with_whose_they_are(shelf: Shelf):
    shelf.put("MINE", 1)
    shelf.put("SAME", 1, merchant="maison", title="The same at Maison")
    shelf.put("ALSO-MINE", 2)
    product = Product.objects.get(sku="MINE")

    near = neighbors_of(product, 8)

    assert [(one.product.sku, one.is_anothers) for one in near] == [("SAME", True), ("ALSO-MINE", False)]
    assert near[0].score == pytest.approx(1.0, abs=1e-3)
    client = signed_in("alice", product.merchant, "viewer")
    page = client.get(f"/merchant/atelier/products/{product.pk}/").content.decode()
    assert page.index("The same at Maison") < page.index("data-others>Maison") < page.index("Product ALSO-MINE")


def test_withdrawn_products_are_no_neighbors(shelf: Shelf):
    mine, other = shelf.put("MINE", 1), shelf.put("SAME", 1, merchant="maison")
    Product.objects.filter(pk=other.pk).withdraw()

    assert neighbors_of(mine, 8) == []


def test_a_store_that_is_down_is_said_and_the_rest_is_shown(shelf: Shelf):
    product = shelf.put("MINE", 1)
    client = signed_in("alice", product.merchant, "viewer")
    shelf.break_store()

    response = client.get(f"/merchant/atelier/products/{product.pk}/")

    assert response.status_code == 200
    assert "out of order" in response.content.decode()


def test_the_doctors_findings_are_on_the_page(till):
    call_command("catalog_doctor", "atelier", "--json", stdout=io.StringIO(), stderr=io.StringIO())

    page = till.alice.get(f"/merchant/atelier/products/{Product.objects.get(sku='S-2').pk}/").content.decode()

    assert "Shoppers who filter by brand" in page
