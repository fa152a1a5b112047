"""Corrected boxes and categories as a YOLO dataset that `train_detector` and `evaluate_detector` read.

    corrections -> pictures that are kept -> corrected objects, and what the detector is sure of beside them
                -> split by product -> images/, labels/, data.yaml

A label file has to name everything in its picture: what nobody boxed would be learned as background. So the detector's
own sure detections stand beside the corrected ones, and are counted apart. Crops of shoppers are written for as long
as they are kept.
"""

import hashlib
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

from django.core.files.storage import default_storage
from PIL import Image, ImageOps

from catalog.models import Correction, ProductImage, Verdict
from catalog.pictures.searched_crops import path_of
from catalog.taxonomy import Taxonomy, read
from detection import detector
from detection.categories import DETECTED
from detection.crops import iou
from detection.images import decode
from detection.types import Box, Detection
from shop_search.errors import InputError

HELD_OUT = 0.2  # of the products: as train_encoder holds out of a shop's catalog
# Below, the detector's own word is no label.
SURE = 0.5
SAME_OBJECT_IOU = 0.5
_BATCH = 16
_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}  # that both commands read; others become JPEG
_ORIENTATION = 0x0112
_QUALITY = 95
Field = Correction.Field


@dataclass(frozen=True, slots=True)
class Labeled:
    """What was written, in pictures and objects."""

    pictures: int = 0
    objects: int = 0  # that people put right
    assumed: int = 0  # that the detector is sure of beside them
    undetectable: int = 0  # corrections of categories that no class of the detector stands for
    gone: int = 0  # corrections of pictures that are no longer kept, or were replaced


@dataclass(frozen=True, slots=True)
class _Subject:
    """One picture with the object that somebody put right."""

    name: str  # of the files, without a suffix
    group: str  # all pictures of one product go to one split
    category: str  # shop category slug
    box: Box  # shares of the upright picture's sides
    data: bytes
    suffix: str


def export_labels(folder: Path, *, progress: Callable[[int], object] = lambda done: None) -> Labeled:
    """Writes the dataset into a new folder and returns what was written; nothing where nobody corrected anything.

    Raises ServiceError when the detector can't be loaded.
    """
    subjects, gone = _subjects()
    if not subjects:
        return Labeled(gone=gone)
    names = read()
    held_out = _held_out({subject.group for subject in subjects})
    for split in ("train", "val"):
        (folder / "images" / split).mkdir(parents=True)
        (folder / "labels" / split).mkdir(parents=True)
    done = Labeled(gone=gone)
    for start in range(0, len(subjects), _BATCH):
        batch = subjects[start : start + _BATCH]
        for subject, found in zip(batch, _seen(batch), strict=True):
            category = _class_of(subject, found, names)
            if category is None:
                done = replace(done, undetectable=done.undetectable + 1)
                continue
            beside = [one for one in found if one.confidence >= SURE and iou(one.xyxy, subject.box) < SAME_OBJECT_IOU]
            split = "val" if subject.group in held_out else "train"
            _write(folder, split, subject, [(category, subject.box), *((one.category, one.xyxy) for one in beside)])
            done = replace(
                done, pictures=done.pictures + 1, objects=done.objects + 1, assumed=done.assumed + len(beside)
            )
        progress(len(batch))
    _write_yaml(folder)
    return done


def _subjects() -> tuple[list[_Subject], int]:
    """Returns every picture with a corrected box or category, and how many corrections have no picture any more."""
    rows = Correction.objects.filter(field__in=(Field.BOX, Field.CATEGORY)).select_related(
        "search", "image__product__merchant", "image__product__category", "product"
    )
    latest: dict[tuple[str, Any], dict[str, Correction]] = {}
    for row in rows.order_by("created_at", "pk"):
        key = ("search", row.search_id) if row.search_id else ("image", row.image_id or f"gone {row.pk}")
        latest.setdefault(key, {})[row.field] = row
    found: list[_Subject] = []
    gone = 0
    for (kind, _), fields in sorted(latest.items(), key=lambda item: (item[0][0], str(item[0][1]))):
        subject = _of_search(fields) if kind == "search" else _of_image(fields)
        if subject is not None:
            found.append(subject)
        elif kind == "image" or Field.BOX in fields:
            gone += 1
    return found, gone


