"""Teaches the trunk's last blocks to see through bad photos, and nothing else: projection and texts stay as they are.

Steps: activations of the frozen front (kept); a pass over the products per epoch, in which each bad photo must point
where the start's embedding of its product lies, away from those of all other products, and each good photo where the
start puts it; then the blocks are mixed with those of the start: as is best for the bad photos of products that trained
nothing, among the mixes at which real pairs of pictures lose nothing to speak of.

So what the start knows is the target, not only the beginning: a training of everything on synthetic pairs alone makes
real phone photos worse. Sources: Wortsman et al., "Robust fine-tuning of zero-shot models" (WiSE-FT), 2022; Romero et
al., "FitNets", 2015.
"""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from time import perf_counter
from typing import Any

import numpy as np
import torch
from PIL import Image
from tokenizers import Tokenizer
from torch import Tensor

from embeddings.training import model
from embeddings.training.activations import Front, shards, variants
from embeddings.training.crops import find_boxes
from embeddings.training.dataset import Picture, is_held_out, read_products, read_views
from embeddings.training.tables import EVERY_BACKGROUND, claim
from embeddings.training.tail import Lesson, UnfreezePlan, embedded, learn, mean_reciprocal_rank, state_of
from embeddings.training.text import TOKENIZER_NAME
from embeddings.training.train import Trained
from shop_search.errors import InputError

TUNING = 0.08  # of the products and views that may train: they choose the mix
MIXES = (0.0, 0.25, 0.5, 0.75, 1.0)  # share of the trained blocks
# Of reciprocal rank, that real pairs may lose: rendered photos gain long after these have begun to. They are pairs that
# train, and lose less than others do: at .01, held-out ones had lost .03.
LOSS = 0.005


def unfreeze(plan: UnfreezePlan) -> Trained:
    """Returns the tuned model's folder. Raises InputError when data or start can't be read."""
    started = perf_counter()
    torch.manual_seed(plan.seed)
    if plan.threads:
        torch.set_num_threads(plan.threads)
    made, config = model.load(plan.start)
    made.eval()
    trunk = model.trunk_of(made)
    first = len(trunk.net.blocks) - plan.blocks
    if plan.mix is not None and not 0 <= plan.mix <= 1:
        raise InputError("mix_invalid", f"--mix {plan.mix} is not between 0, the start, and 1, what was trained.")
    if not 0 <= first <= min(trunk.pooled_blocks) + 1:
        raise InputError(
            "unfreeze_impossible",
            f"{plan.blocks} blocks can't be trained: from {len(trunk.net.blocks) - min(trunk.pooled_blocks) - 1} to "
            f"{len(trunk.net.blocks)} can.",
        )
    lesson = look(plan, made, Front(trunk, model.preprocessing_of(config), first=first), first=first)
    before = state_of(trunk, first)
    losses = learn(plan, made, lesson, first=first)
    mixed = measured(plan, made, lesson, before, after := state_of(trunk, first), first=first)
    mix = best_mix(mixed) if plan.mix is None else plan.mix
    trunk.load_state_dict(mixture(before, after, mix), strict=False)
    folder = plan.work / "model"
    model.save(made, config, folder)
    tokenizer = Tokenizer.from_file(str(plan.start / TOKENIZER_NAME))
    tokenizer.save(str(folder / TOKENIZER_NAME))
    return Trained(
        folder,
        tokenizer,
        {
            "seed": plan.seed,
            "trunk": f"last {plan.blocks} blocks of {len(trunk.net.blocks)} and the last layer trained",
            "projection": "the start's",
            "text": "the start's",
            "counts": {"products": int(lesson.trains.sum()), "tuning": int((~lesson.trains).sum())},
            "epochs": plan.epochs,
            "losses": {name: [_rounded(loss) for loss in of] for name, of in losses.items()},
            "mix": mix,
            "best_mix_by_what_trained": best_mix(mixed),
            "mean_reciprocal_rank_by_mix": {
                str(mix): {name: _rounded(value) for name, value in asdict(found).items()}
                for mix, found in mixed.items()
            },
            "minutes": round((perf_counter() - started) / 60, 1),
        },
    )


def _rounded(value: float) -> float | None:
    """Returns what JSON knows: it has no NaN."""
    return None if math.isnan(value) else round(value, 4)


