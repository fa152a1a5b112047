"""What a merchant hears of decisions about her products, in the list and on the product's page."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog.curation.curating import Draft, add, remove
from catalog.curation.moderation import block_photo, block_product, unblock_photo, unblock_product
from catalog.curation.told import Kind, decided, decisions_about
from catalog.indexing.index import index_all
from catalog.models import Curation, Member, Product
from catalog.pictures.blocked import forget
from tests.catalog.shop import Shop, open_shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(settings, tmp_path) -> Shop:
    forget()
    shop = open_shop(settings, tmp_path)
    for seed in range(4):
        shop.feed.draw(f"S-{seed}.png", seed=seed, size=(320, 320))
        shop.feed.add(f"S-{seed}")
    shop.upload()
    index_all()
    return shop


@pytest.fixture
def admin() -> User:
    return User.objects.create_user("rae", is_staff=True)


@pytest.fixture
def alice(shop) -> Client:
    user = User.objects.create_user("alice", password="a long password")
    Member.objects.create(merchant=shop.merchant, user=user, role="owner")
    client = Client()
    client.force_login(user)
    return client


def product(sku: str) -> Product:
    return Product.objects.get(sku=sku)


def told(sku: str) -> list[tuple[Kind, str]]:
    one = product(sku)
    return [(decision.kind, decision.why) for decision in decisions_about([one]).get(one.pk, [])]


def hide(sku: str, admin: User, **fields) -> Curation:
    return add(Draft("hide", product(sku).pk, **{"category": "shoes", "why": "Out of season.", **fields}), by=admin)


def listed(client: Client, query: str = "") -> str:
    return client.get(f"/merchant/atelier/products/?{query}").content.decode()


def test_nothing_is_told_of_products_that_nobody_decided_about(shop, alice):
    assert decisions_about(Product.objects.all()) == {}
    assert not Product.objects.filter(decided()).exists()
    assert "What the shop decided" not in alice.get(f"/merchant/atelier/products/{product('S-1').pk}/").content.decode()


def test_a_blocked_product_is_told_with_its_reason_until_it_is_let_in_again(shop, admin, alice):
    block_product(product("S-1"), by=admin, why="A forgery, says <the brand>.")

    page = alice.get(f"/merchant/atelier/products/{product('S-1').pk}/").content.decode()
    assert told("S-1") == [(Kind.BLOCKED, "A forgery, says <the brand>.")]
    assert "Shoppers don't see this product anywhere" in page
    assert "says &lt;the brand&gt;" in page
    assert "ask the shop's staff" in page
    assert "As shoppers see it" not in page

    unblock_product(product("S-1"), by=admin)
    assert told("S-1") == []


def test_a_blocked_product_is_not_listed_as_findable_or_in_the_shop(shop, admin, alice):
    block_product(product("S-1"), by=admin, why="A forgery.")

    everything, shown, decided_about = (listed(alice, f"state={state}") for state in ("", "shown", "decided"))
    assert "blocked by the shop" in everything
    assert "A forgery." in everything
    assert everything.count('data-status="done"') == 3  # the others
    assert "<code>S-1</code>" not in shown
    assert "<code>S-2</code>" in shown
    assert "<code>S-1</code>" in decided_about
    assert "<code>S-2</code>" not in decided_about


def test_a_photo_that_was_blocked_is_told_until_another_is_in_its_place(shop, admin, alice):
    block_photo(shop.image("S-2"), by=admin, why="Shows a child.")

    page = alice.get(f"/merchant/atelier/products/{product('S-2').pk}/").content.decode()
    assert told("S-2") == [(Kind.PHOTO, "Shows a child.")]
    assert "it has no other" in page
    assert "photo blocked by the shop" in listed(alice, "state=decided")

    shop.feed.draw("S-2.png", seed=99, size=(320, 320))
    shop.upload()
    assert told("S-2") == []
    assert "S-2" not in listed(alice, "state=decided")


def test_a_photo_that_was_let_in_again_is_told_no_more(shop, admin):
    photo = block_photo(shop.image("S-2"), by=admin, why="Shows a child.").photo
    unblock_photo(photo, by=admin)

    assert told("S-2") == []


def test_a_rule_that_hides_a_product_is_told_while_it_holds(shop, admin, alice):
    until = timezone.now() + timedelta(days=3)
    rule = hide("S-3", admin, ends_at=until)

    page = alice.get(f"/merchant/atelier/products/{product('S-3').pk}/").content.decode()
    assert told("S-3") == [(Kind.HIDDEN, "Out of season.")]
    assert "Hidden from searches for Shoes." in page
    assert "Until " in page
    assert "hidden in some searches" in listed(alice, "state=decided")
    assert "<code>S-3</code>" in listed(alice, "state=shown")  # it is still sold

    Curation.objects.filter(pk=rule.pk).update(ends_at=timezone.now() - timedelta(seconds=1))
    assert told("S-3") == []
    assert "S-3" not in listed(alice, "state=decided")


def test_a_rule_that_was_taken_back_and_a_boost_are_not_told(shop, admin):
    remove(hide("S-3", admin), by=admin)
    add(Draft("boost", product("S-3").pk, category="shoes", why="Ours earns more.", factor=0.5), by=admin)

    assert told("S-3") == []


def test_the_gravest_decision_comes_first_and_is_the_badge(shop, admin, alice):
    hide("S-1", admin)
    block_product(product("S-1"), by=admin, why="A forgery.")

    assert [kind for kind, _ in told("S-1")] == [Kind.BLOCKED, Kind.HIDDEN]
    assert "hidden in some searches" not in listed(alice, "q=S-1")


def test_a_withdrawn_product_is_the_merchants_own_decision(shop, admin, alice):
    block_product(product("S-1"), by=admin, why="A forgery.")
    Product.objects.filter(sku="S-1").withdraw()

    assert "S-1" not in listed(alice, "state=decided")


def test_a_page_of_products_asks_no_more_however_many_were_decided_about(shop, admin):
    hide("S-0", admin)
    few, many = list(Product.objects.filter(sku="S-0")), list(Product.objects.all())
    with CaptureQueriesContext(connection) as first:
        decisions_about(few)
    for sku in ("S-1", "S-2", "S-3"):
        hide(sku, admin)
        block_product(product(sku), by=admin, why="A forgery.")
    with CaptureQueriesContext(connection) as second:
        decisions_about(many)

    assert len(first) == len(second) == 2
