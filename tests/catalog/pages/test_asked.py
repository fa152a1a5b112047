"""Words and products in an address: what a page without scripts can ask."""

import pytest
from django.http import QueryDict

from catalog.models import SearchRecord
from catalog.pages.asked import address_of, image_url_in, wishes_of
from tests.catalog.pages.test_search_page import photo
from tests.fakes import picture


def an_answer(**facts):
    return {"image": None, "wishes": [], "facets": {}, **facts}


def test_an_address_with_words_shows_its_answer_in_place(shelf, client):
    shelf.put("S-1", 1)

    response = client.get("/?q=shoes")

    assert response.status_code == 200
    assert "Product S-1" in response.content.decode()
    assert 'value="shoes"' in response.content.decode()
    assert response.context["answer"]["id"] == str(SearchRecord.objects.get().pk)


def test_words_sent_by_the_plain_form_get_an_address_that_can_be_kept(shelf, client):
    response = client.post("/", {"q": "red shoes", "csrfmiddlewaretoken": "x"})

    assert (response.status_code, response["Location"]) == (302, "/?q=red+shoes")


def test_words_beside_a_photo_stay_in_the_address_of_its_answer(shelf, client):
    shelf.put("S-1", 1)

    response = client.post("/", {"image": photo(1), "q": "but red", "product": "7"}, follow=True)

    assert response.redirect_chain[0][0] == f"/s/{SearchRecord.objects.get().pk}?q=but+red"
    assert 'value="but red"' in response.content.decode()


def test_an_address_with_a_product_shows_it_where_the_photo_would_be(shelf, client):
    product = shelf.put("S-1", 1)
    twin = shelf.put("S-2", 1)

    page = client.get(f"/?product={product.pk}")

    assert [card.product_id for card in page.context["cards"]] == [twin.pk]
    assert page.context["asked_product"]["title"] == "Product S-1"
    assert "is-photoless" not in page.content.decode().split('id="work"')[0].rsplit("<div", 1)[1]


@pytest.mark.parametrize(
    "address",
    [
        "/?product=12345",
        "/?product=abc",
        "/?q=shoes&price_max=cheap",
        "/?q=shoes&price_min=-1",
        "/?q=shoes&price_max=NaN",
    ],
)
def test_an_address_that_asks_nonsense_is_answered_in_words(shelf, client, address):
    response = client.get(address)

    assert response.status_code == 400
    assert b"That can&#x27;t be searched for" in response.content


def test_words_that_are_too_many_are_refused_in_words(shelf, client):
    assert b"201 characters are too many" in client.get(f"/?q={'x' * 201}").content


def test_a_wish_is_taken_out_of_the_words_and_the_rest_asked_again():
    wish = {"kind": "color", "value": "red", "label": "Red", "start": 4, "end": 7}
    params = QueryDict("q=old red shoes&brand=Linden")

    red, linden = wishes_of(an_answer(wishes=[wish]), params)

    assert (red.label, red.without) == ("Red", "/?q=old+shoes&brand=Linden")
    assert (linden.label, linden.without) == ("Linden", "/?q=old+red+shoes")


def test_filters_read_as_shoppers_say_them():
    facets = {"merchant": [{"value": "nord", "label": "Atelier Nord", "count": 3}], "price": {"currency": "EUR"}}
    params = QueryDict("q=x&merchant=nord&gender=women&price_min=20&price_max=50&in_stock=true")

    labels = [str(wish.label) for wish in wishes_of(an_answer(facets=facets), params)]

    assert labels == ["Women", "Atelier Nord", "€20 to €50", "In stock"]


def test_without_its_photo_an_answer_can_not_be_asked_again():
    (wish,) = wishes_of(an_answer(image={"width": 3, "height": 4}), QueryDict("q=red&brand=Linden"))

    assert wish.without == ""


def test_an_address_keeps_only_what_is_known():
    params = QueryDict("q=red&color=red&color=blue&csrfmiddlewaretoken=x&evil=1&brand=")

    assert address_of(params) == "?q=red&color=red&color=blue"


@pytest.mark.parametrize(
    ("words", "address"),
    [(" https://shop.example/a.jpg ", "https://shop.example/a.jpg"), ("see https://a.b/c", None), ("red", None)],
)
def test_words_that_are_an_address_name_a_picture(words, address):
    assert image_url_in(words) == address


def test_a_pictures_address_works_without_scripts_and_is_fetched_with_care(shelf, client, monkeypatch):
    shelf.put("S-1", 1)
    monkeypatch.setattr("catalog.search.understanding.fetch_image", lambda url, **limits: picture(1))

    response = client.post("/", {"q": "https://shop.example/a.png"}, follow=True)

    assert response.redirect_chain == [(f"/s/{SearchRecord.objects.get().pk}", 302)]
    assert "Product S-1" in response.content.decode()


def test_our_own_machine_is_never_asked_for_a_picture(shelf, client):
    response = client.post("/", {"q": "http://127.0.0.1/a.png"})

    assert response.status_code == 400
    assert b"not on the public internet" in response.content
