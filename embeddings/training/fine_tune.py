"""Fits a trained encoder to one shop's catalog, in minutes on a CPU, and says whether that helped.

Steps: features of the frozen trunk (kept); a linear map on top of the projection that counts less what differs between
pictures of one product of this shop, as strong as is best on a part of the training products; the text tower on the
shop's own titles; before and after on held-out products. What doesn't win is not handed out.

A shop's photos alone say little of how phone photos differ, so the map only leans away from what it starts as: at
strength 0 it is the identity. Where products have several photos, those are the judges, as in `evaluate`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from tokenizers import Tokenizer

from embeddings.measures import Measure, mean, ranks, retrieval
from embeddings.training import model
from embeddings.training.augment import cutout_and_place, phone_photo
from embeddings.training.crops import Box, find_boxes
from embeddings.training.dataset import Picture, is_held_out
from embeddings.training.degraded import photograph
from embeddings.training.features import Trunk
from embeddings.training.projection import Projection, within
from embeddings.training.shop_catalog import read_shop
from embeddings.training.tables import claim, opened
from embeddings.training.text import TOKENIZER_NAME
from embeddings.training.text_tower import TextPlan, train_text
from embeddings.training.train import Trained, follow
from fixtures import draw_scene

STRENGTHS = (0.0, 0.1, 0.2, 0.35, 0.5, 0.7)
TUNING = 0.25  # of the products that aren't held out: they choose the strength
SECOND_PHOTOS = 30  # from so many held-out products with a second photo on, real photos judge
STREETS = 60  # drawn scenes to put products in front of; half as many others for measuring
TRAIN_SCENES, JUDGE_SCENES = 300_000, 350_000  # seeds
PHONE_PHOTOS = 2

Rows = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class ShopPlan:
    """One fine-tuning of the trained model in the folder `start`. The text plan takes 12 minutes for 5,000 titles."""

    catalog: Path
    start: Path
    work: Path
    seed: int = 0
    text: TextPlan = field(default_factory=lambda: TextPlan(epochs=8, learning_rate=3e-4))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it. `gains` are paired differences of the reciprocal rank, with their intervals."""

    trained: Trained
    before: Mapping[str, Mapping[str, Measure]]
    after: Mapping[str, Mapping[str, Measure]]
    gains: Mapping[str, Measure]

    @property
    def wins(self) -> bool:
        """Returns whether something got better for sure, and nothing got worse for sure: by 95 % intervals."""
        return any(gain.low > 0 for gain in self.gains.values()) and all(gain.high >= 0 for gain in self.gains.values())


@dataclass(frozen=True, slots=True)
class Shop:
    """The catalog's features. Photos that ask are real second photos, or bad phone photos of the first ones."""

    products: list[list[Picture]]
    catalog: Rows  # (n, features): each product's first picture, as it is served
    phone: Rows  # (n, PHONE_PHOTOS, features)
    asking: Rows  # (asked, features)
    asked: NDArray[np.intp]  # whose they are: indices of products
    real: bool  # whether these are second photos

    @property
    def first(self) -> list[Picture]:
        """Returns each product's first picture."""
        return [pictures[0] for pictures in self.products]

    def held_out(self) -> NDArray[np.bool_]:
        """Returns which products are for before and after."""
        return np.array([picture.held_out for picture in self.first])

    def tuning(self) -> NDArray[np.bool_]:
        """Returns which of the others choose the strength."""
        return np.array([not one.held_out and _tunes(one) for one in self.first])


