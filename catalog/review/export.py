"""Verdicts and corrections as files that training and evaluation read: the circle closes through files, never imports.

    verdicts -> crops that are still kept, pictures of the products -> pairs.csv, queries.csv, catalog.csv, verdicts.csv
    corrections -> detector/data.yaml with its pictures and labels (export_labels), and the words beside each pair

Where two reviewers differ, the later word counts. A crop whose box was put right is written as that part of it.
"""

import csv
import json
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.core.files.storage import default_storage
from PIL import Image

from catalog.models import Correction, Product, Verdict
from catalog.pictures.searched_crops import path_of
from catalog.review.export_labels import Labeled, export_labels
from shop_search.errors import InputError

PAIR_COLUMNS = ("sku", "image", "title", "category", "color", "gender")
QUERY_COLUMNS = ("image", "sku", "category")
CORRECTION_COLUMNS = ("field", "sku", "search", "before", "after", "by", "corrected_at", "applied_at")
VERDICT_COLUMNS = ("search", "image", "sku", "rank", "band", "verdict", "searched_at")


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written."""

    verdicts: int  # results with a verdict
    pairs: int  # crops that show a product, with its pictures beside them
    products: int
    without_crop: int  # results whose search's crop is no longer kept
    corrections: int = 0
    labeled: Labeled = field(default_factory=Labeled)


def export(folder: Path, *, progress: Callable[[int], object] = lambda done: None) -> Exported:
    """Writes verdicts and corrections into an empty or new folder and returns what was written.

    `train_encoder --catalog` reads `pairs.csv`, `evaluate_retrieval` reads `catalog.csv` and `queries.csv`,
    `train_detector` and `evaluate_detector` read `detector/data.yaml`. SKUs are made unique by the merchant's slug.
    Raises InputError when the folder holds something; ServiceError when the detector can't be loaded.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError("folder_not_empty", f"{folder} holds something already. Name a new folder.")
    rows = _latest()
    names = {row.search_id: path for row in rows if (path := path_of(row.search.crop)) is not None}
    same = [row for row in rows if row.verdict == Verdict.Kind.SAME_PRODUCT and row.search_id in names]
    (folder / "queries").mkdir(parents=True)
    (folder / "images").mkdir()
    corrections = _corrections()
    boxes = {row.search_id: row.after for row in corrections if row.field == Correction.Field.BOX and row.search_id}
    for search, path in names.items():
        _copy_crop(path, folder / "queries" / f"{search}.jpg", boxes.get(search))
        progress(1)
    products = {row.product_id: row.product for row in rows}
    said = _said_of_products(corrections)
    products |= {row.product_id: row.product for row in corrections if row.product and row.product_id in said}
    pictures = {pk: _copy_pictures(product, folder / "images") for pk, product in products.items()}
    catalog = [_picture_row(products[pk], name, said) for pk, found in pictures.items() for name in found]
    queries = [_picture_row(row.product, _query(row), said) for row in same]
    paired = {row.product_id for row in same} | said.keys()
    _write(folder / "catalog.csv", PAIR_COLUMNS, catalog)
    _write(
        folder / "pairs.csv",
        PAIR_COLUMNS,
        [_picture_row(products[pk], name, said) for pk in pictures if pk in paired for name in pictures[pk]] + queries,
    )
    _write(folder / "queries.csv", QUERY_COLUMNS, queries)
    _write(folder / "verdicts.csv", VERDICT_COLUMNS, [_verdict_row(row, names) for row in rows])
    _write(folder / "corrections.csv", CORRECTION_COLUMNS, [_correction_row(row) for row in corrections])
    labeled = export_labels(folder / "detector", progress=progress)
    without_crop = sum(row.search_id not in names for row in rows)
    return Exported(len(rows), len(same), len(products), without_crop, len(corrections), labeled)


def crops() -> int:
    """Returns how many crops `export` copies at most."""
    return Verdict.objects.exclude(search__crop="").order_by().values("search").distinct().count()


