import re

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from catalog.doctor.checkup import examine_all
from catalog.indexing.index import index_all
from catalog.models import Checkup, Member, Merchant
from catalog.pages.merchant import doctor
from tests.catalog.shop import Shop, open_shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(settings, tmp_path) -> Shop:
    shop = open_shop(settings, tmp_path)
    shop.feed.add("small", seed=1, brand="Linden", color="red")
    shop.feed.add("<b>bare</b>", seed=2, image_link="bare.png", title="<b>Bare</b>", price="")
    shop.upload()
    index_all()
    return shop


def sign_in(merchant: Merchant, role: str = "editor") -> Client:
    user = get_user_model().objects.create_user(f"{merchant.slug}-{role}")
    Member.objects.create(user=user, merchant=merchant, role=role)
    client = Client()
    client.force_login(user)
    return client


def test_before_anybody_looked_the_page_says_so(shop):
    page = sign_in(shop.merchant).get("/merchant/atelier/doctor/").content.decode()

    assert "Nobody has looked" in page


def test_an_editor_asks_and_the_page_tells_how_far_it_is(shop):
    bob = sign_in(shop.merchant)

    assert bob.post("/merchant/atelier/doctor/examine/").status_code == 302

    checkup = Checkup.objects.get()
    assert checkup.is_due
    asked_at = checkup.requested_at
    assert "0 of 2 products" in bob.get("/merchant/atelier/doctor/").content.decode()
    bob.post("/merchant/atelier/doctor/examine/")
    assert Checkup.objects.get().requested_at == asked_at  # a second click starts nothing over


def test_findings_are_listed_with_the_crop_drawn_and_advice(shop):
    examine_all(shop.merchant)

    page = sign_in(shop.merchant).get("/merchant/atelier/doctor/").content.decode()

    assert "Picture too small" in page
    assert "Upload a larger picture" in page
    box = shop.image("small").box
    assert f'class="crop" x="{box[0]:.0f}" y="{box[1]:.0f}"' in page
    assert "style=" not in page  # the content security policy forbids it


def test_what_a_feed_says_is_never_markup(shop):
    examine_all(shop.merchant)

    page = sign_in(shop.merchant).get("/merchant/atelier/doctor/").content.decode()

    assert "&lt;b&gt;Bare" in page
    assert "<b>" not in page


def test_the_list_narrows_to_one_code(shop):
    examine_all(shop.merchant)
    client = sign_in(shop.merchant)

    page = client.get("/merchant/atelier/doctor/?code=no_price").content.decode()
    assert "&lt;b&gt;Bare" in page
    assert "Product small" not in page
    assert client.get("/merchant/atelier/doctor/?code=%3Cscript%3E").status_code == 200


def test_a_long_list_is_paged(shop, monkeypatch):
    monkeypatch.setattr(doctor, "PAGE", 1)
    examine_all(shop.merchant)
    client = sign_in(shop.merchant)

    pages = [client.get(f"/merchant/atelier/doctor/?page={number}").content.decode() for number in (1, 2)]

    titles = [re.findall(r"/p/\d+/", page) for page in pages]
    assert [len(one) for one in titles] == [1, 1]
    assert titles[0] != titles[1]
    assert client.get("/merchant/atelier/doctor/?page=nonsense").status_code == 200


def test_charlie_sees_nothing_of_alices_findings(shop):
    examine_all(shop.merchant)
    charlie = Merchant.objects.create(slug="charlie", name="Charlie")

    page = sign_in(charlie).get("/merchant/charlie/doctor/").content.decode()

    assert "Product small" not in page
    assert "Picture too small" not in page


def test_a_page_asks_the_database_as_much_for_one_product_as_for_many(shop, django_assert_max_num_queries):
    for number in range(12):
        shop.feed.add(f"S-{number}", seed=10 + number)
    shop.upload()
    index_all()
    examine_all(shop.merchant)
    client = sign_in(shop.merchant)

    with django_assert_max_num_queries(15):
        client.get("/merchant/atelier/doctor/")
