import json
import uuid

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from catalog.api import schema
from catalog.models import Feedback, Product, SearchRecord
from tests.fakes import picture

SEARCH = "/api/v1/search/"


def photo(seed: int, name: str = "photo.png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, picture(seed))


def ask(client, **fields):
    return client.post(SEARCH, fields)


def test_an_answer_has_the_shape_of_the_schema(shelf, client):
    shelf.put("S-1", 1)

    body = ask(client, image=photo(1)).json()

    shape = schema.AnswerShape(data=body)
    assert shape.is_valid(), shape.errors
    assert set(body) == set(shape.fields) - {"outfit"}
    assert set(body["facets"]) == set(schema.FacetsShape().fields)
    assert set(body["results"][0]) == set(schema.ResultShape().fields)
    assert set(body["results"][0]["product"]) == set(schema.ProductShape().fields)


def test_a_photo_finds_its_product(shelf, client):
    shelf.put("S-1", 1)
    shelf.put("S-2", 2)

    body = ask(client, image=photo(2)).json()

    assert body["results"][0]["product"]["sku"] == "S-2"
    assert body["results"][0]["product"]["image"].startswith("http://testserver/media/")
    assert body["image"] == {"width": 96, "height": 96}
    assert body["regions"][0]["id"] == 0


def test_a_photo_can_be_given_by_its_address(shelf, client, monkeypatch):
    shelf.put("S-1", 1)
    shelf.put("S-2", 2)
    monkeypatch.setattr("catalog.understanding.fetch_image", lambda url, **limits: picture(2))

    body = ask(client, image_url="https://example.org/shoe.png").json()

    assert body["results"][0]["product"]["sku"] == "S-2"
    assert body["image"] == {"width": 96, "height": 96}


def test_a_box_arrives_as_four_numbers(shelf, client):
    assert ask(client, image=photo(1), box="4,4,50,60").json()["selected"]["box"] == [4, 4, 50, 60]


def test_a_product_can_be_asked_for_as_json(shelf, client):
    liked = shelf.put("S-1", 1)
    shelf.put("S-2", 1)

    response = client.post(SEARCH, json.dumps({"product": liked.pk}), content_type="application/json")

    assert [result["product"]["sku"] for result in response.json()["results"]] == ["S-2"]
    assert response.json()["image"] is None


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({}, 400, "question_missing"),
        ({"q": "a", "limit": "0"}, 400, "question_invalid"),
        ({"q": "a", "limit": "many"}, 400, "question_invalid"),
        ({"q": "a", "price_min": "cheap"}, 400, "question_invalid"),
        ({"q": "a", "category": "spaceships"}, 400, "category_unknown"),
        ({"q": "a", "box": "1,2,3"}, 400, "question_invalid"),
        ({"product": "99999"}, 404, "product_unknown"),
        ({"product": "1", "image_url": "https://example.org/shoe.jpg"}, 400, "question_ambiguous"),
        ({"image_url": "ftp://example.org/shoe.jpg"}, 400, "image_url_invalid"),
        ({"image_url": "http://127.0.0.1/shoe.jpg"}, 422, "image_url_forbidden"),
    ],
)
def test_what_can_not_be_used_is_answered_with_a_code(shelf, client, fields, status, code):
    response = ask(client, **fields)

    assert response.status_code == status
    assert set(response.json()) == {"code", "message", "fields"}
    assert response.json()["code"] == code


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"", 422, "image_empty"),
        (b"this is no picture, whatever its name says", 415, "image_unreadable"),
        (picture(1, size=(400, 400), format="JPEG")[:900], 422, "image_truncated"),
    ],
)
def test_a_bad_picture_is_answered_with_a_code(shelf, client, data, status, code):
    response = ask(client, image=SimpleUploadedFile("photo.jpg", data))

    assert (response.status_code, response.json()["code"]) == (status, code)


def test_a_photo_over_the_limit_is_answered_with_413(shelf, client, settings):
    settings.SEARCH_MAX_IMAGE_BYTES = 100

    assert ask(client, image=photo(1)).status_code == 413


def test_broken_json_is_answered_with_a_code(shelf, client):
    response = client.post(SEARCH, "{", content_type="application/json")

    assert (response.status_code, response.json()["code"]) == (400, "body_unreadable")


def test_a_store_that_is_down_is_answered_with_503(shelf, client):
    shelf.break_store()

    response = ask(client, image=photo(1))

    assert (response.status_code, response.json()["code"]) == (503, "vector_store_unavailable")


def test_a_bug_is_answered_as_json_and_not_as_a_page(shelf, client, monkeypatch):
    def fail(question):
        raise RuntimeError("a bug")

    monkeypatch.setattr("catalog.api.views.search", fail)

    response = ask(client, image=photo(1))

    assert (response.status_code, response.json()["code"]) == (500, "internal_error")


def test_a_search_can_be_recalled_by_its_link(shelf, client):
    shelf.put("S-1", 1)
    shelf.put("S-2", 2)
    answer = ask(client, image=photo(1)).json()

    again = client.get(f"{SEARCH}{answer['id']}/")

    assert again.json() == answer


def test_a_recalled_search_leaves_out_what_was_withdrawn_since(shelf, client):
    gone = shelf.put("S-1", 1)
    shelf.put("S-2", 2)
    answer = ask(client, image=photo(1)).json()
    Product.objects.filter(pk=gone.pk).update(withdrawn_at=timezone.now())

    again = client.get(f"{SEARCH}{answer['id']}/").json()

    assert [result["product"]["sku"] for result in again["results"]] == ["S-2"]


def test_a_recalled_search_shows_todays_price(shelf, client):
    product = shelf.put("S-1", 1)
    answer = ask(client, image=photo(1)).json()
    Product.objects.filter(pk=product.pk).update(price="5.00")

    again = client.get(f"{SEARCH}{answer['id']}/").json()

    assert again["results"][0]["product"]["price"] == "5.00"


def test_an_unknown_search_is_answered_with_404(db, client):
    response = client.get(f"{SEARCH}{uuid.uuid4()}/")

    assert (response.status_code, response.json()["code"]) == (404, "search_unknown")


def test_the_photo_is_not_kept(shelf, client, settings):
    ask(client, image=photo(1))

    assert list(settings.MEDIA_ROOT.rglob("*.png")) == []
    assert SearchRecord.objects.count() == 1


def test_feedback_is_recorded(shelf, client):
    product = shelf.put("S-1", 1)
    answer = ask(client, image=photo(1)).json()

    response = client.post(f"{SEARCH}{answer['id']}/feedback/", {"product": product.pk, "verdict": "like"})

    assert response.status_code == 201
    assert Feedback.objects.get().verdict == "like"


@pytest.mark.parametrize(("verdict", "status"), [("adore", 400), ("", 400), ("click", 201), ("wrong_category", 201)])
def test_only_known_verdicts_are_taken(shelf, client, verdict, status):
    product = shelf.put("S-1", 1)
    answer = ask(client, image=photo(1)).json()

    response = client.post(f"{SEARCH}{answer['id']}/feedback/", {"product": product.pk, "verdict": verdict})

    assert response.status_code == status
