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
    monkeypatch.setattr("catalog.search.understanding.fetch_image", lambda url, **limits: picture(2))

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


def test_a_repeated_field_means_any_of_its_values(shelf, client):
    shelf.put("S-1", 1, brand="Linden")
    shelf.put("S-2", 2, brand="Vale")
    shelf.put("S-3", 3, brand="Pell")

    body = ask(client, image=photo(1), brand=["linden", "VALE", ""]).json()

    assert {result["product"]["sku"] for result in body["results"]} == {"S-1", "S-2"}


def test_in_json_one_value_needs_no_list(shelf, client):
    liked = shelf.put("S-1", 1)
    shelf.put("S-2", 2, brand="Vale", gender="female")
    shelf.put("S-3", 3, brand="Pell", gender="male")

    for fields in ({"brand": "Vale"}, {"brand": ["Vale"]}, {"gender": "women"}, {"gender": ["women", "girls"]}):
        body = client.post(SEARCH, json.dumps({"product": liked.pk, **fields}), content_type="application/json").json()
        assert [result["product"]["sku"] for result in body["results"]] == ["S-2"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("brand", [str(number) for number in range(21)]),
        ("brand", "x" * 121),
        ("merchant", "no slug!"),
        ("like", "many"),
        ("dislike", [0]),
    ],
)
def test_a_value_that_can_not_be_used_is_named(shelf, client, field, value):
    response = ask(client, image=photo(1), **{field: value})

    assert response.status_code == 400
    assert list(response.json()["fields"]) == [field]


def test_wishes_come_back_with_their_places(shelf, client):
    shelf.put("S-1", 1, colors=["Red"])
    body = ask(client, q="red under 50").json()

    assert body["wishes"] == [
        {"kind": "color", "value": "red", "label": "Red", "start": 0, "end": 3},
        {"kind": "price", "value": "-50", "label": "Under 50", "start": 4, "end": 12},
    ]
    assert body["rest"] == "red"


def test_an_outfit_comes_only_when_asked_for_and_is_kept(shelf, client):
    for seed in range(4):
        shelf.put(f"S-{seed}", seed)

    answer = ask(client, image=photo(1), outfit="true").json()

    assert schema.AnswerShape(data=answer).is_valid()
    assert [row["region"] for row in answer["outfit"]] == [0]
    assert answer["outfit"][0]["results"][0]["product"]["sku"] == "S-1"
    assert client.get(f"{SEARCH}{answer['id']}/").json() == answer


def test_cards_of_several_listings_say_from_which_price(shelf, client):
    shelf.put("S-1", 1, gtin="4006381333931", price="30.00")
    other = shelf.put("S-2", 2, gtin="4006381333931", price="19.90")

    answer = ask(client, image=photo(1)).json()

    assert answer["results"][0]["offers"] == {"count": 2, "from": "19.90", "currency": "EUR"}
    assert answer["results"][0]["others"] == [other.pk]
    assert client.get(f"{SEARCH}{answer['id']}/").json() == answer


def test_a_recalled_card_counts_only_the_listings_there_still_are(shelf, client):
    shelf.put("S-1", 1, gtin="4006381333931", price="30.00")
    gone = shelf.put("S-2", 2, gtin="4006381333931", price="19.90")
    answer = ask(client, image=photo(1)).json()
    Product.objects.filter(pk=gone.pk).update(withdrawn_at=timezone.now())

    again = client.get(f"{SEARCH}{answer['id']}/").json()

    assert (again["results"][0]["offers"], again["results"][0]["others"]) == (None, [])


def test_a_record_of_an_earlier_version_can_still_be_recalled(shelf, client):
    product = shelf.put("S-1", 1)
    answer = ask(client, image=photo(1)).json()
    record = SearchRecord.objects.get()
    old = {key: value for key, value in record.answer.items() if key not in ("wishes", "rest", "facets", "facts")}
    old["hits"] = [[product.pk, product.images.get().pk, 0.91, "same_product"]]
    SearchRecord.objects.update(answer=old)

    again = client.get(f"{SEARCH}{answer['id']}/").json()

    assert schema.AnswerShape(data=again).is_valid()
    assert again["results"][0]["score"] == 0.91
