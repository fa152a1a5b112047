import re
import uuid
from pathlib import Path
from typing import cast

import pytest
from django.contrib.staticfiles import finders
from django.core.files.uploadedfile import SimpleUploadedFile

from catalog.models import SearchRecord
from catalog.pages.modules import MODULES
from embeddings import vector_store
from tests.fakes import MemoryStore, picture


def photo(seed: int) -> SimpleUploadedFile:
    return SimpleUploadedFile("photo.png", picture(seed))


def titles(response) -> list[str]:
    # The last card is the empty one that scripts copy.
    page = response.content.decode().split('id="grid"')[1]
    return re.findall(r'data-part="title"[^>]*>([^<]+)<', page)


def test_the_start_page_asks_for_a_photo(shelf, client):
    response = client.get("/")

    assert response.status_code == 200
    assert b'name="image"' in response.content
    assert b'id="samples"' not in response.content


def test_a_photo_sent_by_the_plain_form_leads_to_its_answer(shelf, client):
    shelf.put("S-1", 1)
    shelf.put("S-2", 2)

    response = client.post("/", {"image": photo(2)}, follow=True)

    (record,) = SearchRecord.objects.all()
    assert response.redirect_chain == [(f"/s/{record.pk}", 302)]
    assert "S-2" in titles(response)[0]


def test_the_plain_form_can_name_a_category(shelf, client):
    shelf.put("S-1", 1)
    shelf.put("B-1", 2, category="bags")

    response = client.post("/", {"image": photo(1), "category": "bags"}, follow=True)

    assert response.context["answer"]["selected"]["category"]["source"] == "user"
    assert [card.title for card in response.context["cards"]] == titles(response)


def test_a_sample_is_searched_by_its_name(shelf, client, settings):
    shelf.put("S-1", 1)
    (settings.MEDIA_ROOT / "samples").mkdir()
    (settings.MEDIA_ROOT / "samples" / "red-coat_2.jpg").write_bytes(picture(1, format="JPEG"))

    start = client.get("/").content.decode()
    response = client.post("/", {"sample": "red-coat_2.jpg"}, follow=True)

    assert 'alt="Red coat 2"' in start
    assert "S-1" in titles(response)[0]


@pytest.mark.parametrize("name", ["../secret.jpg", "other.jpg", ""])
def test_a_name_that_is_no_sample_is_no_photo(shelf, client, settings, name):
    (settings.MEDIA_ROOT / "samples").mkdir()
    (settings.MEDIA_ROOT / "secret.jpg").write_bytes(picture(1))

    assert client.post("/", {"sample": name}).status_code == 400


def test_a_file_that_is_no_picture_is_answered_in_words(shelf, client):
    response = client.post("/", {"image": SimpleUploadedFile("a.jpg", b"not a picture")})

    assert response.status_code == 400
    assert b"This is not an image that can be read" in response.content


def test_a_file_that_is_too_large_is_answered_in_words(shelf, client, settings):
    settings.SEARCH_MAX_IMAGE_BYTES = 2**20

    response = client.post("/", {"image": SimpleUploadedFile("a.jpg", b"x" * (2**20 + 7))})

    assert response.status_code == 400
    assert b"larger than 1 MiB" in response.content


def test_a_store_that_is_down_is_our_fault_and_said_so(shelf, client):
    cast(MemoryStore, vector_store()).failing = True

    response = client.post("/", {"image": photo(1)})

    assert response.status_code == 503
    assert b"Something went wrong on our side" in response.content


def test_a_shared_link_shows_the_answer_without_scripts(shelf, client):
    product = shelf.put("S-1", 1)
    answer = client.post("/api/v1/search/", {"image": photo(1)}).json()

    page = client.get(f"/s/{answer['id']}").content.decode()

    assert f'href="/p/{product.pk}/"' in page
    plan = page.split('id="stage-plan"')[1].split("</svg>")[0]
    assert plan.count("<rect") == len(answer["regions"]) == 1
    assert "Only the person who searched has the photo" in page


def test_a_shared_link_says_when_nothing_is_close(shelf, client, settings):
    shelf.put("S-1", 1)
    settings.BAND_THRESHOLDS = {"same_photo": 2.0, "same_product": 2.0, "similar": 2.0}
    answer = client.post("/api/v1/search/", {"image": photo(1)}).json()

    assert "Nothing here is close to that" in client.get(f"/s/{answer['id']}").content.decode()


def test_a_link_to_no_search_offers_a_new_one(shelf, client):
    response = client.get(f"/s/{uuid.uuid4()}")

    assert response.status_code == 404
    assert b"This link leads nowhere" in response.content
    assert b'name="image"' in response.content


def test_an_answer_to_words_is_shown_without_a_place_for_a_photo(shelf, client):
    shelf.put("S-1", 1)
    answer = client.post("/api/v1/search/", {"q": "shoes"}).json()

    page = client.get(f"/s/{answer['id']}").content.decode()

    assert "work is-photoless" in page
    assert "Product S-1" in page


def test_the_page_fetches_all_its_modules_at_once(db, client):
    scripts = Path(str(finders.find("catalog/js/search.js"))).parent
    imported: set[str] = set()
    queue = ["search"]
    while queue:
        found = re.findall(r'from "\./(\w+)\.js"', (scripts / f"{queue.pop()}.js").read_text())
        queue += set(found) - imported
        imported |= set(found)

    assert set(MODULES) == imported
    assert client.get("/").content.count(b"modulepreload") == len(imported)


def test_only_categories_with_something_for_sale_are_offered(shelf, client):
    shelf.put("S-1", 1)
    gone = shelf.put("B-1", 2, category="bags")
    gone.delete()

    assert list(client.get("/").context["categories"]) == ["shoes"]


def test_titles_can_not_bring_markup_into_the_page(shelf, client):
    shelf.put("S-1", 1, title="</script><script>alert(1)</script>")
    answer = client.post("/api/v1/search/", {"image": photo(1)}).json()

    assert b"<script>alert" not in client.get(f"/s/{answer['id']}").content


@pytest.mark.parametrize("path", ["/", "/s/{search}", "/p/{product}/"])
def test_every_page_allows_our_own_scripts_and_styles_only(shelf, client, path):
    product = shelf.put("S-1", 1)
    search = client.post("/api/v1/search/", {"image": photo(1)}).json()["id"]

    response = client.get(path.format(search=search, product=product.pk))
    page = response.content.decode()

    policy = dict(part.split(" ", 1) for part in response["Content-Security-Policy"].split("; "))
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["default-src"] == "'none'"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Frame-Options"] == "DENY"
    assert not re.search(r"\sstyle=|\son\w+=|<style|javascript:", page)
    scripts = re.findall(r"<script([^>]*)>", page)
    assert scripts
    assert all("src=" in script or 'type="application/json"' in script for script in scripts)


def test_pictures_may_come_from_where_the_shop_keeps_them(shelf, client, settings):
    settings.MEDIA_URL = "https://pictures.example/shop/"

    assert "img-src 'self' blob: https://pictures.example;" in client.get("/")["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("days", "promise"), [(0, "looked at once and never kept"), (1, "for 1 day."), (30, "30 days")]
)
def test_every_page_says_what_becomes_of_the_photo(db, client, settings, days, promise):
    settings.SEARCH_CROP_RETENTION_DAYS = days

    assert promise in client.get("/").content.decode()
    assert promise in client.get("/nowhere").content.decode()
