"""Measures retrieval on pictures with known answers, on the road that serves: decode, detect, choose, crop, encode.

Steps: read both CSVs, look at the catalog's pictures as the index would, look at the queries as a search would, rank
every catalog picture for every query by dot product (exactly, without the vector store), and measure where a picture
of the right SKU stands. A product counts once, by its best picture. What failed can be drawn, worst first.
"""

import csv
import json
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from django.core.management.base import BaseCommand, CommandError
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from catalog.pictures.montage import Failure, Panel, montage
from catalog.vision import Chooser, Sight, Wish, for_sale, for_shopper, look
from catalog.words.category_words import meaning_of
from detection import detector
from detection.crops import crop
from detection.images import decode
from detection.types import Box
from embeddings import encoder
from embeddings.measures import Measure, ranks, retrieval
from shop_search.errors import InputError, ShopSearchError

BATCH = 16
SKU, IMAGE, CATEGORY = ("sku", "id"), ("image", "image_link"), ("category", "product_type")


@dataclass(frozen=True, slots=True)
class Shown:
    """One picture of one product. `category` is the shop category slug that is known of it, if any."""

    path: Path
    sku: str
    category: str | None = None
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class Miss:
    """A query whose product didn't come first."""

    query: int
    place: int  # of the right product, 0 is first
    right: int  # the right product's best picture
    first: int  # the best picture of what came first


@dataclass(frozen=True, slots=True)
class Ranking:
    """Every query against every product."""

    places: list[NDArray[np.intp]]  # by query, as embeddings.measures has them
    misses: list[Miss]  # worst first


class Command(BaseCommand):
    help = "Measures recall@1/5/10/20 and mAP of queries whose product is known."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--catalog", type=Path, required=True, help="CSV: id (or sku), image_link (or image)[, category]"
        )
        parser.add_argument(
            "--queries", type=Path, required=True, help="CSV: image, sku[, box as x1,y1,x2,y2][, category]"
        )
        parser.add_argument("--montage", type=Path, metavar="FILE", help="draw the worst failures into this picture")
        parser.add_argument("--worst", type=int, default=24, help="how many failures to draw")
        parser.add_argument("--json", action="store_true", help="print one JSON document")

    def handle(self, *args: Any, catalog: Path, queries: Path, **options: Any) -> None:
        if options["worst"] < 1:
            raise CommandError(f"--worst is {options['worst']}; it must be at least 1.")
        if options["montage"] and options["montage"].suffix.lower() not in Image.registered_extensions():
            raise CommandError(f"--montage is {options['montage']}; name a picture file, like worst.png.")
        try:
            products, asked = read_pictures(catalog), read_pictures(queries)
            unknown = {query.sku for query in asked} - {product.sku for product in products}
            if unknown:
                raise InputError(
                    "sku_unknown", f"{len(unknown)} SKUs of {queries} are not in {catalog}: {sorted(unknown)[:5]}"
                )
            document = self.measure(products, asked, sheet=options["montage"], worst=options["worst"])
        except ShopSearchError as error:
            raise CommandError(error.message) from error
        self.stdout.write(json.dumps(document, indent=2) if options["json"] else _table(document))

    def measure(
        self, products: Sequence[Shown], queries: Sequence[Shown], *, sheet: Path | None = None, worst: int = 24
    ) -> dict[str, Any]:
        """Returns everything that is printed, as one JSON document. Draws the worst failures into `sheet`."""
        shown, asked = self._look(products, for_sale, "catalog"), self._look(queries, for_shopper, "queries")
        ranking = rank(products, queries, _rows(shown), _rows(asked))
        category = {product.sku: product.category or "other" for product in products}
        groups: dict[str, list[NDArray[np.intp]]] = {}
        for query, of in zip(queries, ranking.places, strict=True):
            groups.setdefault(category[query.sku], []).append(of)
        document = {
            "detector": detector().card.label,
            "encoder": encoder().card.label,
            "catalog": {"products": len(set(category)), "images": len(products)},
            "queries": len(queries),
            "measures": _numbers(retrieval(ranking.places)),
            "categories": {name: _numbers(retrieval(group)) for name, group in sorted(groups.items())},
        }
        if sheet is not None:
            failures = [
                Failure(
                    asked=_cropped(queries[miss.query], asked[miss.query]),
                    right=_whole(products[miss.right], shown[miss.right], f"{_ordinal(miss.place + 1)} of the ranking"),
                    first=_whole(products[miss.first], shown[miss.first], "1st of the ranking"),
                )
                for miss in ranking.misses[:worst]
            ]
            title = f"{document['encoder']}: {len(ranking.misses)} of {len(queries)} queries failed, worst first"
            _save(montage(failures, title=title), sheet)
            document["montage"] = str(sheet)
        return document

    def _look(self, pictures: Sequence[Shown], choose: Chooser, what: str) -> list[Sight]:
        """Returns what each picture showed, in their order."""
        sights: list[Sight] = []
        for start in tqdm(range(0, len(pictures), BATCH), desc=what, unit="batch"):
            batch = pictures[start : start + BATCH]
            photos = [decode(_bytes(one.path)) for one in batch]
            wishes = [Wish(box=one.box, category=one.category) for one in batch]
            sights += look(photos, wishes, choose=choose).sights
        return sights


