"""How rightly the catalog doctor tells text over pictures, and how its weights were learned.

    python -m benchmarks.lettering --products CSV --views DIR [--most 6000] [--learn FILE] [--montage FILE]

Real packshots and studio photos, each as it is and once with text over it (benchmarks/overlays.py). Their titles decide
which half they are of: one is learned from and gives the limit, at which one in two hundred of its plain pictures
is called lettering; the other half is what is reported, with words and fonts of its own. `--learn` writes the weights
that catalog/doctor/lettering.json holds; `--montage` draws the plain pictures of the reported half that are called so.
"""

import argparse
import csv
import json
import random
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from benchmarks.overlays import KINDS, overlaid
from catalog.doctor.components import Floats
from catalog.doctor.lettering import NAMES, Weights, rows_of, weights
from detection.types import Box

# Of the learned half; of pictures that nobody learned, twice as many at most are called so.
FALSE_ALARMS = 0.005
UNITS, ROUNDS, RATE, DECAY = 8, 500, 0.02, 1e-3
TILE = 160
REAL = "real"


@dataclass(frozen=True, slots=True)
class Sample:
    """A picture's rows of strokes. `kind` is `plain`, `real` or one of KINDS."""

    path: Path
    source: str
    kind: str
    is_learned: bool
    rows: Floats
    boxes: Sequence[Box]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--products", type=Path, required=True, help="a CSV with image and title")
    parser.add_argument("--views", type=Path, required=True, help="a folder with products.json")
    parser.add_argument("--lettered", type=Path, help="names of pictures that have text over them as they are, by line")
    parser.add_argument("--most", type=int, default=6000, help="how many pictures, at random")
    parser.add_argument("--learn", type=Path, help="where to write newly learned weights")
    parser.add_argument("--montage", type=Path)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    from benchmarks.bench_home import bench_home

    with bench_home():
        samples, cost_ms = look(asked.products, asked.views, asked.most, is_learning=asked.learn is not None)
    lettered = frozenset(asked.lettered.read_text().split()) if asked.lettered else frozenset[str]()
    samples = [renamed(one, lettered) for one in samples]
    used = weights()
    if asked.learn is not None:
        used = learn([one for one in samples if one.is_learned])
        asked.learn.write_text(json.dumps(as_json(used)) + "\n", encoding="utf-8")
    held_out = [one for one in samples if not one.is_learned]
    report = {**told(held_out, used), "cpu_ms_a_picture": round(cost_ms, 1)}
    if asked.montage is not None:
        montage([one for one in held_out if one.kind == "plain"], used).save(asked.montage)
    print(json.dumps(report, indent=2) if asked.json else as_text(report))


