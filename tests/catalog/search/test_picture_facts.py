import io
import struct

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from catalog.models import Category, Merchant, Product, SearchRecord
from catalog.search.answers import as_json as answer_as_json
from catalog.search.answers import recall, record
from catalog.search.picture_facts import MAX_CREDIT, as_json, credit_of, facts_of
from catalog.search.questions import Question
from catalog.search.search import search
from detection.images import decode
from embeddings.color import ColorShare, dominant_colors

XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description {attributes}>{elements}</rdf:Description>'
    "</rdf:RDF></x:xmpmeta>"
)


def jpeg(**options: object) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (64, 48), (200, 30, 30)).save(stream, "JPEG", **options)
    return stream.getvalue()


def with_segment(data: bytes, marker: int, payload: bytes) -> bytes:
    """Returns the JPEG with one more application segment at its beginning."""
    return data[:2] + bytes([0xFF, marker]) + struct.pack(">H", len(payload) + 2) + payload + data[2:]


def with_iptc(**datasets: bytes) -> bytes:
    numbers = {"byline": 80, "credit": 110, "copyright": 116, "city": 90}
    block = b"".join(struct.pack(">BBBH", 0x1C, 2, numbers[name], len(text)) + text for name, text in datasets.items())
    resource = b"8BIM" + struct.pack(">H", 0x0404) + b"\0\0" + struct.pack(">I", len(block)) + block
    return with_segment(jpeg(), 0xED, b"Photoshop 3.0\0" + resource + b"\0" * (len(block) % 2))


def with_exif(**tags: object) -> bytes:
    exif = Image.Exif()
    exif[0x013B] = tags.get("artist", "")
    exif[0x8298] = tags.get("copyright", "")
    exif[0x0110] = "Secret Phone 12"
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)
    return jpeg(exif=exif)


def with_xmp(attributes: str = "", elements: str = "") -> bytes:
    return jpeg(xmp=XMP.format(attributes=attributes, elements=elements).encode())


@pytest.mark.parametrize(
    ("data", "credit"),
    [
        (with_iptc(byline=b"Ada Byline", copyright=b"(c) Studio"), "Ada Byline"),
        (with_iptc(city=b"Lisbon", copyright="© Étude".encode()), "© Étude"),
        (with_iptc(byline=b"Jos\xe9"), "José"),
        (with_exif(artist="Mara Lens"), "Mara Lens"),
        (with_exif(copyright="Studio Nord 2024"), "Studio Nord 2024"),
        (
            with_xmp(elements="<dc:creator><rdf:Seq><rdf:li>Iris &amp; Co</rdf:li></rdf:Seq></dc:creator>"),
            "Iris & Co",
        ),
        (
            with_xmp(elements="<dc:creator><rdf:Seq><rdf:li>A</rdf:li><rdf:li>B</rdf:li></rdf:Seq></dc:creator>"),
            "A, B",
        ),
        (with_xmp(attributes='photoshop:Credit="Agency"'), "Agency"),
        (with_xmp(elements='<dc:rights><rdf:Alt><rdf:li a="b">(c) Me</rdf:li></rdf:Alt></dc:rights>'), "(c) Me"),
    ],
)  # fmt: skip
def test_the_credit_is_read_from_iptc_xmp_or_exif(data, credit):
    assert credit_of(data) == credit


@pytest.mark.parametrize("format", ["PNG", "WEBP", "AVIF"])
def test_other_formats_carry_credits_too(format):
    exif = Image.Exif()
    exif[0x013B] = "Mara Lens"
    stream = io.BytesIO()
    Image.new("RGB", (64, 48)).save(stream, format, exif=exif)

    assert credit_of(stream.getvalue()) == "Mara Lens"


def test_a_png_carries_xmp():
    info = PngInfo()
    info.add_itxt("XML:com.adobe.xmp", XMP.format(attributes='photoshop:Credit="Agency"', elements=""))
    stream = io.BytesIO()
    Image.new("RGB", (64, 48)).save(stream, "PNG", pnginfo=info)

    assert credit_of(stream.getvalue()) == "Agency"


