"""What one like and one dislike are worth, by vector arithmetic and by Qdrant's ways to recommend.

    python -m benchmarks.likes --views DIR --distractors CSV [--products 1000] [--json]

The data are those of `benchmarks.ranking_weights`. A shopper has one product in mind; her query is its worn picture. Of
the twenty nearest other products she likes the one that is most like what she has in mind, and dislikes the one that is
least like it, as told by another picture of hers. Measured is where her product stands then, when asked again. Shares
are fitted on half of the products and reported on the other half.

Thresholds of the bands were learned between pictures. So it is told, too, how often the best of what is left is called
the same product though the product isn't there, and how often the product itself is: by the score of the moved query,
and by that of the query as it was asked.
"""

import csv
import itertools
import json
import random
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from benchmarks.ranking_weights import SEED, Shown, ends, index, run

SEEN = 20
LIKES = (0.1, 0.25, 0.5, 0.75, 1.0)
DISLIKES = (0.0, 0.15, 0.3, 0.5, 0.75)

Row = NDArray[np.float32]
Scoring = Callable[["Shopper", Row], Row]


@dataclass(frozen=True, slots=True)
class Shopper:
    """A query, what was liked and disliked, and where in the catalog the product in mind is."""

    query: Row
    liked: Row
    disliked: Row
    wanted: int
    left_out: tuple[int, ...]  # rows that are no answer: what she has seen already
    is_fitted_on: bool


def main() -> None:
    run(measure, as_text, description=__doc__)


def measure(views: Path, distractors: Path, products: int) -> dict[str, Any]:
    """Returns the mean reciprocal rank of the product in mind, for each way, with the gain over asking only once."""
    rows, shoppers = shoppers_of(views, distractors, products)
    fitted, held_out = ([one for one in shoppers if one.is_fitted_on is side] for side in (True, False))
    like, dislike = max(
        itertools.product(LIKES, DISLIKES), key=lambda shares: reciprocal(fitted, rows, rocchio(*shares)).mean()
    )
    ways: dict[str, Scoring] = {
        "query alone": lambda shopper, rows: rows @ shopper.query,
        f"Rocchio, {like} and {dislike}": rocchio(like, dislike),
        "Rocchio, 0.75 and 0.15": rocchio(0.75, 0.15),
        "Qdrant average_vector": average_vector,
        "Qdrant best_score": best_score,
    }
    base = reciprocal(held_out, rows, ways["query alone"])
    report: dict[str, Any] = {
        "n": len(held_out),
        "n_fitted": len(fitted),
        "catalog": len(rows),
        "fitted": {"like": like, "dislike": dislike},
        "ways": {},
        "bands": {
            f"after {likes} likes": banded(held_out + fitted, rows, like=like * likes, dislike=dislike)
            for likes in (0, 1, 3, 5)
        },
    }
    for name, way in ways.items():
        found = reciprocal(held_out, rows, way)
        gain = found - base
        report["ways"][name] = {
            "mrr": round(float(found.mean()), 4),
            "gain": round(float(gain.mean()), 4),
            **ends(gain),
        }
    return report


def shoppers_of(views: Path, distractors: Path, products: int) -> tuple[Row, list[Shopper]]:
    """Returns the catalog's embeddings, and a shopper for each product with enough pictures."""
    from catalog.words.category_words import meaning_of

    sets = [one for one in json.loads((views / "products.json").read_text(encoding="utf-8")) if len(one["images"]) > 2]
    with distractors.open(encoding="utf-8", newline="") as stream:
        others = random.Random(SEED).sample(list(csv.DictReader(stream)), products)
    slugs = [meaning_of(one["category"]).slug if one["category"] else "" for one in sets]
    # Of each product: the query, the picture that tells what she has in mind, and the one that is to be found.
    looked = index(
        [
            (str(one["id"]), slug, views / image)
            for one, slug in zip(sets, slugs, strict=True)
            for image in one["images"][:3]
        ]
        + [("", meaning_of(row["category"]).slug, distractors.parent / row["image"]) for row in others]
    )
    own, rest = looked[: 3 * len(sets)], looked[3 * len(sets) :]
    catalog = np.stack([one.embedding for one in [*own[2::3], *rest]])
    return catalog, [
        _shopper(number, own[3 * number : 3 * number + 3], catalog, str(one["id"])) for number, one in enumerate(sets)
    ]


