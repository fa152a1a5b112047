from django.db import OperationalError
from django.utils import timezone

from catalog import serving
from catalog.models import Product


def test_products_are_listed_with_their_number(shelf, client):
    for number in range(5):
        shelf.put(f"S-{number}", number)

    body = client.get("/api/v1/products/?limit=2&offset=1").json()

    assert body["count"] == 5
    assert [product["sku"] for product in body["results"]] == ["S-3", "S-2"]


def test_products_can_be_looked_for_by_title_category_and_merchant(shelf, client):
    shelf.put("S-1", 1, title="Linden boot", merchant="maison")
    shelf.put("B-1", 2, title="Linden bag", category="bags")

    def found(query):
        return [product["sku"] for product in client.get(f"/api/v1/products/?{query}").json()["results"]]

    assert found("q=linden") == ["B-1", "S-1"]
    assert found("category=shoe") == ["S-1"]
    assert found("category=spaceships") == []
    assert found("merchant=maison") == ["S-1"]


def test_a_withdrawn_product_is_neither_listed_nor_shown(shelf, client):
    product = shelf.put("S-1", 1)
    Product.objects.filter(pk=product.pk).update(withdrawn_at=timezone.now())

    assert client.get("/api/v1/products/").json()["count"] == 0
    assert client.get(f"/api/v1/products/{product.pk}/").json()["code"] == "product_unknown"


def test_similar_products_are_found_by_their_pictures(shelf, client):
    liked = shelf.put("S-1", 1)
    shelf.put("S-2", 1)

    body = client.get(f"/api/v1/products/{liked.pk}/similar/").json()

    assert [result["product"]["sku"] for result in body["results"]] == ["S-2"]


def test_an_unknown_address_of_the_api_is_answered_as_json(db, client):
    response = client.get("/api/v1/nothing/here/")

    assert (response.status_code, response.json()["code"]) == (404, "not_found")


def test_a_wrong_method_is_answered_as_json(db, client):
    response = client.get("/api/v1/search/")

    assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")


def test_the_schema_describes_the_search(db, client):
    text = client.get("/api/v1/schema/").content.decode()

    assert "/api/v1/search/" in text
    assert "openapi: 3" in text


def test_health_names_every_part(shelf, client):
    shelf.put("S-1", 1, 2)

    body = client.get("/api/v1/health/").json()

    assert body["status"] == "ok"
    assert (body["products"], body["images_indexed"]) == (1, 2)
    assert body["encoder"].startswith("fake-encoder")


def test_health_says_which_part_is_down(shelf, client):
    shelf.break_store()

    response = client.get("/api/v1/health/")

    assert response.status_code == 503
    assert (response.json()["status"], response.json()["vector_store"]) == ("degraded", "vector_store_unavailable")


def test_health_says_that_the_database_is_down(shelf, client, monkeypatch):
    def refuse(*arguments, **options):
        raise OperationalError("connection refused")

    monkeypatch.setattr("catalog.serving.read", refuse)
    monkeypatch.setattr("django.db.models.query.QuerySet.count", refuse)
    serving.forget()

    response = client.get("/api/v1/health/")

    assert response.status_code == 503
    body = response.json()
    assert (body["status"], body["database"], body["encoder"]) == ("degraded", *["database_unavailable"] * 2)


def test_a_database_that_is_down_is_no_error_of_the_programs(shelf, client, monkeypatch):
    def refuse(*arguments, **options):
        raise OperationalError("connection refused")

    monkeypatch.setattr("django.db.models.query.QuerySet.count", refuse)

    response = client.get("/api/v1/products/")

    assert (response.status_code, response.json()["code"]) == (503, "database_unavailable")
