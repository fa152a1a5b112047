"""A shop's own catalog as a CSV: one row per picture, rows of one SKU are pictures of one product.

Columns: sku (or id), image (or image_link; a file, relative to the CSV), title (or name); and where there are such,
category (or product_type), color (or colour), gender. The same file that `evaluate_retrieval --catalog` reads.
"""

import csv
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from embeddings.training.crops import CLASSES
from embeddings.training.dataset import Picture, is_held_out
from shop_search.errors import InputError

SKU, IMAGE, TITLE = ("sku", "id"), ("image", "image_link"), ("title", "name")
CATEGORY, WORDS = ("category", "product_type"), (("gender",), ("color", "colour"))
HELD_OUT = 0.2  # of the titles: before and after are measured on them, and nothing is trained
LEAST_PRODUCTS = 300  # 60 held out: fewer can't tell a better model from a lucky one
MOST_UNREADABLE = 0.05


def read_shop(path: Path) -> list[list[Picture]]:
    """Returns each product's pictures, in the file's order; a few that can't be opened are left out.

    Raises InputError when the file can't be read, lacks a column, names pictures that aren't here, or is too small.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            lines = list(csv.reader(stream))
    except (OSError, csv.Error, UnicodeDecodeError) as error:
        raise InputError("catalog_unreadable", f"Can't read {path}: {error}") from error
    if not lines:
        raise InputError("catalog_unreadable", f"{path} is empty. It needs a header with sku, image and title.")
    header = [name.strip().casefold() for name in lines[0]]
    rows = [row for row in lines[1:] if any(row)]
    short = next((row for row in rows if len(row) != len(header)), None)
    if short is not None:
        raise InputError("row_malformed", f"{path} has a row of {len(short)} cells under {len(header)} names: {short}")
    sku, image, title = (_column(header, names, path) for names in (SKU, IMAGE, TITLE))
    category = _place(header, CATEGORY)
    words = [at for names in WORDS if (at := _place(header, names)) is not None]
    products: dict[str, list[Picture]] = {}
    for row in rows:
        if row[image].startswith(("http:", "https:")):
            raise InputError("image_remote", f"{row[image]} is a link. Download the pictures and name files in {path}.")
        word = row[category].strip().casefold() if category is not None else ""
        of = products.setdefault(row[sku], [])
        of.append(
            Picture(
                path=path.parent / row[image],
                product=f"shop/{row[sku]}",
                title=row[title].strip(),
                category=word if word in CLASSES else "",  # then the detector's surest class is meant
                words=tuple(row[at].strip() for at in words if row[at].strip()),
                held_out=is_held_out("shop", (of[0].title if of else row[title].strip()).casefold(), HELD_OUT),
            )
        )
    return _openable(list(products.values()), path)


def _openable(products: Sequence[Sequence[Picture]], path: Path) -> list[list[Picture]]:
    kept = [[picture for picture in pictures if _opens(picture.path)] for pictures in products]
    total, lost = sum(map(len, products)), sum(map(len, products)) - sum(map(len, kept))
    if lost > MOST_UNREADABLE * total:
        raise InputError("image_missing", f"{lost} of {total} pictures of {path} can't be opened. Are they beside it?")
    found = [pictures for pictures in kept if pictures]
    if len(found) < LEAST_PRODUCTS:
        raise InputError(
            "catalog_too_small",
            f"{path} has {len(found)} products with pictures; {LEAST_PRODUCTS} are needed. With fewer, nobody can tell "
            "whether training helped: keep the encoder that you have.",
        )
    return found


def _opens(path: Path) -> bool:
    try:
        with Image.open(path) as image:
            image.draft("RGB", (64, 64))
            image.load()
        return True
    except (OSError, UnidentifiedImageError, ValueError, Image.DecompressionBombError):
        return False


def _column(header: Sequence[str], names: Sequence[str], path: Path) -> int:
    place = _place(header, names)
    if place is None:
        needed = " or ".join(names)
        raise InputError("column_missing", f"{path} needs a column named {needed}; it has {', '.join(header)}.")
    return place


def _place(header: Sequence[str], names: Sequence[str]) -> int | None:
    return next((header.index(name) for name in names if name in header), None)
