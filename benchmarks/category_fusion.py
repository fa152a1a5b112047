"""Category of a photo: the detector alone, the vote of the nearest products alone, and both fused.

    python -m benchmarks.category_fusion --catalog CSV --photos DATA.yaml [--products 1500] [--json]

The catalog's CSV needs `image` and `category`; the photos are a YOLO data set whose `val` labels are the truth. For
each labeled thing the searched part is the detection on it, as when a shopper taps its hotspot, or the label's box
where nothing was detected, as when she draws one. Weights are fitted on half of the photos and everything is measured
on the other half. No database and no store: neighbors are found by an exact scan.
"""

import argparse
import csv
import itertools
import json
import random
import sys
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.bench_home import bench_home

SEED = 7
BATCH = 16
RESAMPLES = 2000
DETECTOR_SHARES = [round(0.05 * step, 2) for step in range(21)]
NEIGHBORS = (5, 10, 20, 40)
POWERS = (2, 4, 8, 16)
BALANCES = (0.0, 0.25, 0.5, 0.75, 1.0)
LEAST = (0.0, 0.4, 0.5, 0.6, 0.7, 0.8)
SURE = (0.5, 0.6, 0.7, 0.8, 0.9)
MOST_NEIGHBORS = max(NEIGHBORS)

Row = NDArray[np.float32]
Counts = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Case:
    """One labeled thing: what it is, what the detector said, and its nearest products."""

    truth: str
    detected: Mapping[str, float]
    neighbors: tuple[tuple[str, float], ...]  # category and score, nearest first
    is_fitted_on: bool


@dataclass(frozen=True, slots=True)
class Voting:
    """How neighbors vote: how many, how much nearer ones and rarer categories count."""

    counts: Counts
    neighbors: int
    power: float
    balance: float

    def of(self, case: Case) -> dict[str, float]:
        from catalog.search.fusion import shares

        return shares(case.neighbors[: self.neighbors], self.power, self.counts, self.balance)

    def as_dict(self) -> dict[str, float]:
        return {"neighbors": self.neighbors, "power": self.power, "balance": self.balance}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--catalog", type=Path, required=True, help="CSV with image and category")
    parser.add_argument("--photos", type=Path, required=True, help="data.yaml of a YOLO data set; its val is used")
    parser.add_argument("--products", type=int, default=1500, help="random products of the catalog (default: 1500)")
    parser.add_argument("--most-photos", type=int, help="no more photos than this")
    parser.add_argument("--cases", type=Path, help="file to keep what the models saw in, and to read it from again")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    asked = parser.parse_args()
    with bench_home():
        counts, cases = seen_before(asked.cases) or see(asked.catalog, asked.photos, asked.products, asked.most_photos)
        if asked.cases:
            keep(asked.cases, counts, cases)
        report = measure(counts, cases)
    if asked.json:
        json.dump(report, sys.stdout, indent=2)
    else:
        print(as_text(report))


def seen_before(file: Path | None) -> tuple[Counts, list[Case]] | None:
    """Returns what an earlier run kept, or None."""
    if file is None or not file.exists():
        return None
    kept = json.loads(file.read_text(encoding="utf-8"))
    return kept["counts"], [
        Case(truth, detected, tuple((category, score) for category, score in neighbors), is_fitted_on)
        for truth, detected, neighbors, is_fitted_on in kept["cases"]
    ]


def keep(file: Path, counts: Counts, cases: Sequence[Case]) -> None:
    file.write_text(json.dumps({"counts": counts, "cases": [astuple(case) for case in cases]}), encoding="utf-8")


def see(catalog: Path, photos: Path, products: int, most_photos: int | None) -> tuple[Counts, list[Case]]:
    """Returns how many products of each category there are, and every labeled thing as the models see it."""
    categories, rows = index(catalog, products)
    return dict(Counter(categories)), list(look_at(photos, categories, rows, most_photos))


