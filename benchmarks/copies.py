"""How many copies of a picture are found, and how many look-alikes pass for copies: python -m benchmarks.copies

Every edit of `benchmarks.edits` is done to a sample of a catalog's pictures; each edited picture is searched among all
as a search does (`embeddings.copies`): suspects by fingerprint and by the embedding of the crop, laid over the photo.
For comparison: the nearest by fingerprint alone, by embedding alone, and (--features, which needs OpenCV) by SIFT.

Half of the sample chooses the thresholds, the loosest at which .999 of all matches are right; the other half is
measured. --fit also fits the weights of the likeness on the first half. Pictures that were the same before any edit
(equal pixels, or nearly, under two ids) count as one. Street photos, if there are any, are searched as photos of which
nothing in the catalog is a copy.
"""

import argparse
import csv
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from benchmarks.bench_home import ROOT, bench_home
from benchmarks.edits import EDITS
from benchmarks.percentiles import Percentiles
from detection.categories import category_of
from embeddings.alignment import COPY_LIKENESS, MISPLACED, Alignment
from embeddings.copies import Candidate, View, laid_over, of_one_picture, suspects
from embeddings.fingerprint import as_vector, fingerprint

PRECISION = 0.999
SEED = 11
NEAREST, LOOK_ALIKES = 16, 8  # as catalog.search.copies asks the store
LEAST_COSINE = 0.36  # as catalog.search.copies has it from the bundled encoder's bands
MOST_WRONG = 50  # scores of wrong pictures that are kept of each way: no threshold of interest lets more through
SAME_PIXELS = 3.0  # mean difference, of 255, of 64 x 64 reductions: the same picture saved again
WAYS = ("fingerprint", "embedding", "features", "laid over")


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
    usable: NDArray[np.bool_]  # (n,): whether the store would have them
    embeddings: NDArray[np.float32]  # (n, dim), unit rows
    group: NDArray[np.int64]  # (n,), equal for the same picture


@dataclass(slots=True)
class Trial:
    """One edited picture's matches: for each way, the score of the right one (if it was a candidate) and of others."""

    edit: str
    own: int
    is_suggested: bool = False
    right: dict[str, float] = field(default_factory=dict)
    wrong: dict[str, list[float]] = field(default_factory=dict)
    laid: list[tuple[bool, Alignment]] = field(default_factory=list)
    cpu_ms: float = 0.0


def drawn(folder: Path) -> Catalog:
    from fixtures import demo_products, draw_product

    files: list[Path] = []
    folder.mkdir(parents=True, exist_ok=True)
    for product in tqdm(demo_products(), desc="drawing"):
        for view in (0, 1):
            files.append(folder / f"{product.sku}-{view}.png")
            if not files[-1].exists():
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


def index(catalog: Catalog, kept: Path | None) -> Index:
    """Returns the index, that of the file if it was made by the same models."""
    from detection import detector
    from embeddings import encoder

    made_by = f"{detector().card.fingerprint} {encoder().card.fingerprint} {len(catalog.files)}"
    if kept is not None and kept.exists():
        held = np.load(kept)
        if str(held["made_by"]) == made_by:
            return Index(held["bits"], held["usable"], held["embeddings"], held["group"])
    total = len(catalog.files)
    prints = [fingerprint(picture) for picture in tqdm(catalog.pictures(), desc="fingerprints", total=total)]
    bits = np.stack([one.vector for one in prints])
    embeddings: list[NDArray[np.float32]] = []
    for start in tqdm(range(0, total, 32), desc="embeddings"):
        numbers = range(start, min(start + 32, total))
        batch = [catalog.picture(number) for number in numbers]
        embeddings.append(embed(batch, [catalog.categories[number] for number in numbers], as_query=False))
    made = Index(
        bits, np.array([one.is_usable for one in prints]), np.concatenate(embeddings), same_pictures(catalog, bits)
    )
    if kept is not None:
        np.savez(
            kept, bits=made.bits, usable=made.usable, embeddings=made.embeddings, group=made.group, made_by=made_by
        )
    return made


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
    photo: Image.Image,
    embedding: NDArray[np.float32],
    own: int,
    catalog: Catalog,
    held: Index,
    *,
    features: bool,
) -> Trial:
    """Searches one photo; `own` is the picture it was made of, -1 for none."""
    result = Trial(edit, own)
    cosines = held.embeddings @ embedding
    is_same = held.group == held.group[own] if own >= 0 else np.zeros(len(held.group), dtype=bool)
    started = time.thread_time()
    view = View.of(photo)
    by_embedding = np.argsort(-cosines)[:LOOK_ALIKES]
    suggested = set(by_embedding.tolist())
    for probe in view.probes():
        scores = np.where(held.usable, held.bits @ probe, -1.0)
        suggested.update(np.argsort(-scores)[:NEAREST].tolist())
    candidates = [
        Candidate(n, held.bits[n] if held.usable[n] else None, float(cosines[n]) if n in by_embedding else -1.0)
        for n in sorted(suggested)
    ]
    found = suspects([view], candidates, least_cosine=LEAST_COSINE)
    laid = laid_over([view], found, catalog.picture)
    copies = {one.id for one in of_one_picture([one for one in laid if one.alignment.is_copy])}
    laid = [one for one in laid if one.id in copies or not one.alignment.is_copy]
    result.cpu_ms = (time.thread_time() - started) * 1000
    result.is_suggested = bool(is_same[[one.id for one in found]].any()) if found else False
    result.laid = [(bool(is_same[one.id]), one.alignment) for one in laid]
    rates = {"laid over": [(one.id, one.alignment.likeness) for one in laid]}
    if features:
        from benchmarks.local_features import matches

        rates["features"] = [(one.id, float(matches(photo, catalog.picture(one.id)))) for one in found]
    for way, scored in rates.items():
        result.wrong[way] = [score for n, score in scored if not is_same[n]]
        result.right[way] = max((score for n, score in scored if is_same[n]), default=-1.0)
    bits = (as_vector(np.stack([turn.bits for turn in view.turns])) @ held.bits.T).max(axis=0)
    for way, scores in (("fingerprint", bits), ("embedding", cosines)):
        result.wrong[way] = np.sort(scores[~is_same])[-MOST_WRONG:].tolist()
        result.right[way] = float(scores[is_same].max()) if own >= 0 else -1.0
    return result