def rank(
    products: Sequence[Shown], queries: Sequence[Shown], rows: NDArray[np.float32], found: NDArray[np.float32]
) -> Ranking:
    """Returns where each query's product stands. `rows` and `found` are the pictures' and queries' embeddings."""
    skus, own = np.unique([product.sku for product in products], return_inverse=True)
    scores = found @ rows.T
    best = np.full((len(queries), len(skus)), -1.0, np.float32)
    np.maximum.at(best.T, own, scores.T)
    relevant = np.array([query.sku for query in queries])[:, None] == skus[None, :]
    places = ranks(best, np.eye(len(skus), dtype=np.float32), relevant)
    misses = []
    for query, of in enumerate(places):
        if of[0] > 0:
            right = int(np.argmax(np.where(own == np.argmax(relevant[query]), scores[query], -np.inf)))
            first = int(np.argmax(np.where(own != own[right], scores[query], -np.inf)))
            misses.append(Miss(query, int(of[0]), right, first))
    return Ranking(places, sorted(misses, key=lambda miss: -miss.place))


def _rows(sights: Sequence[Sight]) -> NDArray[np.float32]:
    """Returns (n, dim) float32 unit rows."""
    rows = [sight.embedding for sight in sights]
    return np.stack(rows).astype(np.float32) if rows else np.zeros((0, encoder().card.dim), np.float32)


def _cropped(shown: Shown, sight: Sight) -> Panel:
    photo = decode(_bytes(shown.path))
    return Panel(crop(photo.image, photo.to_image(sight.choice.box)), f"{shown.sku}\n{shown.path.name}")


def _whole(shown: Shown, sight: Sight, place: str) -> Panel:
    photo = decode(_bytes(shown.path))
    return Panel(photo.image, f"{shown.sku}\n{place}", photo.to_image(sight.choice.box))


def _ordinal(number: int) -> str:
    suffix = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{suffix}"


def _save(sheet: Image.Image, path: Path) -> None:
    try:
        sheet.save(path)
    except OSError as error:
        raise InputError("file_unwritable", f"Can't write {path}: {error.strerror or error}.") from error


def read_pictures(path: Path) -> list[Shown]:
    """Returns a CSV's pictures; files are relative to it. Raises InputError when it can't be read or lacks a column."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            lines = list(csv.reader(stream))
    except (OSError, csv.Error, UnicodeDecodeError) as error:
        raise InputError("csv_unreadable", f"Can't read {path}: {error}") from error
    if not lines:
        raise InputError("csv_unreadable", f"{path} is empty. It needs a header with a SKU and an image.")
    header, rows = lines[0], [row for row in lines[1:] if any(row)]
    short = next((row for row in rows if len(row) != len(header)), None)
    if short is not None:
        raise InputError("row_malformed", f"{path} has a row of {len(short)} cells under {len(header)} names: {short}")
    sku, image = _column(header, SKU, path), _column(header, IMAGE, path)
    kind = next((header.index(name) for name in CATEGORY if name in header), None)
    box = header.index("box") if "box" in header else None
    return [
        Shown(
            path=path.parent / row[image],
            sku=row[sku],
            category=meaning_of(row[kind]).slug if kind is not None and row[kind].strip() else None,
            box=_box(row[box], path) if box is not None and row[box].strip() else None,
        )
        for row in rows
    ]


def _column(header: Sequence[str], names: Sequence[str], path: Path) -> int:
    for name in names:
        if name in header:
            return header.index(name)
    raise InputError("column_missing", f"{path} needs a column named {' or '.join(names)}; it has {', '.join(header)}.")


def _box(text: str, path: Path) -> Box:
    try:
        x1, y1, x2, y2 = (float(part) for part in text.split(","))
    except ValueError as error:
        raise InputError("box_malformed", f"{path} has the box {text!r}; it must be x1,y1,x2,y2 in pixels.") from error
    return (x1, y1, x2, y2)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError("image_missing", f"Can't read {path}: {error.strerror}.") from error


def _numbers(measures: dict[str, Measure]) -> dict[str, Any]:
    return {name: asdict(measure) for name, measure in measures.items()}


def _table(document: dict[str, Any]) -> str:
    lines = [
        f"{document['queries']} queries against {document['catalog']['products']} products "
        f"({document['catalog']['images']} pictures), {document['encoder']}, {document['detector']}",
    ]
    lines += [f"{name:10} {Measure(**numbers)}" for name, numbers in document["measures"].items()]
    lines.append(f"\n{'category':16}{'n':>6}{'R@1':>8}{'R@5':>8}{'R@10':>8}{'R@20':>8}{'mAP':>8}  R@1 95 %")
    for name, numbers in document["categories"].items():
        values = "".join(f"{numbers[key]['value']:8.3f}" for key in numbers)
        first = numbers["recall@1"]
        lines.append(f"{name:16}{first['n']:6}{values}  {first['low']:.2f} to {first['high']:.2f}")
    if "montage" in document:
        lines.append(f"\nDrawn: {document['montage']}")
    return "\n".join(lines)
