"""How many copies of a picture are found, and how many look-alikes pass for copies: python -m benchmarks.copies

Every edit of `benchmarks.edits` is done to a sample of a catalog's pictures; each edited picture is searched among all.
Candidates come from the fingerprints and from the embeddings of the crop that a search would embed; then they are told
from look-alikes in four ways: by fingerprint alone, by embedding alone, by `embeddings.alignment`, and (with
--features, which needs OpenCV) by SIFT features. For each way, the threshold is the loosest at which .999 of all
matches are right.

Pictures that were the same before any edit (equal pixels, or nearly, under two ids) count as one picture.
"""

import argparse
import csv
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from benchmarks.bench_home import ROOT, bench_home
from benchmarks.edits import EDITS
from detection.categories import category_of
from embeddings.alignment import align
from embeddings.fingerprint import AS_IS, MIRRORED, as_vector, dihedral_fingerprints, fingerprint

PRECISION = 0.999
SEED = 11
CANDIDATES = 8  # from fingerprints, and as many from embeddings
FAR = 96  # Hamming distance beyond which a fingerprint suggests nothing; strangers are at 128
SAME_PIXELS = 3.0  # mean difference, of 255, of 64 x 64 reductions: the same picture saved again
WAYS = ("fingerprint", "embedding", "alignment", "features")


@dataclass(frozen=True, slots=True)
class Catalog:
    name: str
    files: list[Path]
    categories: list[str | None]

    def picture(self, number: int) -> Image.Image:
        return Image.open(self.files[number]).convert("RGB")

    def pictures(self) -> Iterator[Image.Image]:
        return (self.picture(number) for number in range(len(self.files)))


@dataclass(frozen=True, slots=True)
class Index:
    """What a store would hold of each picture."""

    bits: NDArray[np.float32]  # (n, 256), unit rows
    embeddings: NDArray[np.float32]  # (n, dim), unit rows
    group: NDArray[np.int64]  # (n,), equal for the same picture


@dataclass(slots=True)
class Trial:
    """One edited picture's matches: for each way, the score of the right one (if it was a candidate) and of others."""

    edit: str
    right: dict[str, float] = field(default_factory=dict)
    wrong: dict[str, list[float]] = field(default_factory=dict)


def drawn(folder: Path) -> Catalog:
    from fixtures import demo_products, draw_product

    files: list[Path] = []
    for product in tqdm(demo_products(), desc="drawing"):
        for view in (0, 1):
            files.append(folder / f"{product.sku}-{view}.png")
            draw_product(product, view=view).save(files[-1])
    return Catalog("drawn", files, [product.category for product in demo_products() for _ in (0, 1)])