def _shopper(number: int, own: list[Shown], catalog: Row, product: str) -> Shopper:
    query, in_mind = own[0].embedding, own[1].embedding
    seen = [int(at) for at in np.argsort(-(catalog @ query))[: SEEN + 1] if at != number][:SEEN]
    by_likeness = sorted(seen, key=lambda at: float(-(catalog[at] @ in_mind)))
    liked, disliked = by_likeness[0], by_likeness[-1]
    return Shopper(
        query,
        catalog[liked],
        catalog[disliked],
        number,
        (liked, disliked),
        is_fitted_on=zlib.crc32(product.encode()) % 2 == 0,
    )


def banded(shoppers: list[Shopper], rows: Row, *, like: float, dislike: float) -> dict[str, float]:
    """Returns how often "same product" is said, by the moved query's score and by that of the query as asked.

    Of the product in mind where it is there, and of the best other that is neither liked nor disliked.
    """
    least = settings.BAND_THRESHOLDS["same_product"]
    said: dict[str, list[bool]] = {f"{way} {of}": [] for way in ("moved", "asked") for of in ("right", "wrong")}
    for shopper in shoppers:
        moved = shopper.query + (like * shopper.liked - dislike * shopper.disliked if like else 0)
        order = rows @ (moved / np.linalg.norm(moved))
        asked = rows @ shopper.query
        others = [at for at in np.argsort(-order)[: SEEN + 3].tolist() if at not in (*shopper.left_out, shopper.wanted)]
        for way, scores in (("moved", order), ("asked", asked)):
            said[f"{way} right"].append(bool(scores[shopper.wanted] >= least))
            said[f"{way} wrong"].append(bool(scores[others[0]] >= least))
    return {name: round(float(np.mean(values)), 4) for name, values in said.items()}


def rocchio(like: float, dislike: float) -> Scoring:
    """Returns the arithmetic that searches use (catalog.search.understanding)."""
    return lambda shopper, rows: rows @ (shopper.query + like * shopper.liked - dislike * shopper.disliked)


def average_vector(shopper: Shopper, rows: Row) -> Row:
    """Source: Qdrant's documentation, recommendation by `average_vector`."""
    liked = (shopper.query + shopper.liked) / 2
    scores: Row = (rows @ (liked + liked - shopper.disliked)).astype(np.float32)
    return scores


def best_score(shopper: Shopper, rows: Row) -> Row:
    """Source: Qdrant's documentation, recommendation by `best_score`."""
    near = np.maximum(rows @ shopper.query, rows @ shopper.liked)
    far = rows @ shopper.disliked
    scores: Row = np.where(near > far, near, -(far * far)).astype(np.float32)
    return scores


def reciprocal(shoppers: list[Shopper], rows: Row, score: Scoring) -> NDArray[np.float64]:
    """Returns one over the rank of each shopper's product among all that she has not judged."""
    found = []
    for shopper in shoppers:
        scores = score(shopper, rows)
        better = set(np.flatnonzero(scores > scores[shopper.wanted]).tolist()) - set(shopper.left_out)
        found.append(1 / (1 + len(better)))
    return np.array(found)


def as_text(report: Mapping[str, Any]) -> str:
    lines = [
        f"{report['n']} shoppers measured, shares fitted on {report['n_fitted']} others, {report['catalog']} products",
        "",
        "| after one like and one dislike | MRR | gain | 95 % interval |",
        "|---|--:|--:|---|",
    ]
    lines += [
        f"| {name} | {row['mrr']:.3f} | {row['gain']:+.3f} | {row['low']:+.3f} to {row['high']:+.3f} |"
        for name, row in report["ways"].items()
    ]
    lines += ["", "| called the same product | moved, right | moved, wrong | as asked, right | as asked, wrong |"]
    lines += ["|---|--:|--:|--:|--:|"]
    lines += [
        f"| {name} | {row['moved right']:.3f} | {row['moved wrong']:.3f} | {row['asked right']:.3f} "
        f"| {row['asked wrong']:.3f} |"
        for name, row in report["bands"].items()
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
