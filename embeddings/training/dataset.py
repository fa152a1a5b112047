"""The pictures an encoder learns from, and which of them it never sees.

    products   catalogue.csv (id, image, title, category, ...) beside its pictures: one picture and one title each
    views      products.json (id, images, title, category): one product from several sides, the first one worn
    drawn      made by fixtures: packshots, and crops of scenes with known products

Splits are by title (products) and by product (views, drawn), and depend on nothing but a hash: they are the same on
every machine and in every run.
"""

import csv
import hashlib
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from shop_search.errors import InputError

HELD_OUT_TITLES = 0.10
HELD_OUT_VIEWS = 0.40
HELD_OUT_DRAWN = 0.25


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture on disk and what is said of it. Pictures of one `product` show the same thing."""

    path: Path
    product: str
    title: str
    category: str
    words: tuple[str, ...]  # attributes in plain words: gender, color, article type
    held_out: bool


def is_held_out(kind: str, key: str, share: float) -> bool:
    """Returns whether `key` is among the `share` that is never trained on."""
    return _hash(kind, key) < share * 2**32


def read_products(folder: Path) -> list[Picture]:
    """Returns the catalog's pictures in the file's order. Raises InputError when the catalog can't be read."""
    path = folder / "catalogue.csv"
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
        return [
            Picture(
                path=folder / row["image"],
                product=f"products/{row['id']}",
                title=row["title"],
                category=row["category"],
                words=_known(row[key] for key in ("gender", "colour", "article_type") if row.get(key)),
                held_out=is_held_out("title", row["title"].casefold(), HELD_OUT_TITLES),
            )
            for row in rows
        ]
    except (OSError, KeyError, csv.Error) as error:
        raise InputError(
            "catalog_unreadable", f"Can't read {path}: {error!r}. It needs id, image, title, category."
        ) from error


def read_views(folder: Path) -> list[list[Picture]]:
    """Returns each product's pictures, in the file's order. Raises InputError when the file can't be read."""
    path = folder / "products.json"
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        kept = _share_of_each_category([(str(row["id"]), row["category"] or "") for row in rows], HELD_OUT_VIEWS)
        return [
            [
                Picture(
                    path=folder / image,
                    product=f"views/{row['id']}",
                    title=row["title"] or "",
                    category=row["category"] or "",
                    words=_known([row.get("colour") or ""]),
                    held_out=str(row["id"]) in kept,
                )
                for image in row["images"]
            ]
            for row in rows
        ]
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            "views_unreadable", f"Can't read {path}: {error!r}. It needs id, images, title, category."
        ) from error


def _share_of_each_category(rows: list[tuple[str, str]], share: float) -> set[str]:
    """Returns the ids of `share` of each category's products, rounded up: few products, so chance mustn't skew them."""
    kept: set[str] = set()
    for category in {category for _, category in rows}:
        ids = sorted((key for key, of in rows if of == category), key=lambda key: _hash("views", key))
        kept.update(ids[: math.ceil(share * len(ids))])
    return kept


def _hash(kind: str, key: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{kind}:{key}".encode()).digest()[:4])


def _known(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(word for word in words if word and word not in ("NA", "nan"))
