"""Which pictures become which feature tables: the training set, seen once by the frozen trunk.

products   (n, 4)   as the catalog shows it, trimmed, two phone photos
views      (n, 6)   as the catalog shows it, whole, four re-framed and re-lit crops
drawn      (n, 4)   both views of a drawn product, whole and cropped
scenes     (n, 3)   a drawn scene's crop of one product, two re-framed and re-lit; `skus` says whose
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from embeddings.training import drawn
from embeddings.training.augment import developed, framed, jittered, phone_photo, trimmed
from embeddings.training.crops import Box, find_boxes
from embeddings.training.dataset import Picture, read_products, read_views
from embeddings.training.features import Features, Trunk
from shop_search.errors import InputError

EVERY_BACKGROUND = 8  # one street photo in eight is variety enough, and fits into memory


@dataclass(frozen=True, slots=True)
class Tables:
    """Everything that training reads, in the order of the pictures."""

    pictures: list[Picture]
    products: Features
    views: list[list[Picture]]
    view_rows: Features  # of the flattened views
    drawn: Features
    scenes: Features
    skus: list[str]  # of the scenes' rows


def gather(
    trunk: Trunk, *, products: Path, views: Path, backgrounds: Path, scenes: int, work: Path, seed: int
) -> Tables:
    """Returns the tables, reading from `work` what a former run has made.

    Raises InputError when the data can't be read, or `work` belongs to another training.
    """
    pictures, sets = read_products(products), read_views(views)
    flat = [picture for pictures_ in sets for picture in pictures_]
    product_boxes = find_boxes(pictures, work / "boxes_products.json")
    view_boxes = find_boxes(flat, work / "boxes_views.json")
    claim(work, trunk.identity, repr((pictures, sets, product_boxes, view_boxes, str(backgrounds), scenes, seed)))
    streets = [Image.open(path).convert("RGB") for path in sorted(backgrounds.glob("*.jpg"))[::EVERY_BACKGROUND]]
    scene_rows, skus = _scenes(trunk, scenes, work, seed)
    catalog = drawn.products()
    return Tables(
        pictures=pictures,
        products=trunk.table(
            work / "products.npy", lambda: _products(pictures, product_boxes, streets, seed), rows=len(pictures)
        ),
        views=sets,
        view_rows=trunk.table(work / "views.npy", lambda: _views(flat, view_boxes, seed), rows=len(flat)),
        drawn=trunk.table(work / "drawn.npy", lambda: map(drawn.catalog_pictures, catalog), rows=len(catalog)),
        scenes=scene_rows,
        skus=skus,
    )


def claim(work: Path, *facts: str) -> None:
    """Raises InputError when the tables in `work` are of another trunk, other pictures or another plan."""
    digest = hashlib.sha256("\n".join(facts).encode()).hexdigest()
    path = work / "tables.sha256"
    if path.is_file() and path.read_text() != digest:
        raise InputError(
            "work_folder_taken", f"{work} holds features of another training. Name another --work, or empty it."
        )
    path.write_text(digest)


def opened(picture: Picture, boxes: Mapping[str, Box | None]) -> tuple[Image.Image, Image.Image]:
    """Returns the picture and its crop to the product; twice the picture where the detector saw none."""
    image = Image.open(picture.path).convert("RGB")
    box = boxes[str(picture.path)]
    return image, image if box is None else framed(image, box, margins=(0.0,) * 4)


def _products(
    pictures: Sequence[Picture], boxes: Mapping[str, Box | None], streets: Sequence[Image.Image], seed: int
) -> Iterator[list[Image.Image]]:
    for index, picture in enumerate(pictures):
        dice = np.random.default_rng((seed, 1, index))
        image, crop = opened(picture, boxes)
        yield [crop, trimmed(image), *(phone_photo(image, dice, streets) for _ in range(2))]


def _views(pictures: Sequence[Picture], boxes: Mapping[str, Box | None], seed: int) -> Iterator[list[Image.Image]]:
    for index, picture in enumerate(pictures):
        dice = np.random.default_rng((seed, 2, index))
        image, crop = opened(picture, boxes)
        box = boxes[str(picture.path)]
        frames = [
            image if box is None else framed(image, box, margins=dice.uniform(-0.05, 0.2, 4).tolist()) for _ in range(4)
        ]
        yield [crop, image, *(developed(jittered(frame, dice, by=0.12), dice) for frame in frames)]


def _scenes(trunk: Trunk, count: int, work: Path, seed: int) -> tuple[Features, list[str]]:
    """Returns the rows of all crops, and whose they are, which is written beside the table."""
    path, names = work / "scenes.npy", work / "scenes.json"
    skus: list[str] = []

    def rows() -> Iterator[Sequence[Image.Image]]:
        for crops in drawn.scene_crops(count, seed=drawn.TRAIN_SEED + 1000 * seed, variants=2):
            skus.extend(crop.sku for crop in crops)
            yield from (crop.images for crop in crops)

    if path.is_file() and names.is_file():
        return np.load(path), json.loads(names.read_text())
    path.unlink(missing_ok=True)
    table = trunk.table(path, rows, rows=4 * count)
    names.write_text(json.dumps(skus))
    return table, skus