def look(products: Path, views: Path, most: int, *, is_learning: bool) -> tuple[list[Sample], float]:
    """Returns each picture as it is and with text over it, and what one look at a picture's strokes costs."""
    from detection import detector

    with products.open(encoding="utf-8", newline="") as stream:
        rows = [(row["title"], products.parent / row["image"], "packshots") for row in csv.DictReader(stream)]
    for one in json.loads((views / "products.json").read_text(encoding="utf-8")):
        rows += [(one["title"] or one["id"], views / image, "studio") for image in one["images"]]
    random.Random(0).shuffle(rows)
    samples, spent, kinds = list[Sample](), 0.0, list(KINDS)
    for number, (title, path, source) in enumerate(rows[:most]):
        side = zlib.crc32(title.encode()) % 2
        if side == 0 and not is_learning:
            continue
        plain = Image.open(path).convert("RGB")
        found = max(detector().detect([plain])[0], key=lambda one: one.confidence, default=None)
        box = found.xyxy if found is not None else (0.0, 0.0, float(plain.width), float(plain.height))
        kind = kinds[number // 2 % len(kinds)]
        for name, image in (("plain", plain), (kind, overlaid(plain, kind, side=side, seed=number))):
            began = time.process_time()
            numbers, boxes = rows_of(image, box)
            spent += time.process_time() - began
            samples.append(Sample(path, source, name, side == 0, numbers, boxes))
    return samples, 1000 * spent / max(len(samples), 1)


def renamed(sample: Sample, lettered: frozenset[str]) -> Sample:
    """Returns the sample; what was taken for a plain picture, but has text over it as it is, is `real`."""
    is_real = sample.kind == "plain" and sample.path.name in lettered
    return replace(sample, kind=REAL) if is_real else sample


def told(samples: Sequence[Sample], used: Weights) -> dict[str, Any]:
    """Returns, of each kind and source, how many there are and how many are called lettering."""
    report: dict[str, Any] = {}
    for sample in samples:
        for name in (sample.kind, f"{sample.kind}, {sample.source}"):
            counted = report.setdefault(name, {"n": 0, "told": 0})
            counted["n"] += 1
            counted["told"] += best(sample, used) > 0
    for counted in report.values():
        counted["share"] = round(counted["told"] / counted["n"], 4)
    return dict(sorted(report.items()))


def best(sample: Sample, used: Weights) -> float:
    return float(used.score(sample.rows).max()) if len(sample.boxes) else -10.0


def learn(samples: Sequence[Sample]) -> Weights:
    """Returns weights by which the likeliest row of a picture with text is lettering, and of a plain one is none."""
    with_rows = [one for one in samples if len(one.boxes) and one.kind != REAL]
    rows = np.concatenate([one.rows for one in with_rows])
    mean, deviation = rows.mean(0), rows.std(0) + 1e-9
    rows = (rows - mean) / deviation
    begin = np.cumsum([0] + [len(one.boxes) for one in with_rows])[:-1]
    of = np.repeat(np.arange(len(with_rows)), [len(one.boxes) for one in with_rows])
    is_text = np.array([one.kind != "plain" for one in with_rows], dtype=np.float64)
    chance = np.random.default_rng(0)
    bound = 1 / np.sqrt(len(NAMES))
    values = [chance.uniform(-bound, bound, (len(NAMES), UNITS)), np.zeros(UNITS), chance.uniform(-0.35, 0.35, UNITS)]
    values.append(np.zeros(1))
    first, second = [np.zeros_like(one) for one in values], [np.zeros_like(one) for one in values]
    for step in range(1, ROUNDS + 1):
        hidden, bias, out, last = values
        scores = np.tanh(rows @ hidden + bias) @ out
        top = np.lexsort((scores, of))[np.append(begin[1:], len(rows)) - 1]  # of each picture, its likeliest row
        units = np.tanh(rows[top] @ hidden + bias)
        error = (1 / (1 + np.exp(-(units @ out + last))) - is_text) / len(top)
        back = np.outer(error, out) * (1 - units**2)
        slopes = [rows[top].T @ back + DECAY * hidden, back.sum(0), units.T @ error + DECAY * out]
        slopes.append(np.array([error.sum()]))
        for one, slope in enumerate(slopes):  # Adam
            first[one] = 0.9 * first[one] + 0.1 * slope
            second[one] = 0.999 * second[one] + 0.001 * slope**2
            move = first[one] / (1 - 0.9**step) / (np.sqrt(second[one] / (1 - 0.999**step)) + 1e-8)
            values[one] = values[one] - RATE * move
    learned = Weights(mean, deviation, values[0], values[1], values[2], limit=0.0)
    plain = [best(one, learned) for one in samples if one.kind == "plain"]
    return Weights(mean, deviation, values[0], values[1], values[2], float(np.quantile(plain, 1 - FALSE_ALARMS)))


def as_json(used: Weights) -> dict[str, Any]:
    arrays = {name: getattr(used, name) for name in ("mean", "deviation", "hidden", "hidden_bias", "out")}
    rounded = {name: np.round(array, 5).tolist() for name, array in arrays.items()}
    return {"names": list(NAMES), **rounded, "limit": round(used.limit, 5)}


def montage(plain: Sequence[Sample], used: Weights) -> Image.Image:
    """Returns the plain pictures that are called lettering, each with the row that is, the surest first."""
    called = sorted((one for one in plain if best(one, used) > 0), key=lambda one: -best(one, used))
    sheet = Image.new("RGB", (TILE * 10, TILE * max(1, -(-len(called) // 10))), "white")
    for number, tile in enumerate(_tiles(called, used)):
        sheet.paste(tile, (number % 10 * TILE, number // 10 * TILE))
    return sheet


def _tiles(called: Sequence[Sample], used: Weights) -> Iterator[Image.Image]:
    for one in called:
        image = Image.open(one.path).convert("RGB")
        x1, y1, x2, y2 = one.boxes[int(used.score(one.rows).argmax())]
        ImageDraw.Draw(image).rectangle([x1 - 4, y1 - 4, x2 + 4, y2 + 4], outline="#f0f")
        yield ImageOps.contain(image, (TILE, TILE))


def as_text(report: dict[str, Any]) -> str:
    lines = [f"{report['cpu_ms_a_picture']} ms of the processor a picture"]
    for name, one in report.items():
        if isinstance(one, dict):
            lines.append(f"{name:32} {one['told']:5} of {one['n']:5}  {one['share']:.1%}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
