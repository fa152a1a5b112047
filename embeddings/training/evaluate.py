"""Measures an encoder on what training never saw, and always on real pairs of pictures first.

views_crop    query: a product worn, cropped to it; catalog: its other pictures among those of all products and 5,000
              distractors. This one decides what ships.
views_whole   the same with the whole photo as query: how much the detector is worth
titles        a held-out title finds its picture among the held-out ones
titles_all    the same among all catalog pictures
degraded      a bad phone photo of a held-out product, as `embeddings.training.degraded` makes them, finds its
              catalog picture among all
drawn         a product's crop in a drawn scene finds its catalog picture; products never trained on

The grain of what a shopper would send is smoothed, as searches do.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from embeddings.grain import without_grain
from embeddings.measures import Measure, ranks, retrieval
from embeddings.training import drawn
from embeddings.training.crops import Box, find_boxes
from embeddings.training.dataset import Picture, read_products, read_views
from embeddings.training.degraded import Spoiled, read_streets, spoiled
from embeddings.training.tables import opened
from embeddings.types import Encoder

DISTRACTORS = 5000
SCENES = 120
BLOCK = 64

Rows = NDArray[np.float32]
Result = Mapping[str, Measure]


def evaluate(
    encoder: Encoder, *, products: Path, views: Path, work: Path, streets: Path | None = None, texts: bool = True
) -> dict[str, Result]:
    """Returns recall@1/5/10/20 and mAP of each task. `work` keeps the detector's boxes between runs.

    `streets` are street photos that training never saw: without them, `degraded` is left out.
    """
    pictures, sets = read_products(products), read_views(views)
    photos = None if streets is None else read_streets(streets)
    boxes = find_boxes(pictures, work / "boxes_products.json")
    catalog = _encode(encoder, pictures, lambda picture: opened(picture, boxes)[1], "products")
    measured = views_tasks(encoder, sets, catalog[:DISTRACTORS], work=work)
    if texts:
        measured.update(title_tasks(encoder, pictures, catalog))
    if photos is not None:
        measured["degraded"] = degraded_task(encoder, pictures, boxes, photos, catalog)
    measured["drawn"] = drawn_task(encoder)
    return measured


def views_tasks(
    encoder: Encoder, sets: Sequence[Sequence[Picture]], distractors: Rows, *, work: Path
) -> dict[str, Result]:
    """Returns `views_crop` and `views_whole`, of the held-out products."""
    flat = [picture for pictures in sets for picture in pictures]
    boxes = find_boxes(flat, work / "boxes_views.json")
    first = {pictures[0].path for pictures in sets}

    def cropped(picture: Picture) -> Image.Image:
        shown = opened(picture, boxes)[1]
        return without_grain(shown) if picture.path in first else shown

    crops = _encode(encoder, flat, cropped, "views")
    asked = [pictures[0] for pictures in sets if pictures[0].held_out]
    whole = _encode(encoder, asked, lambda picture: without_grain(opened(picture, boxes)[0]), "whole photos")
    shown = [index for index, picture in enumerate(flat) if picture.path not in first]
    catalog = np.concatenate([crops[shown], distractors])
    owners = np.array([flat[index].product for index in shown] + [""] * len(distractors))
    relevant = np.array([picture.product for picture in asked])[:, None] == owners[None, :]
    place = {picture.path: index for index, picture in enumerate(flat)}
    return {
        "views_crop": retrieval(ranks(crops[[place[picture.path] for picture in asked]], catalog, relevant)),
        "views_whole": retrieval(ranks(whole, catalog, relevant)),
    }


def title_tasks(encoder: Encoder, pictures: Sequence[Picture], catalog: Rows) -> dict[str, Result]:
    """Returns `titles` and `titles_all`."""
    titles = sorted({picture.title for picture in pictures if picture.held_out})
    rows = encoder.encode_texts(titles)
    owners, held_out = np.array([p.title for p in pictures]), np.array([p.held_out for p in pictures])
    relevant = np.array(titles)[:, None] == owners[None, :]
    return {
        "titles": retrieval(ranks(rows, catalog[held_out], relevant[:, held_out])),
        "titles_all": retrieval(ranks(rows, catalog, relevant)),
    }


def degraded_task(
    encoder: Encoder,
    pictures: Sequence[Picture],
    boxes: Mapping[str, Box | None],
    streets: Sequence[Image.Image],
    catalog: Rows,
) -> Result:
    """Returns how bad phone photos of held-out products find them. The same pixels under another id are right too."""
    made = tqdm(
        spoiled(pictures, boxes, streets),
        desc="bad photos", unit="picture", total=sum(picture.held_out for picture in pictures),
    )  # fmt: skip
    asked, rows = [], []
    for block in _blocks(made):
        rows.append(encoder.encode_images([without_grain(one.image) for one in block]))
        asked += [one.index for one in block]
    same = np.array([sha256(picture.path.read_bytes()).hexdigest() for picture in pictures])
    return retrieval(ranks(np.concatenate(rows), catalog, same[asked][:, None] == same[None, :]))


def drawn_task(encoder: Encoder, *, scenes: int = SCENES) -> Result:
    """Returns how scene crops of held-out products find their front picture among all drawn products."""
    products = drawn.products()
    catalog = encoder.encode_images([drawn.catalog_pictures(product)[1] for product in products])
    crops = [
        crop
        for of in tqdm(drawn.scene_crops(scenes, seed=drawn.EVALUATE_SEED, variants=0), desc="scenes", total=scenes)
        for crop in of
        if drawn.is_held_out_sku(crop.sku)
    ]
    rows = encoder.encode_images([without_grain(crop.images[0]) for crop in crops])
    relevant = np.array([c.sku for c in crops])[:, None] == np.array([p.sku for p in products])[None, :]
    return retrieval(ranks(rows, catalog, relevant))


def _blocks(made: Iterable[Spoiled]) -> Iterator[list[Spoiled]]:
    iterator = iter(made)
    while block := list(islice(iterator, BLOCK)):
        yield block


def _encode(encoder: Encoder, pictures: Sequence[Picture], show: Callable[[Picture], Image.Image], what: str) -> Rows:
    rows = [
        encoder.encode_images([show(picture) for picture in pictures[start : start + BLOCK]])
        for start in tqdm(range(0, len(pictures), BLOCK), desc=f"{encoder.card.name}: {what}", unit="block")
    ]
    return np.concatenate(rows)