@pytest.mark.parametrize("text", ["", "   ", "\0\0\0", "Unknown", "OLYMPUS DIGITAL CAMERA", "---"])
def test_what_a_camera_writes_for_nobody_is_no_credit(text):
    assert credit_of(with_exif(artist=text)) is None


def test_a_long_or_dirty_credit_is_cut_and_cleaned():
    credit = credit_of(with_iptc(byline=b"Ada\0\x07\n<b>" + b"x" * 5000))

    assert credit is not None
    assert credit.startswith("Ada <b>x")
    assert len(credit) == MAX_CREDIT


def test_an_entity_bomb_is_text_like_any_other():
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' + XMP.format(
        attributes="", elements="<dc:creator><rdf:li>&b;</rdf:li></dc:creator>"
    )

    assert credit_of(jpeg(xmp=bomb.encode())) == "&b;"


def test_many_openings_without_an_end_are_read_in_no_time():
    assert credit_of(jpeg(xmp=b"<dc:creator" * 5000)) is None


def test_rotten_metadata_says_nothing():
    random = np.random.default_rng(3)
    whole = [with_iptc(byline=b"Ada"), with_exif(artist="Ada"), with_xmp(attributes='photoshop:Credit="Ada"')]
    for data in whole:
        for _ in range(200):
            rotten = bytearray(data)
            for at in random.integers(2, 400, 6):
                rotten[at % len(rotten)] = int(random.integers(256))
            credit = credit_of(bytes(rotten))
            assert credit is None or len(credit) <= MAX_CREDIT
    assert credit_of(b"") is None
    assert credit_of(b"no picture") is None


def product(brand: str = "", merchant: str = "Atelier") -> Product:
    return Product(
        brand=brand, merchant=Merchant(slug=merchant.lower(), name=merchant), category=Category(slug="shoes")
    )


RED = (ColorShare("red", (50.0, 60.0, 40.0), 1.0),)


def test_facts_tell_size_format_and_colors_and_nothing_of_where_and_with_what():
    data = with_exif(artist="Mara Lens")
    photo = decode(data)

    document = as_json(facts_of(data, photo, dominant_colors(photo.image)))

    assert (document["width"], document["height"], document["format"]) == (64, 48, "JPEG")
    ((color),) = document["colors"]
    assert (color["name"], color["share"]) == ("red", 1.0)
    assert np.abs(np.array(list(bytes.fromhex(color["hex"][1:]))) - (200, 30, 30)).max() <= 6
    assert document["credit"] == "Mara Lens"
    assert set(document) == {"width", "height", "format", "colors", "credit", "brand", "seller"}
    assert "Secret" not in str(document)


@pytest.mark.parametrize(
    ("copied", "close", "brand", "seller"),
    [
        ([], [], None, None),
        ([product("Linden")], [], "Linden", "Atelier"),
        ([product("Linden", "A"), product("LINDEN", "B")], [], "Linden", None),
        ([], [product("Linden")], None, None),
        ([], [product("Linden"), product("linden", "B"), product("Oak", "C")], "Linden", None),
        ([], [product("Linden"), product("Oak", "Atelier")], None, "Atelier"),
        ([product("", "Copier")], [product("Linden"), product("Linden")], "Linden", "Copier"),
    ],
)
def test_brand_and_seller_are_what_copies_or_the_best_results_agree_on(copied, close, brand, seller):
    data = jpeg()
    facts = facts_of(data, decode(data), RED, copied=copied, close=close)

    assert (facts.brand, facts.seller) == (brand, seller)


def test_neither_answer_nor_record_has_where_and_with_what_a_photo_was_taken(shelf):
    shelf.put("S-1", 1)
    answer = search(Question(image=with_exif(artist="Mara Lens")))
    record(answer)

    for told in (answer_as_json(answer), recall(answer.id), SearchRecord.objects.get(pk=answer.id).answer):
        assert told["facts"]["credit"] == "Mara Lens"
        assert "Secret" not in str(told)
        assert "52.0" not in str(told["facts"])
