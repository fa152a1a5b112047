"""What is known of a photo beside what it shows: size, format, colors, whom to credit, probable brand and seller.

Of all that a camera writes into a file, only the credit is read: creator, credit line or copyright notice, from IPTC,
XMP or EXIF. Where and when a photo was taken, and with what, is neither read, kept nor shown.
"""

import html
import re
import struct
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from catalog.models import Product
from detection.images import Photo, header
from embeddings.color import ColorShare
from embeddings.color_names import nearest_names
from embeddings.lab import to_rgb
from shop_search.errors import InputError

MAX_CREDIT = 120  # characters
_MAX_BLOCK = 256 * 1024  # bytes of one metadata block that are looked at; in a JPEG none is longer than 64 KiB
_NEAR = 2000  # characters after an XMP name within which its value must stand
_MOST_DATASETS = 200  # of IPTC
_MOST_RESULTS = 5  # that brand and seller are read from
_AGREE = 0.6  # share of them that must say the same, and at least two

_ARTIST, _COPYRIGHT = 0x013B, 0x8298  # EXIF tags
_IPTC = 0x0404  # Photoshop's image resource that holds IPTC-IIM
_BYLINE, _CREDIT, _COPYRIGHT_NOTICE = 80, 110, 116  # datasets of IPTC's record 2
_XMP_NAMES = ("dc:creator", "photoshop:Credit", "dc:rights")
# What cameras and programs write when nobody told them a name.
_NOBODY = re.compile(
    r"(unknown|none|n/?a|artist|author|copyright|picasa|default|olympus digital camera|\W*)", re.IGNORECASE
)

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class PictureFacts:
    """All that is known of a photo. Width and height are the upright original's."""

    width: int
    height: int
    format: str
    colors: tuple[ColorShare, ...]
    credit: str | None
    brand: str | None
    seller: str | None


def facts_of(
    data: bytes,
    photo: Photo,
    colors: Sequence[ColorShare],
    *,
    copied: Sequence[Product] = (),
    close: Sequence[Product] = (),
) -> PictureFacts:
    """Returns the facts of a photo by its bytes as sent.

    `colors` are those of the part that was searched with; `copied` products have this very picture, `close` ones are
    the best results that score like the same product, best first.
    """
    return PictureFacts(
        width=photo.width,
        height=photo.height,
        format=photo.format,
        colors=tuple(colors),
        credit=credit_of(data),
        brand=_agreed(copied, close, lambda product: product.brand.strip()),
        seller=_agreed(copied, close, lambda product: product.merchant.name),
    )


def as_json(facts: PictureFacts) -> Json:
    """Returns the facts as the API shows them."""
    return {
        "width": facts.width,
        "height": facts.height,
        "format": facts.format,
        "colors": [
            {"name": color.name, "hex": hex_of(color), "share": round(color.share, 3)} for color in facts.colors
        ],
        "credit": facts.credit,
        "brand": facts.brand,
        "seller": facts.seller,
    }


def hex_of(color: ColorShare) -> str:
    """Returns the color as "#rrggbb"."""
    red, green, blue = to_rgb(np.array([color.lab]))[0]
    return f"#{red:02x}{green:02x}{blue:02x}"


def _agreed(copied: Sequence[Product], close: Sequence[Product], read: Callable[[Product], str]) -> str | None:
    """Returns what most copies say; without copies, what most of the best results say, two of them at least."""
    for products, least in ((copied, 1), (close[:_MOST_RESULTS], 2)):
        said = [word for product in products if (word := read(product))]
        if not said:
            continue
        # Counted whatever the case, shown as the first says it.
        folded, count = Counter(word.casefold() for word in said).most_common(1)[0]
        if count >= max(least, _AGREE * len(products)):
            return next(word for word in said if word.casefold() == folded)
    return None


