"""What the bands of a shop are worth on real photos: python -m benchmarks.bands --queries FILE.csv [--negatives DIR]

It reads the shop of SHOP_SEARCH_HOME, which was indexed and calibrated before, and changes nothing. The CSV has the
columns image (a file beside it), sku and, if it is known, category: photos of products that are in the shop with other
pictures than these. Each is searched for with its product in the shop and, as far as scores go, taken out of it. Photos
of things never sold must be others than those that `calibrate_bands --negatives` was given.
"""

import argparse
import csv
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import django
from tqdm import tqdm

BATCH = 16


@dataclass(frozen=True, slots=True)
class Query:
    path: Path
    sku: str | None = None  # None: never sold
    category: str | None = None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--queries", type=Path, required=True)
    parser.add_argument("--negatives", type=Path)
    parser.add_argument("--json", action="store_true", help="print one JSON document on standard output")
    arguments = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop_search.settings")
    django.setup()
    document = measure(arguments.queries, arguments.negatives)
    print(json.dumps(document, indent=2) if arguments.json else "\n".join(_lines(document)))


def measure(queries: Path, negatives: Path | None) -> dict[str, Any]:
    """Returns, by thresholds and kind of photo, how many of n reach each band or a better one."""
    from catalog.bands import Bands
    from catalog.bands.calibration import current_bands
    from catalog.bands.report import report
    from catalog.management.commands.calibrate_bands import never_sold

    asked = _read(queries)
    asked += [Query(path) for path in never_sold(negatives)]
    scores = list(_scores(asked))
    return {
        "calibrated": report(scores, current_bands())["all"],
        "settings": report(scores, Bands.of_settings())["all"],
    }


def _read(path: Path) -> list[Query]:
    from catalog.words.category_words import meaning_of

    with path.open(encoding="utf-8-sig", newline="") as stream:
        return [
            Query(
                path.parent / row["image"],
                row["sku"],
                meaning_of(row["category"]).slug if row.get("category") else None,
            )
            for row in csv.DictReader(stream)
        ]


def _scores(queries: Sequence[Query]) -> Iterator[Any]:
    """Yields the score with the product itself and with the best other one; a shopper taps what she means."""
    from catalog.bands.crowds import crowd_of
    from catalog.bands.scores import twins_of
    from catalog.bands.thresholds import Kind, Score
    from catalog.indexing.points import VECTOR, searched_collection
    from catalog.models import Product, ProductImage
    from catalog.vision import Wish, for_shopper, look
    from detection.images import decode
    from embeddings import vector_store
    from embeddings.types import Where

    collection = searched_collection()
    if collection is None:
        sys.exit("This shop has no index.")
    products = dict(Product.objects.shown().filter(sku__in=[q.sku for q in queries if q.sku]).values_list("sku", "pk"))
    missing = sorted({q.sku for q in queries if q.sku and q.sku not in products})
    if missing:
        sys.exit(f"{len(missing)} SKUs are not in this shop: {missing[:5]}")
    twins = twins_of(list(products.values()))
    for start in tqdm(range(0, len(queries), BATCH), unit="batch", file=sys.stderr, disable=None):
        batch = queries[start : start + BATCH]
        photos = [decode(query.path.read_bytes()) for query in batch]
        sights = look(photos, [Wish(category=query.category) for query in batch], choose=for_shopper).sights
        for query, sight in zip(batch, sights, strict=True):
            kind, where = Kind.NEVER_SOLD, Where()
            if query.sku:
                product = products[query.sku]
                own = list(ProductImage.objects.filter(product=product).values_list("pk", flat=True))
                vectors = vector_store().retrieve(collection, own, using=VECTOR)
                best, image = max((float(vector @ sight.embedding), pk) for pk, vector in vectors.items())
                (nearest,) = vector_store().query(collection, sight.embedding, using=VECTOR, limit=1)
                crowd = crowd_of(collection, image) if nearest.payload["product"] == product else None
                yield Score(Kind.SECOND_PHOTO, Product.objects.get(pk=product).category.slug, best, 0, crowd)
                images = ProductImage.objects.filter(product__in=twins[product]).values_list("pk", flat=True)
                kind, where = Kind.REMOVED, Where(exclude=tuple(images))
            for hit in vector_store().query(collection, sight.embedding, using=VECTOR, limit=1, where=where):
                crowd = crowd_of(collection, hit.id, exclude=where.exclude)
                yield Score(kind, str(hit.payload.get("category") or ""), hit.score, 0, crowd)


def _lines(document: dict[str, Any]) -> list[str]:
    lines = []
    for name, kinds in document.items():
        lines.append(f"thresholds: {name}")
        for kind, reached in kinds.items():
            shares = ", ".join(
                f"{band} {found['reached']} = {found['share']:.1%} ({found['low']:.1%}-{found['high']:.1%})"
                for band, found in reached.items()
                if band != "n"
            )
            lines.append(f"  {kind:14} n={reached['n']}: {shares}")
    return lines


if __name__ == "__main__":
    main()