def _latest() -> list[Verdict]:
    """Returns the last word on each result."""
    rows = Verdict.objects.select_related("search", "product__merchant", "product__category").order_by(
        "created_at", "pk"
    )
    last: dict[tuple[Any, int], Verdict] = {}
    for row in rows.defer("search__answer", "product__description").order_by("created_at", "pk"):
        last[row.search_id, row.product_id] = row
    return sorted(last.values(), key=lambda row: (row.search.created_at, str(row.search_id), row.rank))


def _sku(product: Product) -> str:
    return f"{product.merchant.slug}/{product.sku}"


def _copy_pictures(product: Product, folder: Path) -> list[str]:
    """Copies the product's pictures and returns their names, relative to the export; missing files are left out."""
    names = []
    for image in product.images.order_by("position"):
        stored = str(image.file.name)
        name = f"{image.pk}{Path(stored).suffix.lower()}"
        try:
            with default_storage.open(stored, "rb") as source, (folder / name).open("wb") as copy:
                shutil.copyfileobj(source, copy)
        except FileNotFoundError:
            (folder / name).unlink(missing_ok=True)
            continue
        names.append(f"images/{name}")
    return names


def _query(row: Verdict) -> str:
    return f"queries/{row.search_id}.jpg"


def _picture_row(product: Product, image: str, said: Mapping[int, Mapping[str, str]]) -> dict[str, str]:
    words = said.get(product.pk, {})
    return {
        "sku": _sku(product),
        "image": image,
        "title": product.title,
        "category": words.get(Correction.Field.CATEGORY, product.category.slug),
        "color": words.get(Correction.Field.COLOR, next(iter(product.colors), "")),
        "gender": words.get(Correction.Field.GENDER, product.gender),
    }


def _corrections() -> list[Correction]:
    rows = Correction.objects.select_related("product__merchant", "product__category", "by")
    return list(rows.order_by("created_at", "pk"))


def _said_of_products(corrections: Iterable[Correction]) -> dict[int, dict[str, str]]:
    """Returns the last word on each product's category, color and gender."""
    fields = (Correction.Field.CATEGORY, Correction.Field.COLOR, Correction.Field.GENDER)
    said: dict[int, dict[str, str]] = {}
    for row in corrections:
        if row.product_id is not None and row.field in fields:
            said.setdefault(row.product_id, {})[row.field] = row.after
    return said


def _copy_crop(path: Path, copy: Path, box: Sequence[float] | None) -> None:
    """Copies a kept crop, or the part of it that somebody drew."""
    if box is None:
        shutil.copyfile(path, copy)
        return
    with Image.open(path) as image:
        x1, y1, x2, y2 = box
        left, top = int(x1 * image.width), int(y1 * image.height)
        right, bottom = max(left + 1, round(x2 * image.width)), max(top + 1, round(y2 * image.height))
        image.convert("RGB").crop((left, top, right, bottom)).save(copy, quality=95)


def _correction_row(row: Correction) -> dict[str, Any]:
    return {
        "field": row.field,
        "sku": _sku(row.product) if row.product else "",
        "search": row.search_id or "",
        "before": json.dumps(row.before),
        "after": json.dumps(row.after),
        "by": row.by.get_username() if row.by else "",
        "corrected_at": row.created_at.isoformat(timespec="seconds"),
        "applied_at": row.applied_at.isoformat(timespec="seconds") if row.applied_at else "",
    }


def _verdict_row(row: Verdict, names: Iterable[Any]) -> dict[str, Any]:
    return {
        "search": row.search_id,
        "image": _query(row) if row.search_id in names else "",
        "sku": _sku(row.product),
        "rank": row.rank,
        "band": row.band,
        "verdict": row.verdict,
        "searched_at": row.search.created_at.isoformat(timespec="seconds"),
    }


def _write(path: Path, columns: Sequence[str], rows: Iterable[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
