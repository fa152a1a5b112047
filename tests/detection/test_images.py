import contextlib
import io
import struct
import threading
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageDraw

from detection.images import KEEP_SIDE, Photo, decode
from detection.signatures import plan_jpeg, sniff
from shop_search.errors import InputError

ORANGE = (230, 120, 20)
SKY = (60, 130, 220)


def halves(size: tuple[int, int] = (120, 80), mode: str = "RGB") -> Image.Image:
    """Orange on the left, sky on the right: a turned or inverted decode shows."""
    image = Image.new("RGB", size, SKY)
    ImageDraw.Draw(image).rectangle((0, 0, size[0] // 2 - 1, size[1]), fill=ORANGE)
    return image.convert(mode)


def encoded(image: Image.Image, format: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, format, **options)
    return stream.getvalue()


def heic(image: Image.Image) -> bytes:
    import pillow_heif

    stream = io.BytesIO()
    pillow_heif.from_pillow(image).save(stream, quality=90)
    return stream.getvalue()


def pixel(photo: Photo, x: float, y: float) -> tuple[int, ...]:
    """The color at a place given as shares of width and height."""
    color = photo.image.getpixel((int(x * photo.image.width), int(y * photo.image.height)))
    assert isinstance(color, tuple)
    return color


def assert_near(color: tuple[int, ...], expected: tuple[int, ...], tolerance: int = 25) -> None:
    assert all(abs(a - b) <= tolerance for a, b in zip(color, expected, strict=True)), (color, expected)


def code_of(data: bytes, **limits: int) -> str:
    with pytest.raises(InputError) as caught:
        decode(data, **limits)
    assert caught.value.message.endswith(".")
    return caught.value.code


READABLE: dict[str, Callable[[], bytes]] = {
    "JPEG": lambda: encoded(halves(), "JPEG", quality=95),
    "progressive JPEG": lambda: encoded(halves(), "JPEG", quality=95, progressive=True),
    "CMYK JPEG": lambda: encoded(halves(mode="CMYK"), "JPEG", quality=95),
    "PNG": lambda: encoded(halves(), "PNG"),
    "PNG with a palette": lambda: encoded(halves(mode="P"), "PNG"),
    "PNG with alpha": lambda: encoded(halves(mode="RGBA"), "PNG"),
    "WebP": lambda: encoded(halves(), "WEBP", quality=95),
    "lossless WebP": lambda: encoded(halves(), "WEBP", lossless=True),
    "GIF": lambda: encoded(halves(), "GIF"),
    "animated GIF": lambda: encoded(halves(), "GIF", save_all=True, append_images=[Image.new("RGB", (120, 80))]),
    "animated WebP": lambda: encoded(halves(), "WEBP", save_all=True, append_images=[Image.new("RGB", (120, 80))]),
    "animated PNG": lambda: encoded(halves(), "PNG", save_all=True, append_images=[Image.new("RGB", (120, 80))]),
    "BMP": lambda: encoded(halves(), "BMP"),
    "TIFF": lambda: encoded(halves(), "TIFF"),
    "CMYK TIFF": lambda: encoded(halves(mode="CMYK"), "TIFF", compression="tiff_lzw"),
    "AVIF": lambda: encoded(halves(), "AVIF", quality=90),
    "HEIC": lambda: heic(halves()),
}


@pytest.mark.parametrize("kind", READABLE)
def test_every_common_kind_of_picture_keeps_its_colors(kind: str) -> None:
    photo = decode(READABLE[kind]())
    assert (photo.image.mode, photo.image.size, photo.width, photo.height) == ("RGB", (120, 80), 120, 80)
    assert_near(pixel(photo, 0.2, 0.5), ORANGE, 45)
    assert_near(pixel(photo, 0.8, 0.5), SKY, 45)


def adobe_cmyk_jpeg() -> bytes:
    """As Photoshop writes it: inks inverted, and an Adobe marker to say so."""
    inverted = Image.fromarray(255 - np.asarray(halves(mode="CMYK")), mode="CMYK")
    plain = encoded(inverted, "JPEG", quality=95)
    marker = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00"
    return plain if b"Adobe" in plain else plain[:2] + marker + plain[2:]


def test_the_inverted_inks_of_an_adobe_cmyk_jpeg_are_turned_back() -> None:
    ours = encoded(halves(mode="CMYK"), "JPEG", quality=95)
    data = ours if b"Adobe" in ours else adobe_cmyk_jpeg()
    photo = decode(data)
    assert b"Adobe" in data
    assert_near(pixel(photo, 0.2, 0.5), ORANGE, 45)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_a_photo_is_turned_upright_whatever_its_exif_orientation(format: str, orientation: int) -> None:
    upright = halves((160, 96))
    # What a camera held that way stores: the inverse of what a viewer does.
    stored = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    photo = decode(encoded(upright.transpose(stored) if stored is not None else upright, format, exif=exif))
    assert (photo.width, photo.height, photo.image.size) == (160, 96, (160, 96))
    assert_near(pixel(photo, 0.2, 0.5), ORANGE, 45)
    assert_near(pixel(photo, 0.8, 0.5), SKY, 45)


def test_an_iphone_photo_held_upright_is_turned_once() -> None:
    import pillow_heif

    exif = Image.Exif()
    exif[0x0112] = 6
    stored = halves((160, 96)).transpose(Image.Transpose.ROTATE_90)
    file = pillow_heif.from_pillow(stored)
    stream = io.BytesIO()
    file.save(stream, quality=90, exif=exif.tobytes())
    photo = decode(stream.getvalue())
    assert (photo.width, photo.height) == (160, 96)
    assert_near(pixel(photo, 0.2, 0.5), ORANGE, 45)


def test_rotten_exif_does_not_lose_the_photo() -> None:
    data = encoded(halves(), "JPEG", exif=b"Exif\x00\x00II*\x00\xff\xff\xff\xff\xff\xff")
    assert decode(data).image.size == (120, 80)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_a_large_photo_is_reduced_but_answers_in_its_own_pixels(format: str) -> None:
    photo = decode(encoded(halves((4000, 3000)), format))
    assert (photo.width, photo.height) == (4000, 3000)
    assert KEEP_SIDE <= min(photo.image.size) < 2 * KEEP_SIDE
    assert photo.scale == pytest.approx(photo.image.width / 4000)
    box = (400.0, 300.0, 2000.0, 1500.0)
    assert photo.to_original(photo.to_image(box)) == pytest.approx(box)
    assert photo.to_image((0, 0, 4000, 3000)) == pytest.approx((0, 0, *photo.image.size))


def test_a_large_turned_photo_is_reduced_and_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encoded(halves((3000, 4000)).transpose(Image.Transpose.ROTATE_90), "JPEG", exif=exif)
    photo = decode(data)
    assert (photo.width, photo.height) == (3000, 4000)
    assert photo.image.width < photo.image.height
    assert_near(pixel(photo, 0.2, 0.5), ORANGE)


def test_a_small_photo_keeps_every_pixel() -> None:
    image = Image.effect_noise((200, 300), 80).convert("RGB")
    assert np.array_equal(np.asarray(decode(encoded(image, "PNG")).image), np.asarray(image))


def test_transparent_parts_are_white() -> None:
    image = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    image.paste((200, 0, 0, 255), (0, 0, 32, 64))
    photo = decode(encoded(image, "PNG"))
    assert pixel(photo, 0.25, 0.5) == (200, 0, 0)
    assert pixel(photo, 0.75, 0.5) == (255, 255, 255)


def test_a_transparent_palette_color_is_white() -> None:
    image = Image.new("P", (64, 64), 0)
    image.putpalette([0, 0, 0, 200, 0, 0])
    image.paste(1, (0, 0, 32, 64))
    photo = decode(encoded(image, "PNG", transparency=0))
    assert pixel(photo, 0.25, 0.5) == (200, 0, 0)
    assert pixel(photo, 0.75, 0.5) == (255, 255, 255)


def test_reducing_a_transparent_picture_leaves_no_dark_fringe() -> None:
    image = Image.new("RGBA", (2560, 2560), (0, 0, 0, 0))
    image.paste((255, 255, 255, 255), (0, 0, 1281, 2560))
    assert np.asarray(decode(encoded(image, "PNG")).image).min() == 255


@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_a_16_bit_gray_picture_keeps_its_tones(format: str) -> None:
    ramp = np.tile(np.linspace(0, 65535, 256).astype(np.uint16), (64, 1))
    photo = decode(encoded(Image.fromarray(ramp), format))
    gray = np.asarray(photo.image)[32, :, 0].astype(int)
    assert np.abs(gray - np.arange(256)).max() <= 1


def test_a_16_bit_color_png_keeps_its_colors() -> None:
    rows = b"".join(b"\x00" + struct.pack(">3H", 0xFFFF, 0x8000, 0) * 32 for _ in range(32))
    photo = decode(png(32, 32, depth=16, color=2, rows=rows))
    assert_near(pixel(photo, 0.5, 0.5), (255, 128, 0), 1)


def png(width: int, height: int, *, depth: int = 8, color: int = 2, rows: bytes = b"") -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 1)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "data",
    [
        b"hello, this is not an image",
        b"%PDF-1.7 ...",
        b"8BPS\x00\x01" + bytes(200),
        b"%!PS-Adobe-3.0 EPSF-3.0",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"\x00\x00\x00\x20ftypisom" + bytes(100),
        b"BMW makes cars and bikes, not pictures",
        bytes(1000),
        b"\xff",
    ],
)
def test_what_is_no_picture_is_called_unreadable(data: bytes) -> None:
    assert code_of(data) == "image_unreadable"


