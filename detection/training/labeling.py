"""A shop's product photos -> a YOLO dataset, without anyone drawing a box.

Steps: read the CSV, split by title (variants of a product must not be on both sides), find the product on each photo
(on white, on anything, or worn and found by the present detector), take so many of each category, write.
"""

import csv
import hashlib
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from detection.categories import category_of
from detection.training.dataset import Label, Sample
from detection.training.packshots import find_on_anything, find_on_white, is_alone, trust
from detection.types import Box, Detector
from shop_search.errors import InputError

VAL_PERCENT = 15


@dataclass(frozen=True, slots=True)
class Columns:
    """Where a CSV says what is needed. Without a title, each image is a product of its own."""

    image: str = "image"
    category: str = "category"
    title: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One product photo."""

    image: Path
    word: str  # the CSV's category
    split: str


def read_rows(path: Path, columns: Columns) -> list[Row]:
    """Returns the CSV's photos that exist, split by title. Raises InputError when a column is missing."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.DictReader(stream)
        needed = [name for name in (columns.image, columns.category, columns.title) if name]
        missing = [name for name in needed if name not in (reader.fieldnames or [])]
        if missing:
            raise InputError("column_missing", f"{path} has no column {missing[0]!r}, only {reader.fieldnames}.")
        rows = [
            Row(
                image=path.parent / row[columns.image],
                word=row[columns.category],
                split=_split(row[columns.title or columns.image]),
            )
            for row in reader
        ]
    return [row for row in rows if row.image.is_file()]


def _split(title: str) -> str:
    digest = hashlib.sha256(title.strip().lower().encode()).digest()
    return "val" if digest[0] * 100 // 256 < VAL_PERCENT else "train"


def label(
    rows: Iterable[Row],
    *,
    per_category: int,
    seed: int,
    background: Sequence[str] = (),
    teacher: Detector | None = None,
    report: Callable[[str], None] = lambda line: None,
) -> dict[str, list[Sample]]:
    """Returns labeled photos by split: at most `per_category` alone and as many worn, per category.

    Words in `background` are things that no category of ours is on: their photos come without labels. Worn photos come
    only with a `teacher`.
    """
    by_word: dict[str, list[Row]] = {}
    for row in rows:
        by_word.setdefault(row.word, []).append(row)
    taken: dict[str, int] = {}
    samples: dict[str, list[Sample]] = {"train": [], "val": []}
    for word, photos in sorted(by_word.items()):
        category = category_of(word)
        if category is None and word not in background:
            report(f"{word}: {len(photos)} photos left out, no category of ours")
            continue
        random.Random(f"{seed} {word}").shuffle(photos)
        for row in photos:
            kind, labels = ("background", ()) if category is None else _look(row.image, category, teacher)
            key = f"{category or word} {kind}"
            if kind and taken.get(key, 0) < per_category:
                taken[key] = taken.get(key, 0) + 1
                samples[row.split].append(Sample(image=row.image, labels=labels))
    for key, count in sorted(taken.items()):
        report(f"{key}: {count}")
    return samples


def _look(path: Path, category: str, teacher: Detector | None) -> tuple[str, tuple[Label, ...]]:
    """Returns "alone" or "worn" with the labels, or "" when the photo can't be labeled with confidence."""
    with Image.open(path) as opened:
        image = opened.convert("RGB")
    found = find_on_white(image)
    is_on_white = found is not None
    found = found or find_on_anything(image)
    if found is not None and is_alone(found, category):
        return "alone", (Label(category, _shares(found.box, image.size)),)
    if teacher is None or not is_on_white:
        return "", ()
    believed = trust(teacher.detect([image])[0], category)
    labels = tuple(Label(d.category, _shares(d.xyxy, image.size)) for d in believed)
    return ("worn", labels) if labels else ("", ())


def _shares(box: Box, size: tuple[int, int]) -> Box:
    width, height = size
    return (box[0] / width, box[1] / height, box[2] / width, box[3] / height)
