"""Trains our encoder, in minutes on two CPU cores.

Steps: features of the frozen trunk for every picture (kept), the projection in closed form from pairs of pictures, the
text tower against the image embeddings that result. Each step leaves its result in the work folder, so that a killed
training goes on where it was.

The trunk stays as ImageNet left it: a short training of everything on synthetic pairs makes real phone photos worse.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer

from embeddings.training import drawn, model
from embeddings.training.dataset import Picture
from embeddings.training.features import Trunk
from embeddings.training.projection import Projection, discriminant, within
from embeddings.training.tables import Tables, gather
from embeddings.training.text import TOKENIZER_NAME, train_tokenizer
from embeddings.training.text_tower import TextPlan, train_text
from shop_search.errors import InputError


@dataclass(frozen=True, slots=True)
class ProjectionPlan:
    """What counts as noise. Chosen by two-fold cross-validation over the views that may be trained on."""

    views: float = 1.0  # between real pictures of one product
    products: float = 2.0  # between a packshot and its pasted, re-lit copies
    drawn: float = 0.2  # between drawn packshots and scenes
    total: float = 0.3
    ridge: float = 1.0


@dataclass(frozen=True, slots=True)
class Plan:
    """One training. `backbone` starts a new model, `start` (a folder of a trained one) goes on with it."""

    products: Path
    views: Path
    backgrounds: Path
    work: Path
    backbone: Path | None = None
    start: Path | None = None
    scenes: int = 400
    seed: int = 0
    projection: ProjectionPlan = field(default_factory=ProjectionPlan)
    text: TextPlan = field(default_factory=TextPlan)


@dataclass(frozen=True, slots=True)
class Trained:
    """What a training leaves in `folder`: open_clip's config and checkpoint, and the tokenizer."""

    folder: Path
    tokenizer: Tokenizer
    facts: dict[str, Any]  # for the card


def train(plan: Plan) -> Trained:
    """Returns the trained model's folder. Raises InputError when data or start can't be read."""
    if (plan.backbone is None) == (plan.start is None):
        raise InputError("start_missing", "Start either from a backbone's weights or from a trained model's folder.")
    started = perf_counter()
    torch.manual_seed(plan.seed)
    if plan.start is not None:
        made, config = model.load(plan.start)
    else:
        config = model.read_config()
        made = model.build(config, backbone=plan.backbone)
    tables = gather(
        Trunk(model.trunk_of(made), model.preprocessing_of(config)),
        products=plan.products, views=plan.views, backgrounds=plan.backgrounds, scenes=plan.scenes, work=plan.work,
        seed=plan.seed,
    )  # fmt: skip
    projection = learn_projection(tables, plan.projection, dim=int(config["model_cfg"]["embed_dim"]))
    if plan.start is not None:
        follow(made, tables.products[:, 0], projection)
    model.set_projection(made, torch.from_numpy(projection.weight), torch.from_numpy(projection.bias))
    pictures, images = pairs(tables, projection)
    tokenizer = _tokenizer(plan, pictures)
    losses = train_text(made, tokenizer, pictures, images, plan.text, checkpoint=plan.work / "text.pt")
    folder = plan.work / "model"
    model.save(made, config, folder)
    tokenizer.save(str(folder / TOKENIZER_NAME))
    return Trained(
        folder,
        tokenizer,
        {
            "seed": plan.seed,
            "trunk": "frozen",
            "projection": "discriminant of pairs, closed form",
            "counts": {
                "products": sum(not picture.held_out for picture in tables.pictures),
                "views": sum(not picture.held_out for pictures in tables.views for picture in pictures),
                "scenes": plan.scenes,
            },
            "text_epochs": plan.text.epochs,
            "text_loss": [round(loss, 4) for loss in losses],
            "minutes": round((perf_counter() - started) / 60, 1),
        },
    )


def learn_projection(tables: Tables, plan: ProjectionPlan, *, dim: int) -> Projection:
    """Returns the projection learned from everything that isn't held out."""
    products = tables.products[np.array([not picture.held_out for picture in tables.pictures])]
    held_out = np.array([pictures[0].held_out for pictures in tables.views])
    views = tables.view_rows.reshape(len(tables.views), -1, *tables.view_rows.shape[1:])[~held_out]
    seen = _without_whole_photos(views)
    noises = [(plan.views, within(seen.reshape(len(seen), -1, seen.shape[-1]))), (plan.products, within(products))]
    drawn_noise = _drawn_noise(tables)
    if drawn_noise.any():  # nothing without scenes
        noises.append((plan.drawn, drawn_noise))
    catalog = np.concatenate([products[:, 0], views[:, :, 0].reshape(-1, views.shape[-1])])
    return discriminant(catalog, noises, dim=dim, total=plan.total, ridge=plan.ridge)


def pairs(tables: Tables, projection: Projection) -> tuple[list[Picture], NDArray[np.float32]]:
    """Returns the titled pictures that may be trained on, and (n, variants, dim) embeddings of each."""
    keep = [index for index, picture in enumerate(tables.pictures) if not picture.held_out]
    flat = [picture for pictures in tables.views for picture in pictures]
    titled = [index for index, picture in enumerate(flat) if picture.title and not picture.held_out]
    sketches = [
        (
            index,
            Picture(Path(), f"drawn/{one.sku}", one.title, one.category, (one.gender, one.color, one.subtype), False),
        )
        for index, one in enumerate(drawn.products())
        if not drawn.is_held_out_sku(one.sku)
    ]
    pictures = [tables.pictures[i] for i in keep] + [flat[i] for i in titled] + [picture for _, picture in sketches]
    rows = np.concatenate(
        [
            tables.products[keep][:, :4],
            tables.view_rows[titled][:, [0, 2, 3, 4]],
            tables.drawn[[index for index, _ in sketches]][:, :4],
        ]
    )
    return pictures, projection(rows)


def _without_whole_photos(views: NDArray[Any]) -> NDArray[Any]:
    """A whole photo shows the other clothes too: it is no picture of the product."""
    return np.delete(views, 1, axis=2)


def _drawn_noise(tables: Tables) -> NDArray[np.float64]:
    """Covariance within drawn products between their packshots and their crops in scenes."""
    total = np.zeros((tables.drawn.shape[-1],) * 2)
    owners = np.array(tables.skus)
    rows = 0
    for index, product in enumerate(drawn.products()):
        scenes = tables.scenes[owners == product.sku]
        if drawn.is_held_out_sku(product.sku) or not len(scenes):
            continue
        group = np.concatenate([tables.drawn[index], scenes.reshape(-1, scenes.shape[-1])])
        total += within(group[None]) * len(group)
        rows += len(group)
    return total / max(rows, 1)


def follow(made: Any, features: NDArray[Any], projection: Projection) -> None:
    """Turns the text tower along with the image tower, which `projection` is about to replace the projection of.

    The linear map between old and new embeddings of (n, features) joins the text tower's own last one.
    """
    with torch.no_grad():
        old = model.projection_of(made)
        before = Projection(old.weight.numpy().copy(), old.bias.numpy().copy())
        turn, *_ = np.linalg.lstsq(before(features), projection(features), rcond=None)
        made.text.text_projection.copy_(made.text.text_projection @ torch.from_numpy(turn))


def _tokenizer(plan: Plan, pictures: Sequence[Picture]) -> Tokenizer:
    if plan.start is not None:
        return Tokenizer.from_file(str(plan.start / TOKENIZER_NAME))
    return train_tokenizer(
        [picture.title for picture in pictures] + [" ".join((*picture.words, picture.category)) for picture in pictures]
    )