def real(folder: Path, limit: int) -> Catalog:
    with (folder / "catalogue.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))[:limit]
    return Catalog("real", [folder / row["image"] for row in rows], [category_of(row["category"]) for row in rows])


def embed(pictures: Sequence[Image.Image], categories: Sequence[str | None], *, as_query: bool) -> NDArray[np.float32]:
    """Returns the embeddings that searching for, or indexing, these pictures would use."""
    from catalog.vision import Wish, for_sale, for_shopper, look
    from detection.images import Photo

    photos = [Photo(picture, picture.width, picture.height, "PNG") for picture in pictures]
    wishes = [Wish(category=None if as_query else category) for category in categories]
    sights = look(photos, wishes, choose=for_shopper if as_query else for_sale).sights
    return np.stack([sight.embedding for sight in sights])


def index(catalog: Catalog) -> Index:
    total = len(catalog.files)
    pictures = tqdm(catalog.pictures(), desc="fingerprints", total=total)
    bits = np.stack([fingerprint(picture).vector for picture in pictures])
    embeddings: list[NDArray[np.float32]] = []
    for start in tqdm(range(0, total, 32), desc="embeddings"):
        numbers = range(start, min(start + 32, total))
        batch = [catalog.picture(number) for number in numbers]
        embeddings.append(embed(batch, [catalog.categories[number] for number in numbers], as_query=False))
    return Index(bits, np.concatenate(embeddings), same_pictures(catalog, bits))


def same_pictures(catalog: Catalog, bits: NDArray[np.float32]) -> NDArray[np.int64]:
    reduced = (picture.resize((64, 64), Image.Resampling.BOX) for picture in catalog.pictures())
    small = np.stack([np.asarray(picture, dtype=np.int16) for picture in reduced])
    group = np.arange(len(small))
    for i in range(len(small)):
        for j in np.flatnonzero(bits[i + 1 :] @ bits[i] > 0.8) + i + 1:
            if np.abs(small[i] - small[j]).mean() < SAME_PIXELS:
                group[group == group[j]] = group[i]
    return group


def trial(
    edit: str,
    edited: Image.Image,
    embedding: NDArray[np.float32],
    own: int,
    catalog: Catalog,
    held: Index,
    *,
    features: bool,
) -> Trial:
    result = Trial(edit)
    by_turn = as_vector(np.stack([one.bits for one in dihedral_fingerprints(edited)])) @ held.bits.T
    bits, cosines = by_turn.max(axis=0), held.embeddings @ embedding
    is_same = held.group == held.group[own]
    for way, scores in (("fingerprint", bits), ("embedding", cosines)):
        result.right[way] = float(scores[is_same].max())
        result.wrong[way] = [float(score) for score in scores[~is_same] if score > 0]
    suggested = [n for n in np.argsort(-bits)[:CANDIDATES] if bits[n] >= 1 - FAR / 128]
    candidates = dict.fromkeys([*suggested, *np.argsort(-cosines)[:CANDIDATES]])
    ways = ["alignment", "features"] if features else ["alignment"]
    result.wrong.update({way: [] for way in ways})
    for n in candidates:
        turn = int(by_turn[:, n].argmax()) if n in suggested else AS_IS
        candidate = catalog.picture(int(n))
        scores = {"alignment": align(edited, candidate, turns={AS_IS, MIRRORED, turn}).likeness}
        if features:
            from benchmarks.local_features import matches

            scores["features"] = float(matches(edited, candidate))
        for way, score in scores.items():
            if is_same[n]:
                result.right[way] = max(score, result.right.get(way, -1.0))
            else:
                result.wrong[way].append(score)
    return result


def run(catalog: Catalog, queries: int, *, features: bool) -> list[Trial]:
    held = index(catalog)
    chosen = np.random.default_rng(SEED).permutation(len(catalog.files))[:queries]
    trials: list[Trial] = []
    with tqdm(total=len(chosen) * len(EDITS), desc=f"searching ({catalog.name})") as bar:
        for own in chosen:
            random = np.random.default_rng([SEED, int(own)])
            edited = {name: edit(catalog.picture(int(own)), random) for name, edit in EDITS.items()}
            embeddings = embed(list(edited.values()), [None] * len(edited), as_query=True)
            for (name, picture), embedding in zip(edited.items(), embeddings, strict=True):
                trials.append(trial(name, picture, embedding, int(own), catalog, held, features=features))
                bar.update()
    return trials


def judge(trials: Sequence[Trial], way: str) -> dict[str, Any]:
    """Returns the loosest threshold at which enough matches are right, and the recall there, by edit."""
    right = np.sort([one.right.get(way, -1.0) for one in trials])
    wrong = np.sort([score for one in trials for score in one.wrong[way]])
    best = None
    for threshold in np.unique(np.concatenate([right, wrong]))[::-1]:
        true = len(right) - np.searchsorted(right, threshold)
        false = len(wrong) - np.searchsorted(wrong, threshold)
        if true and true / (true + false) >= PRECISION:
            best = float(threshold)
    if best is None:
        return {"threshold": None}
    return {"threshold": round(best, 4), **at(trials, way, best)}


def at(trials: Sequence[Trial], way: str, threshold: float) -> dict[str, Any]:
    true = sum(one.right.get(way, -1.0) >= threshold for one in trials)
    false = sum(score >= threshold for one in trials for score in one.wrong[way])
    return {
        "n": len(trials),
        "precision": round(true / max(true + false, 1), 5),
        "recall": round(true / len(trials), 4),
        "recall_by_edit": {
            edit: round(float(np.mean([o.right.get(way, -1.0) >= threshold for o in trials if o.edit == edit])), 3)
            for edit in EDITS
        },
    }


def report(catalog: Catalog, trials: Sequence[Trial]) -> dict[str, Any]:
    ways = [way for way in WAYS if way in trials[0].wrong]
    suggested = np.mean(["alignment" in one.right for one in trials])
    return {
        "catalog": catalog.name,
        "pictures": len(catalog.files),
        "queries": len(trials) // len(EDITS),
        "suggested": round(float(suggested), 4),
        "ways": {way: judge(trials, way) for way in ways},
    }


def show(result: dict[str, Any]) -> None:
    ways = result["ways"]
    print(f"\n{result['pictures']} {result['catalog']} pictures, {result['queries']} queries for each edit;")
    print(f"the right picture is a candidate for {result['suggested']:.4f} of the edited ones")
    print(f"\n{'recall at precision .999':<26}" + "".join(f"{way:>13}" for way in ways))
    print(f"  {'threshold':<24}" + "".join(f"{way['threshold'] or 0:>13.3f}" for way in ways.values()))
    for edit in EDITS:
        print(
            f"  {edit:<24}" + "".join(f"{way.get('recall_by_edit', {}).get(edit, 0):>13.3f}" for way in ways.values())
        )
    print(f"  {'all':<24}" + "".join(f"{way.get('recall', 0):>13.3f}" for way in ways.values()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=Path, default=ROOT.parent / "shared" / "data" / "products")
    parser.add_argument("--limit", type=int, default=5000, help="real pictures to index")
    parser.add_argument("--queries", type=int, default=300, help="pictures that are edited, in each catalog")
    parser.add_argument("--features", action="store_true", help="compare with SIFT features; needs OpenCV")
    parser.add_argument("--only", choices=("drawn", "real"))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with bench_home() as home:
        results = []
        for name in ("drawn", "real"):
            if options.only not in (None, name):
                continue
            if name == "real" and not options.pictures.is_dir():
                print(f"No real pictures at {options.pictures}: drawn ones only.", file=sys.stderr)
                continue
            catalog = drawn(home) if name == "drawn" else real(options.pictures, options.limit)
            result = report(catalog, run(catalog, options.queries, features=options.features))
            results.append(result)
            if not options.json:
                show(result)
        if options.json:
            print(json.dumps(results))


if __name__ == "__main__":
    main()