def measure(counts: Counts, cases: Sequence[Case]) -> dict[str, Any]:
    """Returns accuracies of the held-out half with 95 % intervals, and the weights fitted on the other half."""
    fitted, held_out = ([case for case in cases if case.is_fitted_on is side] for side in (True, False))
    voting = [Voting(counts, *options) for options in itertools.product(NEIGHBORS, POWERS, BALANCES)]
    alone = max(voting, key=lambda options: accuracy(fitted, lambda case: by_vote(case, options)))
    share, options = max(
        itertools.product(DETECTOR_SHARES, voting),
        key=lambda pair: accuracy(fitted, lambda case: by_fusion(case, *pair)),
    )
    return {
        "products": sum(counts.values()),
        "n_fitted": len(fitted),
        "n": len(held_out),
        "fitted": {"detector": share, **options.as_dict()},
        "fitted_vote": alone.as_dict(),
        "detector": interval(held_out, by_detector),
        "neighbors": interval(held_out, lambda case: by_vote(case, alone)),
        "fused": interval(held_out, lambda case: by_fusion(case, share, options)),
        "fused_over_detector": difference(held_out, share, options),
        "nothing_detected": sum(not case.detected for case in held_out),
        "by_share": {
            str(one): {
                "fitted": round(accuracy(fitted, lambda case, one=one: by_fusion(case, one, options)), 4),
                "held_out": round(accuracy(held_out, lambda case, one=one: by_fusion(case, one, options)), 4),
            }
            for one in DETECTOR_SHARES
        },
        "undetected": {str(least): vote_report(held_out, least, options) for least in LEAST},
        "sure": {str(sure): sure_report(held_out, sure, share, options) for sure in SURE},
    }


def index(catalog: Path, products: int) -> tuple[list[str], Row]:
    """Returns the categories and embeddings of random products, looked at as indexing does."""
    from catalog.vision import Wish, for_sale, look
    from catalog.words.category_words import meaning_of
    from detection.images import decode

    with catalog.open(encoding="utf-8", newline="") as stream:
        listed = list(csv.DictReader(stream))
    chosen = random.Random(SEED).sample(listed, min(products, len(listed)))
    slugs = [meaning_of(row["category"]).slug for row in chosen]
    rows = []
    for start in range(0, len(chosen), BATCH):
        part = slice(start, start + BATCH)
        photos = [decode((catalog.parent / row["image"]).read_bytes()) for row in chosen[part]]
        wishes = [Wish(category=slug) for slug in slugs[part]]
        rows += [sight.embedding for sight in look(photos, wishes, choose=for_sale).sights]
        print(f"\rindexed {len(rows)}", end="", file=sys.stderr)
    print(file=sys.stderr)
    return slugs, np.stack(rows)


def look_at(data: Path, categories: Sequence[str], rows: Row, most_photos: int | None) -> Iterator[Case]:
    """Yields each labeled thing of the val photos."""
    from catalog.search.fusion import seen
    from catalog.vision import Wish, for_shopper, look, look_at_all
    from detection.crops import iou
    from detection.images import decode

    names = names_of(data)
    paths = sorted((data.parent / "images" / "val").iterdir())[:most_photos]
    for number, path in enumerate(paths):
        photo = decode(path.read_bytes())
        took, embeddings = look_at_all(photo, Wish())
        sight = took.sights[0]
        for truth, box in labels_of(data, path, names, (photo.width, photo.height)):
            tapped = max(range(len(sight.regions)), key=lambda at: iou(sight.regions[at].xyxy, box), default=None)
            if tapped is not None and iou(sight.regions[tapped].xyxy, box) >= 0.5:
                searched, embedding = sight.regions[tapped].xyxy, embeddings[tapped]
            else:
                searched = box
                embedding = look([photo], [Wish(box)], choose=for_shopper).sights[0].embedding
            scores = rows @ embedding
            nearest = np.argsort(-scores)[:MOST_NEIGHBORS]
            yield Case(
                truth,
                seen(sight.detections, searched),
                tuple((categories[at], float(scores[at])) for at in nearest),
                is_fitted_on=zlib.crc32(path.name.encode()) % 2 == 0,
            )
        print(f"\rlooked at {number + 1} of {len(paths)}", end="", file=sys.stderr)
    print(file=sys.stderr)


def names_of(data: Path) -> list[str]:
    """Returns our category of each class of the data set, in class order."""
    from detection.categories import category_of

    lines = data.read_text(encoding="utf-8").partition("names:")[2].splitlines()
    named = [line.partition(":")[2].strip() for line in lines if ":" in line]
    return [category_of(name) or name for name in named]


