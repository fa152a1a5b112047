import io
import os

import pytest
from PIL import Image

from catalog.pages.media import THUMB_PX
from catalog.pictures.blocked import forget


@pytest.fixture
def media(db, settings, tmp_path):
    forget()
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.MEDIA_ROOT.mkdir()
    return settings.MEDIA_ROOT


def put(path, size=(900, 600), mode="RGB", **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, 120 if mode == "L" else (200, 30, 30, 128)[: len(mode)]).save(path, **options)
    return path


def opened(response):
    return Image.open(io.BytesIO(b"".join(response.streaming_content)))


def test_a_product_picture_may_be_kept_for_good(media, client):
    put(media / "products" / "ab.jpg")

    response = client.get("/media/products/ab.jpg")

    assert response["Content-Type"] == "image/jpeg"
    assert response["Cache-Control"] == "public, max-age=31536000, immutable"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response["Content-Security-Policy"]
    assert opened(response).size == (900, 600)


def test_a_sample_may_be_drawn_anew_and_is_kept_for_an_hour(media, client):
    put(media / "samples" / "scene.jpg")

    assert client.get("/media/samples/scene.jpg")["Cache-Control"] == "public, max-age=3600"


def test_a_picture_that_has_not_changed_is_not_sent_again(media, client):
    put(media / "products" / "ab.jpg")
    since = client.get("/media/products/ab.jpg")["Last-Modified"]

    assert client.get("/media/products/ab.jpg", headers={"If-Modified-Since": since}).status_code == 304


def test_a_thumbnail_is_a_small_webp_of_the_same_shape(media, client):
    put(media / "products" / "ab.jpg")

    response = client.get(f"/media/products/ab.jpg?w={THUMB_PX}")

    assert response["Content-Type"] == "image/webp"
    assert opened(response).size == (480, 320)


def test_a_thumbnail_is_made_once_and_anew_when_the_picture_changes(media, client):
    original = put(media / "samples" / "scene.jpg")
    opened(client.get("/media/samples/scene.jpg?w=480"))
    thumb = media / "thumbs" / "480" / "samples" / "scene.jpg.webp"
    made = thumb.stat().st_mtime_ns

    opened(client.get("/media/samples/scene.jpg?w=480"))
    assert thumb.stat().st_mtime_ns == made

    put(original, size=(600, 900))
    os.utime(original, (thumb.stat().st_mtime + 5,) * 2)
    assert opened(client.get("/media/samples/scene.jpg?w=480")).size == (320, 480)


def test_a_small_picture_is_its_own_thumbnail(media, client):
    put(media / "products" / "ab.png", size=(300, 200))

    response = client.get("/media/products/ab.png?w=480")

    assert response["Content-Type"] == "image/png"
    assert not (media / "thumbs").exists()


def test_a_thumbnail_is_upright_and_keeps_its_transparency(media, client):
    turned = Image.Exif()
    turned[0x0112] = 6
    put(media / "products" / "turned.jpg", exif=turned)
    put(media / "products" / "clear.png", mode="RGBA")

    assert opened(client.get("/media/products/turned.jpg?w=480")).size == (320, 480)
    assert opened(client.get("/media/products/clear.png?w=480")).mode == "RGBA"


def test_other_widths_are_not_made(media, client):
    put(media / "products" / "ab.jpg")

    assert opened(client.get("/media/products/ab.jpg?w=7")).size == (900, 600)


def test_a_picture_that_can_not_be_read_is_sent_as_it_is(media, client):
    (media / "products").mkdir()
    (media / "products" / "ab.jpg").write_bytes(b"not a picture")

    response = client.get("/media/products/ab.jpg?w=480")

    assert b"".join(response.streaming_content) == b"not a picture"


@pytest.mark.parametrize("name", ["../secret.jpg", "..%2Fsecret.jpg", "%2e%2e/secret.jpg", "products/../../secret.jpg"])
def test_nothing_outside_the_media_folder_is_served(media, client, name):
    put(media.parent / "secret.jpg")

    assert client.get(f"/media/{name}").status_code == 404


@pytest.mark.parametrize("name", ["feed.csv", "page.html", "drawing.svg", "products", "", "no\0name.jpg"])
def test_only_pictures_are_served(media, client, name):
    (media / "products").mkdir()
    for file in ("feed.csv", "page.html", "drawing.svg"):
        (media / file).write_text("<script>")

    assert client.get(f"/media/{name}").status_code == 404


def test_the_icon_that_browsers_ask_for_is_there(client):
    assert client.get("/favicon.ico")["Location"].endswith("favicon.svg")