def look(plan: UnfreezePlan, made: Any, front: Front, *, first: int) -> Lesson:
    """Returns the activations of everything that trains, and what they should become."""
    products = [picture for picture in read_products(plan.products) if not picture.held_out]
    order = np.random.default_rng(plan.seed).permutation(len(products))[: plan.pictures]
    products = [products[index] for index in sorted(order)]
    sets = [pictures for pictures in read_views(plan.views) if not pictures[0].held_out]
    views = [picture for pictures in sets for picture in pictures]
    worn = {pictures[0].path for pictures in sets if len(pictures) > 1}
    boxes = find_boxes(products, plan.work / "boxes_products.json")
    boxes.update(find_boxes(views, plan.work / "boxes_views.json"))
    pictures = [*products, *views]
    streets = [Image.open(path).convert("RGB") for path in sorted(plan.backgrounds.glob("*.jpg"))[::EVERY_BACKGROUND]]
    state = hashlib.sha256(b"".join(value.numpy().tobytes() for value in model.trunk_of(made).state_dict().values()))
    claim(
        plan.work,
        state.hexdigest(),
        repr((pictures, boxes, str(plan.backgrounds), plan.blocks, plan.bad_photos, plan.seed)),
    )

    def draw(index: int, picture: Picture) -> list[Image.Image]:
        dice = np.random.default_rng((plan.seed, 6, index))
        return list(
            variants(
                picture.path, boxes[str(picture.path)], streets, dice, size=front.preprocessing.size,
                count=plan.bad_photos,
            )
        )  # fmt: skip

    rows = shards(front, plan.work, [partial(draw, i, one) for i, one in enumerate(pictures)], name=f"front{first}")
    owners = np.unique([picture.product for picture in pictures], return_inverse=True)[1]
    return Lesson(
        rows,
        owners=owners,
        targets=embedded(made, rows[:, 0], first=first),
        trains=np.array([not is_held_out("tuning", one.title.casefold() or one.product, TUNING) for one in pictures]),
        worn=np.array([index for index, one in enumerate(pictures) if one.path in worn], np.intp),
    )


@dataclass(frozen=True, slots=True)
class Found:
    """Mean reciprocal ranks, 0 to 1; NaN where there is nothing to ask with."""

    bad_photos: float  # of products that trained nothing, among the good photos of all
    real_pairs: float  # of worn products, among the photos of all that aren't worn


def measured(
    plan: UnfreezePlan, made: Any, lesson: Lesson, before: dict[str, Tensor], after: dict[str, Tensor], *, first: int
) -> dict[float, Found]:
    """Returns what is found with each mix of both, by pictures as it sees them. The last one stays in the model."""
    trunk = model.trunk_of(made)
    tuning = np.flatnonzero(~lesson.trains)
    others = np.setdiff1d(np.arange(len(lesson.rows)), lesson.worn)
    found: dict[float, Found] = {}
    for mix in sorted({*MIXES} if plan.mix is None else {*MIXES, plan.mix}):
        trunk.load_state_dict(mixture(before, after, mix), strict=False)
        good = embedded(made, lesson.rows[:, 0], first=first, bf16=plan.bf16)
        bad = embedded(made, lesson.rows[tuning, 1:].reshape(-1, *lesson.rows.shape[2:]), first=first, bf16=plan.bf16)
        whose = np.repeat(lesson.owners[tuning], lesson.rows.shape[1] - 1)
        found[mix] = Found(
            bad_photos=mean_reciprocal_rank(bad, whose, good, lesson.owners),
            real_pairs=mean_reciprocal_rank(
                good[lesson.worn], lesson.owners[lesson.worn], good[others], lesson.owners[others]
            ),
        )
    return found


def best_mix(found: Mapping[float, Found]) -> float:
    """Returns the mix that finds the bad photos best, of those that lose at most LOSS of the start's real pairs.

    Without bad photos to ask with, the furthest of these; without real pairs, all count.
    """
    least = found[min(found)].real_pairs - LOSS
    kept = [mix for mix, of in found.items() if not of.real_pairs < least]
    return max(kept, key=lambda mix: (0.0, mix) if math.isnan(found[mix].bad_photos) else (found[mix].bad_photos, -mix))


def mixture(before: dict[str, Tensor], after: dict[str, Tensor], mix: float) -> dict[str, Tensor]:
    """Returns the weights on the line between two states, `mix` of the way."""
    return {
        name: value + mix * (after[name] - value) if value.is_floating_point() else value
        for name, value in before.items()
    }
