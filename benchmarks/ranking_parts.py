"""What words beside a photo, attributes and quality are worth: the weights that no look alone tells.

    SHOP_SEARCH_HOME=HOME python -m benchmarks.ranking_parts --catalog CSV [--views DIR]

HOME is an indexed shop whose SKUs are the CSV's ids (`id`, `title`, `category`). Only products with titles that the
encoder never saw are asked about.

Words: "like this but W" for each title word W that a category's titles share; right is what has W in its title, and the
more alike it is to the photo, the better (nDCG@10, gain: the cosine with the photo). The share is chosen on half of the
words, reported on the others, with how many of the ten have the word and how alike they are.

Attributes and quality: worn products of DIR (`products.json`; the first image is worn) are searched in the catalog and
their own other pictures; gender is what the encoder's heads see, stock and age are drawn at random. Reported is where
the product stands (mean reciprocal rank) by each weight, on both halves of the products.
"""

import argparse
import csv
import json
import os
import re
import zlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

SHARES = (0.0, 0.1, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8)
WEIGHTS = (0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3)
LEAST_WITH_WORD = 5  # of a category
MOST_WITH_WORD = 0.5  # share of a category: more say what the category is
PHOTOS = 12  # asked with each word
TOP = 10
RESAMPLES = 2000
SEED = 17
_WORD = re.compile(r"[^\W\d_]{4,}")

Rows = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Asked:
    """One worn product: candidates' cosines and attributes, and which are the product's own."""

    appearance: NDArray[np.float64]
    attributes: NDArray[np.float64]
    own: NDArray[np.bool_]
    is_fitted_on: bool


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--catalog", type=Path, required=True)
    parser.add_argument("--views", type=Path, help="left out, only words are measured")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop_search.settings")
    import django

    django.setup()
    report = {"words": words(options.catalog)}
    if options.views:
        report["parts"] = parts(options.views)
    print(json.dumps(report, indent=1))


def words(catalog: Path) -> dict[str, Any]:
    """Returns nDCG@10 by the text's share, on the words that chose it and on the others."""
    from catalog.words.category_words import meaning_of
    from embeddings import encoder
    from embeddings.color_names import normalize_color_word
    from embeddings.training.dataset import HELD_OUT_TITLES, is_held_out

    vectors, payloads, sku_of = index()
    with catalog.open(encoding="utf-8", newline="") as stream:
        titles = {row["id"]: row["title"] for row in csv.DictReader(stream)}
    unseen = [
        pk
        for pk, sku in sku_of.items()
        if is_held_out("title", titles.get(sku, "").casefold(), HELD_OUT_TITLES) and sku in titles
    ]
    by_category: dict[str, list[int]] = defaultdict(list)
    for pk in unseen:
        by_category[str(payloads[pk]["category"])].append(pk)
    dice = np.random.default_rng(SEED)
    found: dict[bool, list[list[float]]] = {True: [], False: []}
    with_word: list[list[float]] = []
    alike: list[list[float]] = []
    asked = 0
    for category, members in sorted(by_category.items()):
        has = {pk: set(_WORD.findall(titles[sku_of[pk]].casefold())) for pk in members}
        counts = Counter(word for held in has.values() for word in held)
        brands = {titles[sku_of[pk]].split()[0].casefold() for pk in members}
        for word, count in sorted(counts.items()):
            is_look = word not in brands and not normalize_color_word(word) and not meaning_of(word).is_known
            if not is_look or not LEAST_WITH_WORD <= count <= MOST_WITH_WORD * len(members):
                continue
            asked += 1
            (text,) = encoder().encode_texts([word])
            rows = np.stack([vectors[pk] for pk in members])
            right = np.array([word in has[pk] for pk in members])
            for place in dice.permutation(np.flatnonzero(~right))[:PHOTOS]:
                photo = rows[place]
                others = np.arange(len(members)) != place
                gains = np.where(right, np.maximum(rows @ photo, 0.0), 0.0)[others]
                scores = [rows[others] @ _unit((1 - share) * photo + share * text) for share in SHARES]
                tops = [np.argsort(-one)[:TOP] for one in scores]
                with_word.append([float(right[others][top].mean()) for top in tops])
                alike.append([float((rows @ photo)[others][top].mean()) for top in tops])
                found[zlib.crc32(f"{category} {word}".encode()) % 2 == 0].append([ndcg(gains, one) for one in scores])
    fitted, judged = (np.array(found[side]) for side in (True, False))
    best = int(fitted.mean(axis=0).argmax())
    kept = SHARES.index(0.35)
    return {
        "words": asked,
        "n_fitted": len(fitted),
        "n": len(judged),
        "fitted": _by_share(fitted),
        "judged": _by_share(judged),
        "with_word": _by_share(with_word),
        "alike": _by_share(alike),
        "best": SHARES[best],
        "gain_over_.35": interval(judged[:, best] - judged[:, kept]),
    }


