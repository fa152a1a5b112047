"""How often a photo's first color is the one its merchant named: python -m benchmarks.color_naming [--n N] [--json]

The palette was fitted on the products whose title hashes even; this measures on N of the others. Merchants disagree
among themselves (a navy shoe is "Black", a steel watch "Silver"), so no method reaches 1.
"""

import argparse
import csv
import json
import sys
from collections import Counter
from hashlib import sha256
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from benchmarks.bench_home import ROOT
from embeddings.color import dominant_colors
from embeddings.color_names import MULTICOLOR, normalize_color_word

PRODUCTS = ROOT.parent / "shared" / "data" / "products"
SEED = 4


def is_held_out(title: str) -> bool:
    """Splits by title, for the same product is listed under several ids."""
    return sha256(title.strip().lower().encode()).digest()[0] % 2 == 1


def labelled(catalog: Path) -> list[tuple[Path, str]]:
    """Returns each held-out picture with the name that its merchant's word becomes."""
    with (catalog / "catalogue.csv").open(newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if is_held_out(row["title"])]
    named = [(catalog / row["image"], normalize_color_word(row["colour"])) for row in rows]
    return [(path, name) for path, name in named if name and name != MULTICOLOR]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=1000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if not PRODUCTS.is_dir():
        sys.exit(f"This needs real product photos with their merchants' colors at {PRODUCTS}.")
    pictures = labelled(PRODUCTS)
    order = np.random.default_rng(SEED).permutation(len(pictures))[: options.n]
    asked: Counter[str] = Counter()
    first: Counter[str] = Counter()
    any_of_three = 0
    for index in tqdm(order, desc="naming", disable=options.json):
        path, name = pictures[index]
        seen = [color.name for color in dominant_colors(Image.open(path))]
        asked[name] += 1
        first[name] += seen[0] == name
        any_of_three += name in seen
    total = asked.total()
    result = {
        "n": total,
        "first": round(first.total() / total, 3),
        "any_of_three": round(any_of_three / total, 3),
        "by_name": {name: {"n": count, "first": round(first[name] / count, 3)} for name, count in asked.most_common()},
    }
    if options.json:
        print(json.dumps(result))
        return
    print(f"first color agrees: {result['first']:.3f}, one of three: {result['any_of_three']:.3f}, n = {total}")
    for name, count in asked.most_common():
        print(f"  {name:<12}{first[name] / count:>6.2f}  n = {count}")


if __name__ == "__main__":
    main()
