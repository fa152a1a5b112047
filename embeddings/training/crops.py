"""Which part of each training picture shows the product: what the configured detector finds, kept in one JSON file.

The embeddings room doesn't know the detection room; it asks the settings for whatever finds products.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image
from tqdm import tqdm

from embeddings.training.dataset import Picture
from shop_search.backends import Backend

Box = tuple[float, float, float, float]

BATCH = 16
# The detector's classes that a data set's category may appear as. An open jacket over nothing looks like a top.
CLASSES: Mapping[str, tuple[str, ...]] = {
    "top": ("tops",), "tops": ("tops",),
    "jacket": ("jackets", "tops"), "jackets": ("jackets", "tops"),
    "bottoms": ("pants", "shorts", "skirts"), "trousers": ("pants",), "pants": ("pants",),
    "shorts": ("shorts",), "skirt": ("skirts",), "skirts": ("skirts",), "dress": ("dresses",), "dresses": ("dresses",),
    "shoe": ("shoes",), "shoes": ("shoes",), "bag": ("bags",), "bags": ("bags",),
    "hat": ("hats",), "hats": ("hats",), "glasses": ("sunglasses",), "sunglasses": ("sunglasses",),
}  # fmt: skip


def find_boxes(pictures: Sequence[Picture], path: Path) -> dict[str, Box | None]:
    """Returns the box of each picture's product, by file, in its pixels; None where the detector saw none.

    Kept at `path` for the next run with the same detector. Raises ServiceError when there is no detector.
    """
    detector = Backend[Any]("DETECTOR")()
    kept = json.loads(path.read_text()) if path.is_file() else {}
    known: dict[str, Any] = kept.get("found", {}) if kept.get("detector") == detector.card.fingerprint else {}
    unseen = [picture for picture in pictures if str(picture.path) not in known]
    for start in tqdm(range(0, len(unseen), BATCH), desc="finding products", unit="batch", disable=not unseen):
        batch = unseen[start : start + BATCH]
        images = [Image.open(picture.path).convert("RGB") for picture in batch]
        for picture, found in zip(batch, detector.detect(images), strict=True):
            known[str(picture.path)] = [[one.category, one.confidence, *one.xyxy] for one in found]
    if unseen:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"detector": detector.card.fingerprint, "found": known}))
    wanted = _categories(pictures, known)
    return {str(p.path): _choose(known[str(p.path)], wanted[p.product]) for p in pictures}


def _categories(pictures: Sequence[Picture], known: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Returns the detector's classes that each product may appear as.

    A product of views without a category takes the class that is seen the most, by confidence, over its pictures.
    """
    votes: dict[str, dict[str, float]] = {}
    for picture in pictures:
        if not picture.category:
            tally = votes.setdefault(picture.product, {})
            for category, confidence, x1, y1, x2, y2 in known[str(picture.path)]:
                tally[category] = tally.get(category, 0.0) + confidence * ((x2 - x1) * (y2 - y1)) ** 0.5
    chosen = {product: (max(tally, key=lambda name: tally[name]),) for product, tally in votes.items() if tally}
    return {p.product: chosen.get(p.product) or CLASSES.get(p.category, ()) for p in pictures}


def _choose(found: Sequence[Sequence[Any]], classes: tuple[str, ...]) -> Box | None:
    """Returns the box of those classes that is largest and surest; of an earlier class before a later one."""
    for name in classes:
        boxes = [row for row in found if row[0] == name]
        if boxes:
            best = max(boxes, key=lambda row: row[1] * (row[4] - row[2]) * (row[5] - row[3]))
            return (best[2], best[3], best[4], best[5])
    return None