def run(catalog: Catalog, held: Index, queries: int, *, features: bool) -> list[Trial]:
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


def strangers(catalog: Catalog, held: Index, folder: Path, count: int) -> list[Trial]:
    """Returns the trials of photos of which the catalog has no copy."""
    trials: list[Trial] = []
    for file in tqdm(sorted(folder.glob("*.jpg"))[:count], desc="strangers"):
        photo = Image.open(file).convert("RGB")
        (embedding,) = embed([photo], [None], as_query=True)
        trials.append(trial("stranger", photo, embedding, -1, catalog, held, features=False))
    return trials


def loosest(trials: Sequence[Trial], way: str) -> float:
    """Returns the loosest threshold at which enough matches are right, infinity if there is none."""
    right = np.sort([one.right.get(way, -1.0) for one in trials])
    wrong = np.sort([score for one in trials for score in one.wrong.get(way, [])])
    best = float("inf")
    for threshold in np.unique(np.concatenate([right[right > 0], wrong]))[::-1]:
        true = len(right) - np.searchsorted(right, threshold)
        false = len(wrong) - np.searchsorted(wrong, threshold)
        if true and true / (true + false) >= PRECISION:
            best = float(threshold)
    return best


def at(trials: Sequence[Trial], way: str, threshold: float) -> dict[str, Any]:
    """Returns precision and recall of one way at a threshold."""
    true = sum(one.right.get(way, -1.0) >= threshold for one in trials)
    false = sum(score >= threshold for one in trials for score in one.wrong.get(way, []))
    return {
        "threshold": round(threshold, 4),
        "n": len(trials),
        "matches": true + false,
        "wrong": false,
        "precision": round(true / max(true + false, 1), 5),
        "recall": round(true / max(len(trials), 1), 4),
        "recall_by_edit": {
            edit: round(float(np.mean([o.right.get(way, -1.0) >= threshold for o in trials if o.edit == edit])), 3)
            for edit in EDITS
        },
    }


def fitted(trials: Sequence[Trial]) -> list[float]:
    """Returns the likeness's weights by logistic regression: both kinds weigh the same, with a slight ridge."""
    # A copy that was laid in the wrong place says nothing of how copies look in the right one.
    laid = [
        (alignment.evidence, is_same)
        for one in trials
        for is_same, alignment in one.laid
        if not is_same or alignment.agreement > MISPLACED
    ]
    evidence = np.array([row for row, _ in laid])
    truth = np.array([is_same for _, is_same in laid], dtype=float)
    mean, spread = evidence.mean(axis=0), evidence.std(axis=0)
    x = np.column_stack([np.ones(len(laid)), (evidence - mean) / spread])
    share = np.where(truth == 1, 0.5 / truth.sum(), 0.5 / (1 - truth).sum()) * len(laid)
    weights, ridge = np.zeros(x.shape[1]), np.diag([0.0] + [1.0] * evidence.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(x @ weights, -30, 30)))
        gradient = x.T @ (share * (truth - p)) - ridge @ weights
        weights = weights + np.linalg.solve((x * (share * p * (1 - p))[:, None]).T @ x + ridge, gradient)
    slopes = weights[1:] / spread
    return [round(float(one), 3) for one in (weights[0] - slopes @ mean, *slopes)]


def weighed(trials: Sequence[Trial], weights: Sequence[float]) -> list[Trial]:
    """Returns the trials with the likeness by these weights as a way of its own."""
    again = []
    for one in trials:
        scores = [(is_same, alignment.likeness_by(weights)) for is_same, alignment in one.laid]
        right = max((score for is_same, score in scores if is_same), default=-1.0)
        wrong = [score for is_same, score in scores if not is_same]
        again.append(replace(one, right={**one.right, "fitted": right}, wrong={**one.wrong, "fitted": wrong}))
    return again