def colors_of(palette: Iterable[Sequence[float]]) -> tuple[ColorShare, ...]:
    """Returns the colors of a palette (L, a, b and share of each) with their names."""
    rows = [tuple(row) for row in palette]
    names = nearest_names(np.array([row[:3] for row in rows])) if rows else []
    return tuple(
        ColorShare(name, (lightness, a, b), share) for name, (lightness, a, b, share) in zip(names, rows, strict=True)
    )


def credit_of(data: bytes) -> str | None:
    """Returns the creator or, failing that, the credit line or copyright notice in a picture's metadata, or None.

    Never raises: rotten metadata says nothing.
    """
    try:
        info = header(data).info
    except InputError:
        return None
    found = [*_iptc_credits(info), *_xmp_credits(info), *_exif_credits(info)]
    return next((text for said in found if (text := _clean(said)) is not None), None)


def _clean(text: str) -> str | None:
    printable = "".join(character if character.isprintable() else " " for character in text[: 10 * MAX_CREDIT])
    words = " ".join(printable.split())
    if not words or _NOBODY.fullmatch(words):
        return None
    return words if len(words) <= MAX_CREDIT else words[: MAX_CREDIT - 1].rstrip() + "…"


def _iptc_credits(info: dict[Any, Any]) -> Iterator[str]:
    """Yields by-line, credit and copyright notice of the IPTC-IIM block in a JPEG or TIFF."""
    resources = info.get("photoshop")
    block = resources.get(_IPTC) if isinstance(resources, dict) else None
    if not isinstance(block, bytes):
        return
    said = dict(_datasets(block[:_MAX_BLOCK]))
    for number in (_BYLINE, _CREDIT, _COPYRIGHT_NOTICE):
        if number in said:
            yield _decoded(said[number])


def _datasets(block: bytes) -> Iterator[tuple[int, bytes]]:
    """Yields number and value of the datasets of record 2, as far as the block can be read."""
    at = 0
    for _ in range(_MOST_DATASETS):
        if at + 5 > len(block):
            return
        marker, record, number, size = struct.unpack_from(">BBBH", block, at)
        if marker != 0x1C or size > 0x7FFF:  # an extended dataset is longer than any name
            return
        if record == 2:
            yield number, block[at + 5 : at + 5 + size]
        at += 5 + size


def _xmp_credits(info: dict[Any, Any]) -> Iterator[str]:
    """Yields creator, credit and rights of an XMP packet. It is searched, not parsed: no entity is ever expanded."""
    packet = info.get("xmp") or info.get("XML:com.adobe.xmp")
    if isinstance(packet, bytes):
        packet = packet[:_MAX_BLOCK].decode("utf-8", errors="replace")
    if not isinstance(packet, str):
        return
    packet = packet[:_MAX_BLOCK]
    for name in _XMP_NAMES:
        at = packet.find(name)
        if at < 0:
            continue
        near = packet[at + len(name) : at + len(name) + _NEAR]
        attribute = re.match(r"""\s*=\s*(["'])([^<"']*)\1""", near)
        if attribute:
            yield html.unescape(attribute[2])
            continue
        element = near.split(f"</{name}", 1)[0]
        texts = [text for text in re.findall(r">([^<]*)", element) if text.strip()]
        yield html.unescape(", ".join(text.strip() for text in texts[:3]))


def _exif_credits(info: dict[Any, Any]) -> Iterator[str]:
    """Yields artist and copyright of an EXIF block's first directory; no other tag is looked at."""
    block = info.get("exif")
    if not isinstance(block, bytes):
        return
    exif = Image.Exif()
    try:
        exif.load(block[:_MAX_BLOCK])
        said = [exif.get(tag) for tag in (_ARTIST, _COPYRIGHT)]
    except MemoryError:
        raise
    except Exception:  # on rotten bytes, Pillow raises nearly anything
        return
    for value in said:
        if isinstance(value, str):
            yield _decoded(value.encode("latin-1", errors="replace"))


def _decoded(value: bytes) -> str:
    """Returns text that says of itself nothing about its encoding: UTF-8 if it can be, else Latin-1."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")