def fine_tune(plan: ShopPlan) -> Outcome:
    """Returns the tuned model and how it compares. Raises InputError when the catalog or the start can't be used."""
    started = perf_counter()
    torch.manual_seed(plan.seed)
    products = read_shop(plan.catalog)
    made, config = model.load(plan.start)
    made.eval()
    tokenizer = Tokenizer.from_file(str(plan.start / TOKENIZER_NAME))
    shop = look(products, Trunk(model.trunk_of(made), model.preprocessing_of(config)), plan)
    old = _projection(made)
    before = _places(shop, old, _texts(made, tokenizer, shop))
    strength, new = choose(shop, old)
    follow(made, shop.catalog, new)
    model.set_projection(made, torch.from_numpy(new.weight), torch.from_numpy(new.bias))
    keep = np.flatnonzero(~shop.held_out())
    pictures = [shop.first[index] for index in keep]
    images = new(np.concatenate([shop.catalog[keep, None], shop.phone[keep]], axis=1))
    losses = train_text(made, tokenizer, pictures, images, plan.text, checkpoint=plan.work / "text.pt")
    after = _places(shop, new, _texts(made, tokenizer, shop))
    folder = plan.work / "model"
    model.save(made, config, folder)
    tokenizer.save(str(folder / TOKENIZER_NAME))
    facts = {
        "seed": plan.seed,
        "trunk": "frozen",
        "projection": f"leaning away from what differs between pictures of one product, strength {strength}",
        "counts": {"products": len(keep), "held_out": int(shop.held_out().sum())},
        "judged_by": "second photos" if shop.real else "bad phone photos",
        "text_epochs": plan.text.epochs,
        "text_loss": [round(loss, 4) for loss in losses],
        "minutes": round((perf_counter() - started) / 60, 1),
    }
    return Outcome(
        Trained(folder, tokenizer, facts),
        before={task: retrieval(places) for task, places in before.items()},
        after={task: retrieval(places) for task, places in after.items()},
        gains={
            task: mean([1 / (b[0] + 1) - 1 / (a[0] + 1) for a, b in zip(before[task], after[task], strict=True)])
            for task in before
        },
    )