def labels_of(
    data: Path, photo: Path, names: Sequence[str], size: tuple[int, int]
) -> Iterator[tuple[str, tuple[float, float, float, float]]]:
    """Yields category and box, in pixels, of each labeled thing."""
    file = data.parent / "labels" / "val" / f"{photo.stem}.txt"
    width, height = size
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
        number, x, y, w, h = line.split()[:5]
        left, top = (float(x) - float(w) / 2) * width, (float(y) - float(h) / 2) * height
        yield names[int(number)], (left, top, left + float(w) * width, top + float(h) * height)


def by_detector(case: Case) -> str | None:
    return max(case.detected, key=lambda category: case.detected[category], default=None)


def by_vote(case: Case, voting: Voting) -> str | None:
    votes = voting.of(case)
    return max(votes, key=lambda category: votes[category], default=None)


def by_fusion(case: Case, share: float, voting: Voting, sure: float = 2.0) -> str | None:
    from catalog.search.fusion import fuse

    is_sure = max(case.detected.values(), default=0.0) >= sure
    guess = fuse(case.detected, {} if is_sure else voting.of(case), detector_share=share)
    return guess.slug if guess else None


def accuracy(cases: Sequence[Case], say: Any) -> float:
    right: int = sum(bool(say(case) == case.truth) for case in cases)
    return right / max(len(cases), 1)


def interval(cases: Sequence[Case], say: Any) -> dict[str, float]:
    """Returns the accuracy and the ends of its 95 % bootstrap interval."""
    right = np.array([say(case) == case.truth for case in cases], dtype=np.float64)
    return {"value": round(float(right.mean()), 4), **_ends(right)}


def difference(cases: Sequence[Case], share: float, voting: Voting) -> dict[str, float]:
    """Returns by how much fusion beats the detector on the same things, with a paired interval."""
    gain = np.array(
        [float(by_fusion(case, share, voting) == case.truth) - float(by_detector(case) == case.truth) for case in cases]
    )
    return {"value": round(float(gain.mean()), 4), **_ends(gain)}


def _ends(values: NDArray[np.float64]) -> dict[str, float]:
    dice = np.random.default_rng(SEED)
    means = [dice.choice(values, len(values)).mean() for _ in range(RESAMPLES)]
    return {"low": round(float(np.quantile(means, 0.025)), 4), "high": round(float(np.quantile(means, 0.975)), 4)}


def sure_report(cases: Sequence[Case], sure: float, share: float, voting: Voting) -> dict[str, float]:
    """Returns how often the neighbors needn't be asked, and the accuracy when they then aren't."""
    skipped = [case for case in cases if max(case.detected.values(), default=0.0) >= sure]
    return {
        "skipped": round(len(skipped) / max(len(cases), 1), 4),
        "accuracy": round(accuracy(cases, lambda case: by_fusion(case, share, voting, sure)), 4),
    }


def vote_report(cases: Sequence[Case], least: float, voting: Voting) -> dict[str, float]:
    """Returns on how many undetected things the vote is at least so sure, and how often it is right then."""
    undetected = [case for case in cases if not case.detected]
    sure = [case for case in undetected if max(voting.of(case).values(), default=0.0) >= least]
    return {
        "n": len(sure),
        "of": len(undetected),
        "right": round(accuracy(sure, lambda case: by_vote(case, voting)), 4),
    }


def as_text(report: Mapping[str, Any]) -> str:
    lines = [
        f"{report['n']} things measured, weights fitted on {report['n_fitted']} others, {report['products']} products",
        f"fitted: {report['fitted']}; nothing detected on {report['nothing_detected']}",
        "",
        "| category from | right | 95 % interval |",
        "|---|--:|---|",
    ]
    for name in ("detector", "neighbors", "fused", "fused_over_detector"):
        row = report[name]
        lines.append(f"| {name.replace('_', ' ')} | {row['value']:.3f} | {row['low']:.3f} to {row['high']:.3f} |")
    lines += ["", "| neighbors not asked from | share of searches | right |", "|--:|--:|--:|"]
    lines += [f"| {sure} | {row['skipped']:.3f} | {row['accuracy']:.3f} |" for sure, row in report["sure"].items()]
    lines += ["", "| nothing detected, vote at least | things | right |", "|--:|--:|--:|"]
    lines += [
        f"| {least} | {row['n']} of {row['of']} | {row['right']:.3f} |" for least, row in report["undetected"].items()
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
