"""Only a shopper who ticked the choice is counted among those who looked in vain, and she can take it back."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from catalog.models import AgreedSearch, SearchRecord
from catalog.search.agreement import COOKIE
from tests.fakes import picture

HOST = "http://testserver"


def search(client: Client) -> None:
    response = client.post("/api/v1/search/", {"image": SimpleUploadedFile("photo.png", picture(3))})
    assert response.status_code == 200


def choose(client: Client, *, agree: bool, origin: str = HOST, back: str = "/"):
    form = {"back": back, **({"agree": "on"} if agree else {})}
    return client.post("/agree/", form, headers={"Origin": origin} if origin else {})


def test_nobody_has_agreed_who_was_not_asked(shelf, client):
    shelf.put("S-1", 1)

    page = client.get("/").content.decode()
    search(client)

    assert 'type="checkbox" name="agree">' in page
    assert SearchRecord.objects.count() == 1
    assert not AgreedSearch.objects.exists()
    assert COOKIE not in client.cookies


def test_who_agrees_is_counted_as_one_person_and_known_to_nobody(shelf, client):
    shelf.put("S-1", 1)
    choose(client, agree=True)

    search(client)
    search(client)

    (searcher,) = set(AgreedSearch.objects.values_list("searcher", flat=True))
    assert AgreedSearch.objects.count() == 2
    assert client.cookies[COOKIE].value not in searcher
    assert client.cookies[COOKIE]["httponly"]
    assert client.cookies[COOKIE]["samesite"] == "Lax"
    assert 'name="agree" checked' in client.get("/").content.decode()
    other = Client()
    choose(other, agree=True)
    search(other)
    assert AgreedSearch.objects.values("searcher").distinct().count() == 2


def test_choosing_twice_keeps_one_number(shelf, client):
    choose(client, agree=True)
    number = client.cookies[COOKIE].value
    choose(client, agree=True)

    assert client.cookies[COOKIE].value == number


def test_taking_it_back_forgets_what_was_kept_by_it_and_leaves_others(shelf, client):
    shelf.put("S-1", 1)
    other = Client()
    for one in (client, other):
        choose(one, agree=True)
        search(one)

    choose(client, agree=False)
    search(client)

    assert AgreedSearch.objects.count() == 1
    assert client.cookies[COOKIE].value == ""
    assert SearchRecord.objects.count() == 3


@pytest.mark.parametrize("number", ["", "x", "0" * 31, "0" * 33, "G" * 32, "' OR 1=1"])
def test_a_made_up_cookie_is_no_agreement(shelf, client, number):
    shelf.put("S-1", 1)
    client.cookies[COOKIE] = number

    search(client)

    assert not AgreedSearch.objects.exists()


@pytest.mark.parametrize("origin", ["", "null", "https://other.example", "http://testserver.other.example"])
def test_another_site_can_not_choose_for_a_shopper(db, client, origin):
    assert choose(client, agree=True, origin=origin).status_code == 403
    assert COOKIE not in client.cookies


@pytest.mark.parametrize("back", ["https://other.example/", "//other.example", "javascript:alert(1)", ""])
def test_it_leads_back_to_no_other_site(db, client, back):
    assert choose(client, agree=True, back=back)["Location"] == "/"


def test_it_leads_back_to_where_it_was_chosen(db, client):
    assert choose(client, agree=True, back="/?q=shoes")["Location"] == "/?q=shoes"


def test_opening_the_address_changes_nothing(db, client):
    assert client.get("/agree/").status_code == 405
