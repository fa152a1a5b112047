"""Verdicts as files that training and evaluation read: the circle closes through files, never through imports.

    verdicts -> crops that are still kept, pictures of the products -> pairs.csv, queries.csv, catalog.csv, verdicts.csv

Where two reviewers differ on a result, the later word counts. Photos are not kept, so there are no boxes to learn from:
what is written trains the encoder and measures retrieval.
"""

import csv
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.files.storage import default_storage

from catalog.models import Product, Verdict
from catalog.pictures.searched_crops import path_of
from shop_search.errors import InputError

PAIR_COLUMNS = ("sku", "image", "title", "category")
QUERY_COLUMNS = ("image", "sku", "category")
VERDICT_COLUMNS = ("search", "image", "sku", "rank", "band", "verdict", "searched_at")


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written."""

    verdicts: int  # results with a verdict
    pairs: int  # crops that show a product, with its pictures beside them
    products: int
    without_crop: int  # results whose search's crop is no longer kept


def export(folder: Path, *, progress: Callable[[int], object] = lambda done: None) -> Exported:
    """Writes the verdicts into an empty or new folder and returns what was written.

    `train_encoder --catalog` reads `pairs.csv`, `evaluate_retrieval` reads `catalog.csv` and `queries.csv`.
    SKUs are made unique by the merchant's slug. Raises InputError when the folder holds something.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError("folder_not_empty", f"{folder} holds something already. Name a new folder.")
    rows = _latest()
    names = {row.search_id: path for row in rows if (path := path_of(row.search.crop)) is not None}
    same = [row for row in rows if row.verdict == Verdict.Kind.SAME_PRODUCT and row.search_id in names]
    (folder / "queries").mkdir(parents=True)
    (folder / "images").mkdir()
    for search, path in names.items():
        shutil.copyfile(path, folder / "queries" / f"{search}.jpg")
        progress(1)
    products = {row.product_id: row.product for row in rows}
    pictures = {pk: _copy_pictures(product, folder / "images") for pk, product in products.items()}
    catalog = [_picture_row(products[pk], name) for pk, found in pictures.items() for name in found]
    queries = [_picture_row(row.product, _query(row)) for row in same]
    paired = {row.product_id for row in same}
    _write(folder / "catalog.csv", PAIR_COLUMNS, catalog)
    _write(
        folder / "pairs.csv",
        PAIR_COLUMNS,
        [_picture_row(products[pk], name) for pk in pictures if pk in paired for name in pictures[pk]] + queries,
    )
    _write(folder / "queries.csv", QUERY_COLUMNS, queries)
    _write(folder / "verdicts.csv", VERDICT_COLUMNS, [_verdict_row(row, names) for row in rows])
    return Exported(len(rows), len(same), len(products), sum(row.search_id not in names for row in rows))


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


def _picture_row(product: Product, image: str) -> dict[str, str]:
    return {"sku": _sku(product), "image": image, "title": product.title, "category": product.category.slug}


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
