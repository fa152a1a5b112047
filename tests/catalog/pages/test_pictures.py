import io

import pytest
from PIL import Image

from catalog.pages import pictures
from shop_search.errors import InputError
from tests.fakes import picture


@pytest.fixture
def web(monkeypatch):
    """Gives the page one picture of the web, or an error."""

    def put(result):
        def fetch(url, **limits):
            if isinstance(result, InputError):
                raise result
            return result

        monkeypatch.setattr(pictures, "fetch_image", fetch)

    return put


def test_a_picture_of_the_web_comes_back_as_a_jpeg_of_our_own(db, client, web):
    image = Image.new("RGB", (4000, 2000), "red")
    exif = Image.Exif()
    exif[0x8825] = {1: "N"}
    stream = io.BytesIO()
    image.save(stream, "JPEG", exif=exif)
    web(stream.getvalue())

    response = client.post("/picture", {"url": "https://shop.example/a.jpg"})
    ours = Image.open(io.BytesIO(response.content))

    assert response["Content-Type"] == "image/jpeg"
    assert max(ours.size) <= pictures.LONGEST_PX
    assert not ours.getexif()
    assert response["Cache-Control"] == "no-store"


@pytest.mark.parametrize("error", ["image_url_forbidden", "image_url_unreachable", "image_url_timeout"])
def test_a_picture_that_can_not_be_had_is_answered_with_the_reason(db, client, web, error):
    web(InputError(error, "Save the picture and send the file."))

    response = client.post("/picture", {"url": "http://127.0.0.1/a.jpg"})

    assert response.status_code == 422
    assert response.json() == {"code": error, "message": "Save the picture and send the file."}


def test_what_only_claims_to_be_a_picture_is_refused(db, client, web):
    web(b"<script>alert(1)</script>")

    assert client.post("/picture", {"url": "https://shop.example/a.jpg"}).json()["code"] == "image_unreadable"


def test_our_own_machine_is_never_asked(db, client):
    assert client.post("/picture", {"url": "http://127.0.0.1:22/"}).json()["code"] == "image_url_forbidden"


def test_other_sites_can_not_make_us_fetch(db, settings):
    from django.test import Client

    assert Client(enforce_csrf_checks=True).post("/picture", {"url": "https://a.example/"}).status_code == 403


def test_a_picture_is_only_fetched_on_demand(db, client):
    assert client.get("/picture").status_code == 405


def test_a_small_picture_keeps_its_size(db, client, web):
    web(picture(1))

    ours = Image.open(io.BytesIO(client.post("/picture", {"url": "https://a.example/a.png"}).content))

    assert ours.size == Image.open(io.BytesIO(picture(1))).size