def test_a_format_off_the_list_is_not_opened_though_pillow_could() -> None:
    assert code_of(encoded(halves(), "PPM")) == "image_unreadable"
    assert code_of(encoded(halves(), "ICO")) == "image_unreadable"


def test_no_bytes_are_an_empty_image() -> None:
    assert code_of(b"") == "image_empty"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WebP", "GIF", "BMP", "TIFF", "AVIF", "HEIC"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_picture_that_is_cut_off_is_called_truncated(kind: str, share: float) -> None:
    noise = Image.effect_noise((300, 200), 90).convert("RGB")
    format = sniff(READABLE[kind]()) or ""
    whole = heic(noise) if format == "HEIF" else encoded(noise, format)
    assert code_of(whole[: int(len(whole) * share)]) == "image_truncated"


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_damaged_bytes_never_raise_anything_but_an_input_error() -> None:
    random = np.random.default_rng(7)
    for kind, make in READABLE.items():
        good = np.frombuffer(make(), np.uint8)
        for _ in range(25):
            bad = good.copy()
            places = random.integers(12, len(bad), size=max(1, len(bad) // 60))
            bad[places] = random.integers(0, 256, size=len(places))
            with contextlib.suppress(InputError):
                assert decode(bad.tobytes()).image.mode == "RGB", kind


def test_too_many_bytes_are_refused_with_the_limit_in_the_message() -> None:
    with pytest.raises(InputError, match=r"2\.0 MiB; the limit is 1 MiB") as caught:
        decode(b"\xff\xd8\xff" + bytes(2 * 2**20), max_bytes=2**20)
    assert caught.value.code == "image_too_large"


@pytest.mark.parametrize(("width", "height"), [(9000, 9000), (60_000, 60_000), (2**31 - 1, 2**31 - 1)])
def test_a_bomb_is_refused_by_its_header(width: int, height: int) -> None:
    assert code_of(png(width, height)) in ("image_too_large", "image_truncated")


def test_a_png_bomb_of_a_few_kilobytes_is_too_large() -> None:
    assert code_of(png(20_000, 20_000, rows=bytes(10**6))) == "image_too_large"


def test_a_webp_gif_or_tiff_bomb_is_too_large() -> None:
    webp = b"RIFF\x16\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00" + b"\xff\x3f\x00" * 2
    gif = bytearray(encoded(halves(), "GIF"))
    gif[6:10] = struct.pack("<HH", 65535, 65535)
    tiff = bytearray(encoded(halves(), "TIFF"))
    assert code_of(webp) == "image_too_large"
    assert code_of(bytes(gif)) == "image_too_large"
    at = tiff.find(struct.pack("<HHI", 256, 4, 1))
    at = at if at >= 0 else tiff.find(struct.pack("<HHI", 256, 3, 1))
    tiff[at + 8 : at + 12] = struct.pack("<I", 60_000)
    tiff[at + 20 : at + 24] = struct.pack("<I", 60_000)
    assert code_of(bytes(tiff)) == "image_too_large"


def test_60_megapixels_are_read_from_a_jpeg_and_from_a_png() -> None:
    large = Image.new("RGB", (10_000, 6_000), SKY)
    for format in ("JPEG", "PNG"):
        photo = decode(encoded(large, format))
        assert (photo.width, photo.height) == (10_000, 6_000)
        assert_near(pixel(photo, 0.5, 0.5), SKY, 4)


def test_a_large_progressive_jpeg_is_refused_because_it_is_decoded_whole() -> None:
    large = Image.new("L", (8000, 6000))
    assert decode(encoded(large, "JPEG")).width == 8000
    assert code_of(encoded(large, "JPEG", progressive=True)) == "image_too_large"


def test_a_jpeg_of_countless_scans_is_refused_before_it_is_decoded() -> None:
    data = encoded(Image.effect_noise((64, 64), 50), "JPEG", progressive=True)
    start = data.index(b"\xff\xda")
    scan = data[start : data.index(b"\xff", start + 12)]
    assert code_of(data[:-2] + scan * 500 + b"\xff\xd9") == "image_too_large"


def test_a_jpeg_plan_tells_streaming_from_buffered() -> None:
    assert not plan_jpeg(encoded(halves(), "JPEG")).is_buffered
    assert plan_jpeg(encoded(halves(), "JPEG", progressive=True)).is_buffered
    assert plan_jpeg(b"\xff\xd8\xff").scans == 0


@pytest.mark.parametrize("size", [(8, 100), (100, 8), (1, 5000), (15, 15), (20, 5000)])
def test_a_tiny_or_absurdly_narrow_picture_is_too_small(size: tuple[int, int]) -> None:
    assert code_of(encoded(Image.new("RGB", size), "PNG")) == "image_too_small"


@pytest.mark.parametrize("size", [(16, 16), (16, 500), (1080, 20_000)])
def test_a_small_or_a_tall_picture_is_still_read(size: tuple[int, int]) -> None:
    assert decode(encoded(Image.new("RGB", size), "PNG")).width == size[0]


def test_the_first_frame_of_an_animation_is_taken() -> None:
    later = [Image.new("RGB", (120, 80), color) for color in ("black", "white")]
    photo = decode(encoded(halves(), "GIF", save_all=True, append_images=later))
    assert_near(pixel(photo, 0.2, 0.5), ORANGE)


def test_decoding_changes_no_setting_of_pillow() -> None:
    from PIL import ImageFile

    before = (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, dict(Image.OPEN))
    decode(heic(halves()))
    decode(encoded(Image.new("L", (10_000, 10_000)), "JPEG"))
    assert (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, dict(Image.OPEN)) == before


def test_many_threads_decode_at_once() -> None:
    data = [make() for make in READABLE.values()] * 3
    sizes: list[tuple[int, int]] = []
    threads = [threading.Thread(target=lambda d=d: sizes.append(decode(d).image.size)) for d in data]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sizes == [(120, 80)] * len(data)


@pytest.mark.parametrize("kind", READABLE)
def test_the_content_decides_the_format(kind: str) -> None:
    name = "HEIF" if kind == "HEIC" else kind.upper()
    assert (sniff(READABLE[kind]()) or "none") in name