def parts(views: Path) -> dict[str, Any]:
    """Returns the mean reciprocal rank by the weight of attributes and of quality, for both halves."""
    asked = worn(views)
    dice = np.random.default_rng(SEED)
    report: dict[str, Any] = {}
    for name in ("attributes", "quality"):
        rows: dict[str, list[list[float]]] = {"fitted": [], "judged": []}
        for one in asked:
            column = one.attributes if name == "attributes" else random_quality(dice, len(one.appearance))
            ranks = []
            for weight in WEIGHTS:
                score = (1 - weight) * one.appearance + weight * column
                ranks.append(1 / (1 + int((score > score[one.own].max()).sum())))
            rows["fitted" if one.is_fitted_on else "judged"].append(ranks)
        report[name] = {
            side: {
                "n": len(held),
                **dict(zip(map(str, WEIGHTS), np.array(held).mean(axis=0).round(4).tolist(), strict=True)),
                "0.05 against none": interval(np.array(held)[:, WEIGHTS.index(0.05)] - np.array(held)[:, 0]),
            }
            for side, held in rows.items()
        }
    return report


def worn(views: Path) -> list[Asked]:
    from catalog.search.fusion import share_of
    from catalog.vision import Wish, for_sale, for_shopper, look
    from catalog.words.category_words import meaning_of
    from catalog.words.genders import values_of
    from detection.images import decode
    from embeddings.attributes import attributes
    from embeddings.types import Hit

    vectors, _, _ = index()
    sets = json.loads((views / "products.json").read_text(encoding="utf-8"))
    queries, own = [], []
    for one in sets:
        slug = meaning_of(one["category"]).slug if one["category"] else None
        photos = [decode((views / image).read_bytes()) for image in one["images"]]
        (sight,) = look(photos[:1], [Wish(category=slug)], choose=for_shopper).sights
        queries.append(sight.embedding)
        own.append(np.stack([s.embedding for s in look(photos[1:], [Wish(category=slug)] * 3, choose=for_sale).sights]))
    ids = list(vectors)
    catalog = np.concatenate([np.stack([vectors[pk] for pk in ids]), *own])
    owner = np.concatenate([np.full(len(ids), -1), *(np.full(len(rows), number) for number, rows in enumerate(own))])
    seen = [guess.gender for guess in attributes(catalog)]
    genders = [values_of([one.value])[0] if one and one.confidence >= 0.8 else "" for one in seen]
    found = []
    for number, query in enumerate(queries):
        cosines = catalog @ query
        near = np.argsort(-cosines)[:100]
        hits = [Hit(int(at), float(cosines[at]), {"gender": genders[at]}) for at in near]
        likely = share_of(hits, "gender")
        known = np.array([likely.get(genders[at], 0.0) if genders[at] else np.nan for at in near])
        column = np.where(np.isnan(known), np.nanmean(known) if (~np.isnan(known)).any() else 0.5, known)
        mine = owner[near] == number
        if mine.any():
            fitted = zlib.crc32(str(sets[number]["id"]).encode()) % 2 == 0
            found.append(Asked(np.clip(cosines[near], 0, 1), column, mine, fitted))
    return found


def index() -> tuple[dict[int, Rows], dict[int, Mapping[str, Any]], dict[int, str]]:
    """Returns the home's embeddings and payloads by point, and the SKU of each."""
    from catalog.indexing.points import VECTOR, searched_collection
    from catalog.models import ProductImage
    from embeddings import vector_store

    collection = searched_collection()
    if collection is None:
        raise SystemExit("Nothing is indexed in this home.")
    payloads = dict(vector_store().scroll(collection))
    vectors = vector_store().retrieve(collection, list(payloads), using=VECTOR)
    return vectors, payloads, dict(ProductImage.objects.filter(pk__in=vectors).values_list("pk", "product__sku"))


def random_quality(dice: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Returns quality as searches have it, of products one in ten of which is sold out, of any age within a year."""
    stock = dice.random(count) > 0.1
    fresh = 0.5 ** (dice.random(count) * 365 / 90)
    return np.asarray(0.5 * stock + 0.25 * fresh + 0.125, np.float64)


def _by_share(rows: Sequence[Sequence[float]] | NDArray[np.float64]) -> dict[str, float]:
    return dict(zip(map(str, SHARES), np.mean(rows, axis=0).round(4).tolist(), strict=True))


def ndcg(gains: NDArray[np.floating], scores: NDArray[np.floating]) -> float:
    discounts = 1 / np.log2(np.arange(2, TOP + 2))
    top, best = gains[np.argsort(-scores)[:TOP]], np.sort(gains)[::-1][:TOP]
    ideal = float((best * discounts[: len(best)]).sum())
    return float((top * discounts[: len(top)]).sum()) / ideal if ideal else 0.0


def interval(gains: NDArray[np.float64]) -> Sequence[float]:
    """Returns the mean and its bootstrap interval, 95 %."""
    dice = np.random.default_rng(SEED)
    means = [float(gains[dice.integers(len(gains), size=len(gains))].mean()) for _ in range(RESAMPLES)]
    return [round(float(gains.mean()), 4), *np.quantile(means, [0.025, 0.975]).round(4).tolist()]


def _unit(vector: Rows) -> Rows:
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


if __name__ == "__main__":
    main()