def halves(trials: Sequence[Trial]) -> tuple[list[Trial], list[Trial]]:
    """Returns the trials of the first half of the pictures and those of the others."""
    pictures = list(dict.fromkeys(one.own for one in trials))
    first = set(pictures[: len(pictures) // 2])
    return [one for one in trials if one.own in first], [one for one in trials if one.own not in first]


def report(catalog: Catalog, trials: Sequence[Trial], others: Sequence[Trial], *, fit: bool) -> dict[str, Any]:
    chosen, measured = halves(trials)
    ways = {way: at(measured, way, loosest(chosen, way)) for way in WAYS if way in trials[0].wrong}
    result: dict[str, Any] = {
        "catalog": catalog.name,
        "pictures": len(catalog.files),
        "queries": len(measured) // len(EDITS),
        "suspected": round(float(np.mean([one.is_suggested for one in measured])), 4),
        "ways": ways,
        "as_shipped": at(measured, "laid over", COPY_LIKENESS),
        "as_shipped_chosen": {**at(chosen, "laid over", COPY_LIKENESS), "recall_by_edit": {}},
        "cpu_ms": vars_of(Percentiles.of([one.cpu_ms for one in measured])),
    }
    if others:
        result["strangers"] = {
            "n": len(others),
            "wrong": sum(score >= COPY_LIKENESS for one in others for score in one.wrong["laid over"]),
            "laid": round(float(np.mean([len(one.laid) for one in others])), 2),
            "cpu_ms": vars_of(Percentiles.of([one.cpu_ms for one in others])),
        }
    if fit:
        result["weights"] = weights = fitted(chosen)
        threshold = loosest(weighed(chosen, weights), "fitted")
        result["ways"]["fitted"] = at(weighed(measured, weights), "fitted", threshold)
    return result


def keep(file: Path, trials: Sequence[Trial]) -> None:
    rows = [[one.edit, one.own, is_same, *astuple(alignment)] for one in trials for is_same, alignment in one.laid]
    file.write_text(json.dumps(rows))


def vars_of(percentiles: Percentiles) -> dict[str, float]:
    return {"n": percentiles.n, "p50": percentiles.p50, "p95": percentiles.p95}


def show(result: dict[str, Any]) -> None:
    shipped = result["as_shipped"]
    ways = {**result["ways"], "as shipped": shipped}
    print(f"\n{result['pictures']} {result['catalog']} pictures, {result['queries']} queries for each edit;")
    print(f"the right picture is suspected for {result['suspected']:.4f} of the edited ones\n")
    print(f"{'recall at precision .999':<26}" + "".join(f"{way:>13}" for way in ways))
    print(f"  {'threshold':<24}" + "".join(f"{way['threshold']:>13.3f}" for way in ways.values()))
    for edit in EDITS:
        print(f"  {edit:<24}" + "".join(f"{way['recall_by_edit'][edit]:>13.3f}" for way in ways.values()))
    print(f"  {'all':<24}" + "".join(f"{way['recall']:>13.3f}" for way in ways.values()))
    print(f"  {'precision':<24}" + "".join(f"{way['precision']:>13.4f}" for way in ways.values()))
    print(f"as shipped, {shipped['wrong']} of {shipped['matches']} matches are wrong")
    print(f"milliseconds of one core: {result['cpu_ms']}")
    for name in ("strangers", "weights"):
        if name in result:
            print(f"{name}: {result[name]}")


def main() -> None:
    shared = ROOT.parent / "shared" / "data"
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=Path, default=shared / "products")
    parser.add_argument("--strangers", type=Path, default=shared / "street" / "images" / "val")
    parser.add_argument("--drawn", type=Path, help="keep the drawn catalog here, and use it when it is there")
    parser.add_argument("--limit", type=int, default=5000, help="real pictures to index")
    parser.add_argument("--queries", type=int, default=300, help="pictures that are edited, in each catalog")
    parser.add_argument("--features", action="store_true", help="compare with SIFT features; needs OpenCV")
    parser.add_argument("--fit", action="store_true", help="fit the likeness's weights on the first half")
    parser.add_argument("--index", type=Path, help="folder to keep the indexes in, or to take them from")
    parser.add_argument("--keep", type=Path, help="folder to write each pair's measures to")
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
            catalog = drawn(options.drawn or home) if name == "drawn" else real(options.pictures, options.limit)
            held = index(catalog, options.index / f"{name}.npz" if options.index else None)
            trials = run(catalog, held, options.queries, features=options.features)
            others = strangers(catalog, held, options.strangers, 100) if options.strangers.is_dir() else []
            if options.keep is not None:
                keep(options.keep / f"{name}.json", trials)
            result = report(catalog, trials, others, fit=options.fit)
            results.append(result)
            if not options.json:
                show(result)
        if options.json:
            print(json.dumps(results))


if __name__ == "__main__":
    main()
