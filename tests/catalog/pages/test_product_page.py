from typing import cast

from django.utils import timezone

from embeddings import vector_store
from tests.fakes import MemoryStore


def test_a_product_page_shows_its_facts_and_the_way_to_the_shop(shelf, client):
    product = shelf.put("S-1", 1, price="19.90", currency="EUR", url="https://shop.example/s-1", brand="Linden")

    page = client.get(f"/p/{product.pk}/").content.decode()

    for fact in (product.title, "€19.90", "Linden", 'href="https://shop.example/s-1"', "S-1", "In stock"):
        assert fact in page


def test_a_product_page_shows_what_looks_like_it_and_not_itself(shelf, client):
    product = shelf.put("S-1", 1)
    twin = shelf.put("S-2", 1)

    similar = client.get(f"/p/{product.pk}/").context["similar"]

    assert [card.product_id for card in similar] == [twin.pk]


def test_a_withdrawn_product_has_no_page(shelf, client):
    product = shelf.put("S-1", 1, withdrawn_at=timezone.now())

    assert client.get(f"/p/{product.pk}/").status_code == 404


def test_an_unknown_product_gets_a_page_that_leads_on(shelf, client):
    response = client.get("/p/12345/")

    assert response.status_code == 404
    assert b"There is nothing here" in response.content


def test_a_product_page_stands_while_the_search_is_down(shelf, client):
    product = shelf.put("S-1", 1)
    cast(MemoryStore, vector_store()).failing = True

    response = client.get(f"/p/{product.pk}/")

    assert response.status_code == 200
    assert b"Similar products can't be shown right now" in response.content


def test_a_feed_can_not_put_a_script_into_a_link(shelf, client):
    product = shelf.put("S-1", 1, url="javascript:alert(1)")
    other = shelf.put("S-2", 1)

    for pk in (product.pk, other.pk):
        assert b"javascript:" not in client.get(f"/p/{pk}/").content
