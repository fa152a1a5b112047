"""What color is worth beside appearance: worn products found among catalog pictures, by color's share of the score.

    python -m benchmarks.ranking_weights --views DIR --distractors CSV [--products 1000] [--json]

DIR holds products.json: a list of {"id", "images", "category"} whose first image shows the product worn. It is the
query, looked at as a shopper's photo with the category chosen, if it has one; the other images are the catalog, among
random distractors of the CSV (`image`, `category`). The share is fitted on half of the products and reported on the
other half. Attributes and quality can't be told from such data and stay as they are in the settings.
"""

import argparse
import csv
import json
import random
import sys
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.bench_home import bench_home

SEED = 7
BATCH = 16
NEAREST = 100  # as catalog.search.finding ranks them
SHARES = (0.0, 0.02, 0.05, 0.08, 0.1, 0.12, 0.15, 0.2, 0.25, 0.3, 0.4)
RESAMPLES = 2000


@dataclass(frozen=True, slots=True)
class Shown:
    """One catalog picture as the index has it."""

    product: str
    category: str
    embedding: NDArray[np.float32]
    palette: tuple[tuple[float, float, float, float], ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """One query's candidates: how alike in appearance and color each is, and which is right."""

    appearance: NDArray[np.float64]
    color: NDArray[np.float64]
    right: int | None  # its place; None when the store didn't find it
    is_fitted_on: bool

    def rank(self, share: float) -> float:
        """Returns where the right product stands when color has this share of the score, from 1 on."""
        if self.right is None:
            return np.inf
        score = (1 - share) * self.appearance + share * self.color
        return 1 + int((score > score[self.right]).sum())


def main() -> None:
    run(measure, as_text, description=__doc__)


def run(
    measure: Callable[[Path, Path, int], dict[str, Any]], as_text: Callable[[dict[str, Any]], str], *, description: str
) -> None:
    """Measures on the views and distractors that the command line names, in a home of its own, and prints it."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--views", type=Path, required=True, help="folder with products.json and its images")
    parser.add_argument("--distractors", type=Path, required=True, help="CSV with image and category")
    parser.add_argument("--products", type=int, default=1000, help="random distractors (default: 1000)")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    asked = parser.parse_args()
    with bench_home():
        report = measure(asked.views, asked.distractors, asked.products)
    if asked.json:
        json.dump(report, sys.stdout, indent=2)
    else:
        print(as_text(report))


def measure(views: Path, distractors: Path, products: int) -> dict[str, Any]:
    """Returns recall@1 and the mean reciprocal rank of the held-out half, for each share of color."""
    sets = json.loads((views / "products.json").read_text(encoding="utf-8"))
    with distractors.open(encoding="utf-8", newline="") as stream:
        others = random.Random(SEED).sample(list(csv.DictReader(stream)), products)
    listed = [(str(one["id"]), _category(one), views / image) for one in sets for image in one["images"][1:]]
    listed += [("", _category(row), distractors.parent / row["image"]) for row in others]
    catalog = index(listed)
    asked = [
        ask(str(one["id"]), _category(one), views / one["images"][0], catalog) for one in sets if len(one["images"]) > 1
    ]
    fitted, held_out = ([one for one in asked if one.is_fitted_on is side] for side in (True, False))
    best = max(SHARES, key=lambda share: reciprocal(fitted, share).mean())
    gain = reciprocal(held_out, best) - reciprocal(held_out, 0.0)
    return {
        "catalog": len(catalog),
        "n_fitted": len(fitted),
        "n": len(held_out),
        "not_found": sum(one.right is None for one in held_out),
        "fitted_share": best,
        "gain_in_mrr": {"value": round(float(gain.mean()), 4), **ends(gain)},
        "by_share": {
            str(share): {
                "fitted_mrr": round(float(reciprocal(fitted, share).mean()), 4),
                "recall@1": round(float((reciprocal(held_out, share) == 1).mean()), 4),
                "recall@5": round(float((reciprocal(held_out, share) >= 0.2).mean()), 4),
                "mrr": round(float(reciprocal(held_out, share).mean()), 4),
            }
            for share in SHARES
        },
    }


def _category(row: Mapping[str, Any]) -> str:
    from catalog.words.category_words import meaning_of

    return meaning_of(row["category"]).slug if row["category"] else ""


def index(listed: Sequence[tuple[str, str, Path]]) -> list[Shown]:
    """Returns the pictures looked at as indexing does."""
    from catalog.vision import Wish, for_sale, look
    from detection.images import decode

    catalog: list[Shown] = []
    for start in range(0, len(listed), BATCH):
        part = listed[start : start + BATCH]
        photos = [decode(path.read_bytes()) for _, _, path in part]
        sights = look(photos, [Wish(category=slug or None) for _, slug, _ in part], choose=for_sale).sights
        for (product, slug, _), photo, sight in zip(part, photos, sights, strict=True):
            catalog.append(Shown(product, slug, sight.embedding, palette_of(photo, sight.choice.box)))
        print(f"\rindexed {len(catalog)} of {len(listed)}", end="", file=sys.stderr)
    print(file=sys.stderr)
    return catalog


def ask(product: str, category: str, photo: Path, catalog: Sequence[Shown]) -> Asked:
    """Returns the query's nearest products of its category, with the parts of their scores."""
    from catalog.vision import Wish, for_shopper, look
    from detection.images import decode
    from embeddings.palettes import likeness

    decoded = decode(photo.read_bytes())
    sight = look([decoded], [Wish(category=category or None)], choose=for_shopper).sights[0]
    there = [one for one in catalog if not category or one.category == category]
    scores = np.stack([one.embedding for one in there]) @ sight.embedding
    best: dict[str, int] = {}
    for at in np.argsort(-scores)[:NEAREST]:
        best.setdefault(there[at].product or f"distractor {at}", int(at))
    rows = list(best.values())
    color = likeness(palette_of(decoded, sight.choice.box), [there[at].palette for at in rows])
    return Asked(
        np.clip(scores[rows].astype(np.float64), 0, 1),
        np.where(np.isnan(color), np.nanmean(color), color),
        list(best).index(product) if product in best else None,
        is_fitted_on=zlib.crc32(product.encode()) % 2 == 0,
    )


def palette_of(photo: Any, box: Any) -> tuple[tuple[float, float, float, float], ...]:
    from detection.crops import crop
    from embeddings.color import dominant_colors

    colors = dominant_colors(crop(photo.image, photo.to_image(box)))
    return tuple((*color.lab, color.share) for color in colors)


def reciprocal(asked: Sequence[Asked], share: float) -> NDArray[np.float64]:
    return np.array([1 / one.rank(share) for one in asked])


def ends(values: NDArray[np.float64]) -> dict[str, float]:
    """Returns the ends of the mean's 95 % bootstrap interval."""
    dice = np.random.default_rng(SEED)
    means = [dice.choice(values, len(values)).mean() for _ in range(RESAMPLES)]
    return {"low": round(float(np.quantile(means, 0.025)), 4), "high": round(float(np.quantile(means, 0.975)), 4)}


def as_text(report: Mapping[str, Any]) -> str:
    gain = report["gain_in_mrr"]
    lines = [
        f"{report['n']} products measured ({report['not_found']} not among the nearest {NEAREST}), share fitted on "
        f"{report['n_fitted']} others, {report['catalog']} catalog pictures",
        f"fitted share of color: {report['fitted_share']}; gain in MRR {gain['value']:+.3f} "
        f"({gain['low']:+.3f} to {gain['high']:+.3f})",
        "",
        "| share of color | recall@1 | recall@5 | MRR |",
        "|--:|--:|--:|--:|",
    ]
    lines += [
        f"| {share} | {row['recall@1']:.3f} | {row['recall@5']:.3f} | {row['mrr']:.3f} |"
        for share, row in report["by_share"].items()
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
