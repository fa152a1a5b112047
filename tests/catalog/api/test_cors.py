import uuid

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from catalog.models import Feedback, Merchant, WidgetKey
from catalog.widget_keys import issue_widget_key
from tests.fakes import picture

SEARCH = "/api/v1/search/"
SHOP, STRANGER = "https://shop.example", "https://stranger.example"


@pytest.fixture
def key(shelf) -> WidgetKey:
    shelf.put("S-1", 1)
    shelf.put("S-2", 2, merchant="rival")
    return issue_widget_key(Merchant.objects.get(slug="atelier"), origins=[SHOP])


def ask(client, key: WidgetKey | str | None, *, origin: str | None = SHOP, path: str = SEARCH, **fields):
    headers = {"Origin": origin, "X-Widget-Key": key.key if isinstance(key, WidgetKey) else key}
    photo = {"image": SimpleUploadedFile("photo.png", picture(1))}
    return client.post(path, fields or photo, headers={name: value for name, value in headers.items() if value})


def preflight(client, *, origin: str = SHOP, method: str = "POST", path: str = SEARCH, headers: str = "x-widget-key"):
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": headers,
    }
    return client.options(path, headers=asked)


def is_open(response) -> bool:
    return response.headers.get("Access-Control-Allow-Origin") is not None


def test_a_shops_page_may_search_with_its_key(client, key):
    response = ask(client, key)

    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == SHOP
    assert "Origin" in response.headers["Vary"]
    assert "Access-Control-Allow-Credentials" not in response.headers


def test_a_merchants_key_finds_that_merchants_products_whatever_is_asked(client, key):
    for fields in ({}, {"merchant": "rival", "q": "shoe"}):
        skus = [one["product"]["sku"] for one in ask(client, key, **fields).json()["results"]]
        assert skus == ["S-1"]


def test_a_key_of_no_merchant_finds_everything(client, key):
    everybody = issue_widget_key(None, origins=[SHOP])
    body = ask(client, everybody, q="shoe").json()

    assert sorted(one["product"]["sku"] for one in body["results"]) == ["S-1", "S-2"]


def test_another_website_can_not_use_the_key(client, key):
    response = ask(client, key, origin=STRANGER)

    assert (response.status_code, response.json()["code"]) == (403, "origin_not_allowed")
    assert not is_open(response)


def test_a_key_can_not_be_used_without_an_origin(client, key):
    assert ask(client, key, origin=None).status_code == 403


def test_a_key_of_one_shop_can_not_be_used_by_another(client, key):
    issue_widget_key(None, origins=[STRANGER])

    assert ask(client, key, origin=STRANGER).json()["code"] == "origin_not_allowed"


def test_an_unknown_key_is_told_so_where_widgets_live(client, key):
    response = ask(client, "pub_nothing")

    assert (response.status_code, response.json()["code"]) == (403, "widget_key_unknown")
    assert is_open(response)
    assert not is_open(ask(client, "pub_nothing", origin=STRANGER))


def test_a_revoked_key_opens_nothing(client, key):
    WidgetKey.objects.update(revoked_at=timezone.now())

    assert ask(client, key).json()["code"] == "widget_key_unknown"
    assert preflight(client).status_code == 403


def test_errors_reach_the_shops_page(client, key):
    response = ask(client, key, q="")

    assert (response.status_code, response.json()["code"]) == (400, "question_missing")
    assert is_open(response)


def test_a_page_without_a_key_gets_no_answer_that_it_could_read(client, key):
    assert not is_open(ask(client, None))


def test_our_own_pages_and_programs_are_as_before(client, key):
    assert ask(client, None, origin=None).status_code == 200
    assert ask(client, None, origin="http://testserver").status_code == 200


def test_a_browser_is_told_that_the_page_may_search(client, key):
    response = preflight(client, headers="content-type,x-widget-key")

    assert response.status_code == 204
    assert response.headers["Access-Control-Allow-Origin"] == SHOP
    assert response.headers["Access-Control-Allow-Methods"] == "POST"
    assert "x-widget-key" in response.headers["Access-Control-Allow-Headers"]
    assert "Origin" in response.headers["Vary"]