def _of_search(fields: dict[str, Correction]) -> _Subject | None:
    """A crop without a box of its own says where nothing is: it isn't labeled."""
    if Field.BOX not in fields:
        return None
    row = next(iter(fields.values()))
    record = row.search
    path = path_of(record.crop) if record is not None else None
    if record is None or path is None:
        return None
    category = fields[Field.CATEGORY].after if Field.CATEGORY in fields else record.category
    same = Verdict.objects.filter(search=record, verdict=Verdict.Kind.SAME_PRODUCT).order_by("pk").first()
    group = f"search {record.pk}" if same is None else f"product {same.product_id}"
    box: Box = tuple(fields[Field.BOX].after)
    return _Subject(f"search-{record.pk}", group, category, box, path.read_bytes(), ".jpg")


def _of_image(fields: dict[str, Correction]) -> _Subject | None:
    row = next(iter(fields.values()))
    image = row.image
    if image is None or any(one.sha256 != image.sha256 for one in fields.values()):
        return None
    box = fields[Field.BOX].after if Field.BOX in fields else _found_box(image)
    if box is None:
        return None
    category = fields[Field.CATEGORY].after if Field.CATEGORY in fields else image.product.category.slug
    name = str(image.file.name)
    try:
        with default_storage.open(name, "rb") as stream:
            data = stream.read()
    except OSError:
        return None
    return _Subject(f"picture-{image.pk}", f"product {image.product_id}", category, tuple(box), data, Path(name).suffix)


def _found_box(image: ProductImage) -> Box | None:
    """Returns what the detector boxed; a picture that was embedded whole has no box to label."""
    if not image.box or not image.detected_category or not image.width or not image.height:
        return None
    x1, y1, x2, y2 = image.box
    return (x1 / image.width, y1 / image.height, x2 / image.width, y2 / image.height)


def _seen(subjects: Sequence[_Subject]) -> Iterator[list[Detection]]:
    """Yields what the detector sees in each picture, boxes in shares of its sides."""
    images = []
    for subject in subjects:
        try:
            images.append(decode(subject.data).image)
        except InputError:  # was good once; then it says nothing beside what people said
            images.append(Image.new("RGB", (32, 32), "white"))
    for image, found in zip(images, detector().detect(images), strict=True):
        sides = (image.width, image.height, image.width, image.height)
        yield [
            Detection(
                tuple(side / whole for side, whole in zip(one.xyxy, sides, strict=True)),  # type: ignore[arg-type]
                one.category,
                one.confidence,
            )
            for one in found
        ]


def _class_of(subject: _Subject, found: Iterable[Detection], names: Taxonomy) -> str | None:
    """Returns the detector's class for the corrected category: of several, the one that is seen there."""
    classes = names.classes_of(subject.category)
    if len(classes) < 2:
        return next(iter(classes), None)
    there = [one for one in found if one.category in classes and iou(one.xyxy, subject.box) >= SAME_OBJECT_IOU]
    return max(there, key=lambda one: one.confidence).category if there else classes[0]


def _held_out(groups: set[str]) -> set[str]:
    """Returns the products that train nothing; at least one on each side where there are two."""
    ordered = sorted(groups, key=lambda group: hashlib.sha256(f"labels:{group}".encode()).digest())
    count = round(HELD_OUT * len(ordered))
    if len(ordered) > 1:
        count = min(max(count, 1), len(ordered) - 1)
    return set(ordered[:count])


def _write(folder: Path, split: str, subject: _Subject, objects: Iterable[tuple[str, Box]]) -> None:
    suffix = subject.suffix.lower()
    with Image.open(BytesIO(subject.data)) as image:
        is_upright = image.getexif().get(_ORIENTATION, 1) == 1
        if suffix in _SUFFIXES and is_upright:
            with (folder / "images" / split / f"{subject.name}{suffix}").open("wb") as copy:
                shutil.copyfileobj(BytesIO(subject.data), copy)
        else:
            upright = ImageOps.exif_transpose(image).convert("RGB")
            upright.save(folder / "images" / split / f"{subject.name}.jpg", quality=_QUALITY)
    lines = "".join(_line(category, box) for category, box in objects)
    (folder / "labels" / split / f"{subject.name}.txt").write_text(lines, encoding="utf-8")


def _line(category: str, box: Box) -> str:
    x1, y1, x2, y2 = (min(max(side, 0.0), 1.0) for side in box)
    numbers = ((x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1)
    return f"{DETECTED.index(category)} {' '.join(f'{number:.6f}' for number in numbers)}\n"


def _write_yaml(folder: Path) -> None:
    """Writes data.yaml: a path of its own folder, so that the export may be moved."""
    names = "".join(f"- {name}\n" for name in DETECTED)
    splits = "path: .\ntrain: images/train\nval: images/val\n"
    text = f"{splits}names:\n{names}rights: Pictures of this shop and its shoppers.\n"
    (folder / "data.yaml").write_text(text, encoding="utf-8")