def look(products: list[list[Picture]], trunk: Trunk, plan: ShopPlan) -> Shop:
    """Returns the features of everything that trains and measures, reading from the work folder what is there."""
    plan.work.mkdir(parents=True, exist_ok=True)
    flat = [picture for pictures in products for picture in pictures]
    boxes = find_boxes(flat, plan.work / "boxes_shop.json")
    claim(plan.work, trunk.identity, repr((products, boxes, plan.seed)))
    first = [pictures[0] for pictures in products]
    seconds = [index for index, pictures in enumerate(products) if len(pictures) > 1]
    real = sum(first[index].held_out for index in seconds) >= SECOND_PHOTOS
    asked = np.array(seconds if real else [i for i, one in enumerate(first) if one.held_out or _tunes(one)], np.intp)

    def catalog() -> Iterator[Sequence[Image.Image]]:
        for picture in first:
            yield [opened(picture, boxes)[1]]

    def phone() -> Iterator[Sequence[Image.Image]]:
        streets = [draw_scene(TRAIN_SCENES + 1000 * plan.seed + n).image for n in range(STREETS)]
        for index, picture in enumerate(first):
            dice = np.random.default_rng((plan.seed, 4, index))
            image = opened(picture, boxes)[0]
            yield [phone_photo(image, dice, streets) for _ in range(PHONE_PHOTOS)]

    def asking() -> Iterator[Sequence[Image.Image]]:
        streets = [] if real else [draw_scene(JUDGE_SCENES + n).image for n in range(STREETS // 2)]
        for index in asked:
            if real:
                yield [opened(products[index][1], boxes)[1]]
            else:
                yield [_bad_photo(first[index], boxes, streets, np.random.default_rng((plan.seed, 5, int(index))))]

    return Shop(
        products,
        catalog=_table(trunk, plan.work / "shop.npy", catalog, len(first))[:, 0],
        phone=_table(trunk, plan.work / "shop_phone.npy", phone, len(first)),
        asking=_table(trunk, plan.work / "shop_asking.npy", asking, len(asked))[:, 0],
        asked=asked,
        real=real,
    )


def _tunes(picture: Picture) -> bool:
    return is_held_out("tuning", picture.title.casefold(), TUNING)


def _table(trunk: Trunk, path: Path, make: Any, rows: int) -> Rows:
    return np.asarray(trunk.table(path, make, rows=rows), np.float32)


def _bad_photo(
    picture: Picture, boxes: Mapping[str, Box | None], streets: Sequence[Image.Image], dice: np.random.Generator
) -> Image.Image:
    """Returns a bad photo of the product, cut out where it can be; else of its picture, as of a poster."""
    image, crop = opened(picture, boxes)
    found = cutout_and_place(image)
    if found is None:
        return photograph(crop.convert("RGBA"), (0, 0, *crop.size), streets, dice)
    cut, (x, y, *_) = found
    x1, y1, x2, y2 = boxes[str(picture.path)] or (x, y, x + cut.width, y + cut.height)
    return photograph(cut, (x1 - x, y1 - y, x2 - x, y2 - y), streets, dice)


def choose(shop: Shop, old: Projection) -> tuple[float, Projection]:
    """Returns the strength that is best on the tuning products, learned from the others, and its projection."""
    tuning = shop.tuning()
    train = ~shop.held_out() & ~tuning
    ask = tuning[shop.asked]
    found: list[tuple[float, float, Projection]] = []
    for strength in STRENGTHS:
        new = leaning(old, shop.catalog[train], shop.phone[train], strength=strength)
        places = _found(shop, new, ask)
        found.append((float(np.mean([1 / (of[0] + 1) for of in places])) if places else 0.0, -strength, new))
    best = max(found, key=lambda one: one[:2])  # of equally good ones, the weaker
    return -best[1], best[2]


def leaning(old: Projection, catalog: Rows, phone: Rows, *, strength: float) -> Projection:
    """Returns `old` with a map on top that shrinks the directions in which pictures of one product differ.

    `catalog` (n, features) and `phone` (n, photos, features). The old projection made its own training's noise even in
    all directions, so the identity is what it knows; the shop's noise, scaled alike, is mixed in by `strength`.
    """
    if strength == 0:
        return old
    pictures = np.concatenate([catalog[:, None], phone], axis=1) @ old.weight.T + old.bias
    noise = within(pictures)
    dim = len(noise)
    mixed = (1 - strength) * np.eye(dim) + strength * noise * dim / np.trace(noise)
    sizes, directions = np.linalg.eigh(mixed)
    turn = (directions / np.sqrt(sizes)) @ directions.T
    return Projection((turn @ old.weight).astype(np.float32), (turn @ old.bias).astype(np.float32))


def _found(shop: Shop, projection: Projection, ask: NDArray[np.bool_]) -> list[NDArray[np.intp]]:
    """Returns the places of the asked products among all."""
    relevant = shop.asked[ask, None] == np.arange(len(shop.catalog))[None, :]
    return ranks(projection(shop.asking[ask]), projection(shop.catalog), relevant)


def _places(shop: Shop, projection: Projection, texts: Rows) -> dict[str, list[NDArray[np.intp]]]:
    """Returns the places of the held-out products by their photos, and by their titles, among all."""
    held_out = shop.held_out()
    titles = np.array([picture.title for picture in shop.first])
    asked = np.array(sorted({str(title) for title in titles[held_out] if title}))
    return {
        "photos": _found(shop, projection, held_out[shop.asked]),
        "titles": ranks(texts, projection(shop.catalog), asked[:, None] == titles[None, :]),
    }


def _texts(made: Any, tokenizer: Tokenizer, shop: Shop) -> Rows:
    """Returns the unit rows of the held-out titles, by name."""
    titles = sorted({picture.title for picture in shop.first if picture.held_out and picture.title})
    made.eval()
    with torch.inference_mode():
        ids = torch.tensor([row.ids for row in tokenizer.encode_batch(titles)])
        rows = [made.encode_text(part, normalize=True) for part in ids.split(64)]
    return np.asarray(torch.cat(rows).numpy(), np.float32)


def _projection(made: Any) -> Projection:
    layer = model.projection_of(made)
    return Projection(layer.weight.detach().numpy().copy(), layer.bias.detach().numpy().copy())


def with_text(plan: ShopPlan, *, epochs: int | None) -> ShopPlan:
    """Returns the plan with its text training's seed and, if given, epochs."""
    return replace(plan, text=replace(plan.text, seed=plan.seed, epochs=epochs or plan.text.epochs))
