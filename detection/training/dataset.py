"""YOLO datasets: reading them, writing them, and making one of several whose class names differ.

A dataset is a data.yaml (path, train, val, names) over images/<split>/ and labels/<split>/; a label file has a line
`class x y width height` per object, centered, as shares of the picture. A picture without a label file shows nothing.
"""

import shutil
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from detection.categories import DETECTED, category_of
from detection.types import Box
from shop_search.errors import InputError

IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}


@dataclass(frozen=True, slots=True)
class Label:
    """One object in a picture."""

    category: str  # shop category slug
    box: Box  # xyxy, as shares of the picture's width and height, in [0, 1]


@dataclass(frozen=True, slots=True)
class Sample:
    """One picture with what is on it."""

    image: Path
    labels: tuple[Label, ...]


@dataclass(frozen=True, slots=True)
class Dataset:
    """A data.yaml, read."""

    name: str  # its folder
    root: Path
    splits: dict[str, tuple[Path, ...]]  # folders of images by split
    categories: tuple[str | None, ...]  # by class index; None for a class that is none of ours
    rights: str  # under which terms the pictures may be used, if the file says so

    def samples(self, split: str) -> list[Sample]:
        """Returns the split's pictures by name, without objects of foreign classes.

        Raises InputError when the split is missing or a label file can't be read.
        """
        if split not in self.splits:
            raise InputError("dataset_unreadable", f"{self.root} has no split {split!r}, only {sorted(self.splits)}.")
        images = (path for folder in self.splits[split] for path in sorted(folder.iterdir()))
        return [
            Sample(image=path, labels=self._labels(path)) for path in images if path.suffix.lower() in IMAGE_SUFFIXES
        ]

    def _labels(self, image: Path) -> tuple[Label, ...]:
        path = labels_of(image)
        if not path.is_file():
            return ()
        found = []
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if not line.strip():
                continue
            try:
                index, x, y, width, height = (float(word) for word in line.split())
                category = self.categories[int(index)]
            except (ValueError, IndexError) as error:
                raise InputError("dataset_unreadable", f"{path}, line {number}: {line!r} is no label.") from error
            if category is not None and width > 0 and height > 0:
                found.append(Label(category, (x - width / 2, y - height / 2, x + width / 2, y + height / 2)))
        return tuple(found)


def labels_of(image: Path) -> Path:
    """Returns where the labels of an image lie: `images` becomes `labels` in its path, as ultralytics has it."""
    parts = list(image.parts)
    at = len(parts) - 1 - parts[::-1].index("images") if "images" in parts else None
    if at is not None:
        parts[at] = "labels"
    return Path(*parts).with_suffix(".txt")


def read(path: Path) -> Dataset:
    """Returns the dataset of a data.yaml. Raises InputError when the file or a folder it names can't be read."""
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
        names = raw["names"]
        ordered = [names[index] for index in sorted(names)] if isinstance(names, dict) else list(names)
        root = path.parent / str(raw.get("path", "."))
        if not root.is_dir():
            root = path.parent  # the dataset was moved here: its own folder is what is meant
        splits = {split: _folders(root, raw[split]) for split in ("train", "val", "test") if raw.get(split)}
    except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise InputError("dataset_unreadable", f"Can't read the dataset {path}: {error!r}") from error
    for folder in (folder for folders in splits.values() for folder in folders):
        if not folder.is_dir():
            raise InputError("dataset_unreadable", f"{path} names {folder}, which is no folder.")
    return Dataset(
        name=path.resolve().parent.name,
        root=root,
        splits=splits,
        categories=tuple(category_of(str(name)) for name in ordered),
        rights=str(raw.get("rights", "")),
    )


def _folders(root: Path, entry: str | Sequence[str]) -> tuple[Path, ...]:
    return tuple(root / part for part in ([entry] if isinstance(entry, str) else entry))


def write(samples: Iterable[Sample], into: Path, split: str, *, prefix: str = "", link: bool = False) -> Counter[str]:
    """Adds pictures and labels to one split of a dataset folder, in our class order; returns its objects by category.

    Copies the pictures, or links to them.
    """
    images, labels = into / "images" / split, into / "labels" / split
    images.mkdir(parents=True, exist_ok=True)
    labels.mkdir(parents=True, exist_ok=True)
    count: Counter[str] = Counter()
    for sample in samples:
        target = images / f"{prefix}{sample.image.name}"
        target.unlink(missing_ok=True)
        if link:
            target.symlink_to(sample.image.resolve())
        else:
            shutil.copyfile(sample.image, target)
        lines = [_line(label) for label in sample.labels]
        (labels / target.with_suffix(".txt").name).write_text("".join(lines), encoding="utf-8")
        count.update(label.category for label in sample.labels)
    return count


def _line(label: Label) -> str:
    x1, y1, x2, y2 = (min(max(value, 0.0), 1.0) for value in label.box)
    numbers = ((x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1)
    return f"{DETECTED.index(label.category)} {' '.join(f'{number:.6f}' for number in numbers)}\n"


def write_yaml(into: Path, *, rights: str = "") -> Path:
    """Writes the data.yaml of a dataset folder with splits train and val, and returns its path."""
    path = into / "data.yaml"
    content = {"path": str(into.resolve()), "train": "images/train", "val": "images/val", "names": list(DETECTED)}
    path.write_text(yaml.safe_dump(content | {"rights": rights} if rights else content, sort_keys=False))
    return path


@dataclass(frozen=True, slots=True)
class Part:
    """What one dataset gives to a mix: for the card."""

    name: str
    rights: str
    images: int
    objects: dict[str, int]


def combine(datasets: Sequence[Dataset], into: Path) -> tuple[Path, list[Part]]:
    """Makes one dataset of links to several, in our class order; returns its data.yaml and what it is made of."""
    if into.exists():
        shutil.rmtree(into)
    parts = []
    for number, dataset in enumerate(datasets):
        prefix = f"{number}_"
        train = dataset.samples("train")
        objects = write(train, into, "train", prefix=prefix, link=True)
        write(dataset.samples("val"), into, "val", prefix=prefix, link=True)
        parts.append(Part(name=dataset.name, rights=dataset.rights, images=len(train), objects=dict(objects)))
    return write_yaml(into), parts
