"""What shoppers send, through the whole API with the bundled detector and encoder: an answer or a clear error."""

import io
import struct
import zlib

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from fixtures.scenes import draw_scene


@pytest.fixture
def ask(db, settings, client):
    """Posts the bytes as a photo and returns the response. The catalog is empty: only the picture is at stake."""
    settings.VECTOR_STORE = {"BACKEND": "tests.fakes.MemoryStore"}

    def post(data: bytes, name: str = "photo.jpg"):
        return client.post("/api/v1/search/", {"image": SimpleUploadedFile(name, data)})

    return post


@pytest.fixture(scope="module")
def scene() -> Image.Image:
    return draw_scene(900_001, size=(480, 640)).image


def encoded(image: Image.Image, format: str, **options) -> bytes:
    stream = io.BytesIO()
    image.save(stream, format, **options)
    return stream.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_of(width: int, height: int) -> bytes:
    """Returns a small valid PNG that unpacks to width x height gray pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compressobj(9)
    packed = b"".join(rows.compress(bytes(width + 1)) for _ in range(height)) + rows.flush()
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("name", "data", "status", "code"),
    [
        ("photo.jpg", b"", 422, "image_empty"),
        ("photo.jpg", b"<html>not a picture</html>", 415, "image_unreadable"),
        ("photo.jpg", b"%PDF-1.7 a document", 415, "image_unreadable"),
        ("photo.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "image_unreadable"),
        ("photo.png", (20_000, 20_000), 413, "image_too_large"),
        ("photo.png", (4, 4), 422, "image_too_small"),
        ("photo.png", (2000, 17), 422, "image_too_small"),
    ],
    ids=["no bytes", "a web page", "a document", "a drawing", "a bomb", "an icon", "a line"],
)
def test_what_is_no_photo_gets_a_clear_error(ask, name, data, status, code):
    response = ask(data if isinstance(data, bytes) else png_of(*data), name)

    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response.json()["message"]


def test_a_photo_that_was_cut_off_gets_a_clear_error(ask, scene):
    data = encoded(scene, "JPEG")

    response = ask(data[: len(data) // 3])

    assert (response.status_code, response.json()["code"]) == (422, "image_truncated")


@pytest.mark.parametrize(
    ("format", "options"),
    [
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("PNG", {}),
        ("WEBP", {}),
        ("GIF", {}),
        ("BMP", {}),
        ("TIFF", {}),
        ("AVIF", {}),
        ("HEIF", {}),
    ],
)
def test_every_format_of_a_camera_is_read(ask, scene, format, options):
    from pillow_heif import register_heif_opener

    register_heif_opener()  # to write one; reading is the product's own

    response = ask(encoded(scene, format, **options), "photo.of-any-name")

    assert response.status_code == 200
    assert response.json()["image"] == {"width": 480, "height": 640}
    assert response.json()["regions"]


def test_a_wrong_extension_does_not_matter(ask, scene):
    assert ask(encoded(scene, "PNG"), "photo.jpg").status_code == 200


@pytest.mark.parametrize("mode", ["CMYK", "L", "P", "RGBA", "1", "I;16"])
def test_every_kind_of_color_is_read(ask, scene, mode):
    gray = mode == "I;16"
    image = scene.convert("L").convert("I").point(lambda value: value * 257).convert(mode) if gray else None
    image = image or scene.convert(mode)

    response = ask(encoded(image, "JPEG" if mode == "CMYK" else "PNG"))

    assert response.status_code == 200


def test_of_an_animation_the_first_picture_is_taken(ask, scene):
    blank = Image.new("RGB", scene.size, "white")

    response = ask(encoded(scene, "GIF", save_all=True, append_images=[blank, blank]))

    assert response.status_code == 200
    assert response.json()["regions"]


def test_a_photo_held_sideways_is_turned_upright(ask, scene):
    sideways = scene.transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6  # turn clockwise to see it upright

    upright, turned = ask(encoded(scene, "JPEG")).json(), ask(encoded(sideways, "JPEG", exif=exif)).json()

    assert turned["image"] == upright["image"] == {"width": 480, "height": 640}
    assert [one["category"] for one in turned["regions"]] == [one["category"] for one in upright["regions"]]


def test_sixty_megapixels_are_answered_in_their_own_coordinates(ask, scene):
    response = ask(encoded(scene.resize((6700, 9000)), "JPEG", quality=30))

    body = response.json()
    assert response.status_code == 200
    assert body["image"] == {"width": 6700, "height": 9000}
    assert max(region["box"][3] for region in body["regions"]) > 2000