@pytest.mark.parametrize(
    "asked",
    [
        {"origin": STRANGER},
        {"origin": "null"},
        {"origin": SHOP + ".evil.example"},
        {"method": "DELETE"},
        {"method": "GET"},
        {"headers": "authorization"},
        {"path": "/api/v1/search/not-a-uuid/"},
        {"path": "/api/v1/products/", "method": "GET"},
        {"path": "/api/v1/health/", "method": "GET"},
        {"path": "/admin/"},
        {"path": "/api/v1/search/../products/"},
    ],
)
def test_a_browser_is_not_told_so_otherwise(client, key, asked):
    assert not is_open(preflight(client, **asked))


def test_what_a_widget_does_not_need_stays_closed(client, key):
    headers = {"Origin": SHOP, "X-Widget-Key": key.key}

    assert not is_open(client.get("/api/v1/products/", headers=headers))
    assert not is_open(client.get("/api/v1/health/", headers=headers))


def test_an_answer_can_be_recalled_and_clicked_on(client, key):
    body = ask(client, key).json()
    address = f"{SEARCH}{body['id']}/"
    headers = {"Origin": SHOP, "X-Widget-Key": key.key}
    product = body["results"][0]["product"]["id"]
    said = client.post(
        f"{address}feedback/",
        {"product": product, "verdict": "click"},
        content_type="application/json",
        headers=headers,
    )

    assert is_open(client.get(address, headers=headers))
    assert (said.status_code, is_open(said)) == (201, True)
    assert Feedback.objects.get().verdict == "click"
    assert preflight(client, path=f"{address}feedback/", headers="content-type,x-widget-key").status_code == 204
    assert preflight(client, path=address, method="GET").status_code == 204
    assert preflight(client, path=f"{SEARCH}{uuid.uuid4()}/", method="POST").status_code == 403


def test_pictures_may_be_read_where_widgets_live(client, key):
    address = ask(client, key).json()["results"][0]["product"]["image"].removeprefix("http://testserver")

    assert is_open(client.get(address, headers={"Origin": SHOP}))
    assert not is_open(client.get(address, headers={"Origin": STRANGER}))
    assert "Origin" in client.get(address).headers["Vary"]


def test_a_merchants_key_tells_nothing_of_other_sellers(client, key, shelf):
    shelf.put("S-3", 1, merchant="rival")  # the very picture that is searched with

    body = ask(client, key).json()

    assert {copy["product"]["merchant"]["slug"] for copy in body["copies"]} == {"atelier"}
    assert [one["value"] for one in body["facets"]["merchant"]] == ["atelier"]


def test_a_key_has_an_allowance_and_every_answer_says_what_is_left(client, key, settings):
    settings.API_RATES = {**settings.API_RATES, "widget": (2, 3600)}
    first, second, third = (ask(client, key) for _ in range(3))

    assert [one.status_code for one in (first, second, third)] == [200, 200, 429]
    assert [one.headers["RateLimit-Remaining"] for one in (first, second, third)] == ["1", "0", "0"]
    assert third.json()["code"] == "throttled"
    assert 0 < int(third.headers["Retry-After"]) <= 3600
    assert is_open(third)
    assert "RateLimit-Remaining" in third.headers["Access-Control-Expose-Headers"]


def test_one_visitor_can_not_use_up_a_shops_allowance(client, key, settings):
    settings.API_RATES = {**settings.API_RATES, "widget_visitor": (1, 3600)}
    client.defaults["REMOTE_ADDR"] = "93.184.216.34"
    mine = [ask(client, key).status_code for _ in range(2)]
    client.defaults["REMOTE_ADDR"] = "93.184.216.35"
    hers = ask(client, key).status_code

    assert (mine, hers) == ([200, 429], 200)


def test_visitors_behind_the_shops_own_proxy_are_not_taken_for_one(client, key, settings):
    settings.API_RATES = {**settings.API_RATES, "widget_visitor": (1, 3600)}

    assert [ask(client, key).status_code for _ in range(2)] == [200, 200]
