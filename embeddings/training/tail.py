"""The trunk's last blocks while they learn from kept activations: their plan, their loss, their checkpoint.

Each bad photo must point where the start's embedding of its product lies, away from those of all other products, and
each good photo where the start puts it.
"""

import hashlib
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from tqdm import tqdm

from embeddings.measures import ranks
from embeddings.training import model
from embeddings.training.activations import Activations
from shop_search import training_curves

LOSSES, FOUND = ("choice", "good photos moved", "bad photos away"), "tuning products found"
TWINS = 0.9  # a product whose embedding is so near is no wrong answer: it may be the same picture
CHECKPOINT = "tail.pt"


@dataclass(frozen=True, slots=True)
class UnfreezePlan:
    """One fine-tuning of the trained model in the folder `start`."""

    products: Path = field(repr=False)
    views: Path = field(repr=False)
    backgrounds: Path = field(repr=False)
    start: Path = field(repr=False)
    work: Path = field(repr=False)
    blocks: int = 3  # from the last one; MobileNetV2 has seven
    pictures: int = 3000  # of products; fewer pass the front sooner
    bad_photos: int = 3  # of each
    epochs: int = 8
    batch: int = 32
    learning_rate: float = 3e-4
    sharpness: float = 20.0  # of the choice among products
    keep: float = 4.0  # what it weighs that good photos stay where they are
    seed: int = 0
    bf16: bool = False  # compute the blocks in bf16; weights, loss and what the optimizer remembers stay in fp32
    # Neither of these changes what is learned: a training may be taken up with others.
    mix: float | None = field(default=None, repr=False)  # share of the trained blocks; None: what is best
    threads: int = field(default=0, repr=False)  # 0: as many as there are cores. It changes no result


@dataclass(frozen=True, slots=True)
class Lesson:
    """The pictures in one order: (n, variants, ...) activations, whose they are, and what they should become."""

    rows: Activations
    owners: NDArray[np.intp]  # (n,) numbers of products
    targets: NDArray[np.float32]  # (n, dim): the start's embeddings of variant 0
    trains: NDArray[np.bool_]  # (n,): the others choose the mix
    worn: NDArray[np.intp]  # which pictures are a product on somebody, whose other pictures are here too: real pairs


def embedded(made: Any, rows: Activations, *, first: int, bf16: bool = False) -> NDArray[np.float32]:
    """Returns (n, dim) float32, unit rows, of (n, channels, h, w) activations; (0, 0) of none."""
    if not len(rows):
        return np.empty((0, 0), np.float32)
    with torch.inference_mode():
        parts = [_embed(made, torch.from_numpy(rows[i : i + 64]), first, bf16).numpy() for i in range(0, len(rows), 64)]
    return np.concatenate(parts)


def _embed(made: Any, rows: Tensor, first: int, bf16: bool) -> Tensor:
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
        features = model.trunk_of(made).tail(rows.float().contiguous(memory_format=torch.channels_last), first)
    return functional.normalize(model.projection_of(made)(features.float()), dim=1)


def learn(plan: UnfreezePlan, made: Any, lesson: Lesson, *, first: int) -> dict[str, list[float]]:
    """Trains the last blocks in place and returns the losses by epoch. Goes on from the work folder's checkpoint."""
    trunk = model.trunk_of(made).to(memory_format=torch.channels_last)
    made.requires_grad_(False)
    parts = [*trunk.net.blocks[first:], trunk.net.conv_head, trunk.net.bn2]
    weights = [weight.requires_grad_() for part in parts for weight in part.parameters()]
    train = np.flatnonzero(lesson.trains)
    steps = max(1, len(train) // plan.batch)
    optimizer = torch.optim.AdamW(weights, lr=plan.learning_rate, weight_decay=0.01)
    total = steps * plan.epochs
    planned = max(4, total)  # a schedule needs two steps up and one down
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, plan.learning_rate, total_steps=planned, pct_start=max(0.1, 2 / planned)
    )
    targets, owners = torch.from_numpy(lesson.targets), torch.from_numpy(lesson.owners)
    bank, whose = targets[train], owners[train]
    run = hashlib.sha256(lesson.targets.tobytes() + repr(plan).encode()).hexdigest()  # folders may be moved meanwhile
    path = plan.work / CHECKPOINT
    losses = _resumed(path, run, trunk, first, optimizer, schedule)
    for epoch in range(len(losses["choice"]), plan.epochs):
        dice = np.random.default_rng((plan.seed, 7, epoch))
        order, running = dice.permutation(train), []
        bar = tqdm(total=total, initial=steps * epoch, desc=f"epoch {epoch + 1} of {plan.epochs}", unit="step")
        for step in range(steps):
            picked = order[step * plan.batch : (step + 1) * plan.batch]
            kinds = 1 + dice.integers(lesson.rows.shape[1] - 1, size=len(picked))
            kinds[: len(picked) // 4] = 0  # a quarter are good photos
            rows = _embed(made, torch.from_numpy(lesson.rows[picked, kinds]), first, plan.bf16)
            bad = torch.from_numpy(kinds > 0)
            choice = chosen(rows[bad], torch.from_numpy(picked)[bad], targets, owners, bank, whose, plan.sharpness)
            away = 1 - (rows * targets[picked]).sum(dim=1)
            loss = choice + plan.keep * (away[~bad].mean() + 0.25 * away[bad].mean())
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(weights, 1.0)
            optimizer.step()
            schedule.step()
            running.append(
                (float(choice.detach()), float(away[~bad].mean().detach()), float(away[bad].mean().detach()))
            )
            bar.set_postfix(loss=f"{float(loss.detach()):.3f}", refresh=False)
            bar.update()
        bar.close()
        for name, value in zip(LOSSES, np.mean(running, axis=0), strict=True):
            losses[name].append(float(value))
        losses[FOUND].append(tuning_rank(made, lesson, first=first, bf16=plan.bf16))
        _keep(path, run, trunk, first, optimizer, schedule, losses)
        curves(losses, plan)
    made.requires_grad_(False)
    return losses


def curves(losses: dict[str, list[float]], plan: UnfreezePlan) -> Path:
    """Draws the losses so far into the work folder and returns the picture's path."""
    panels = {
        "choice among products": {"cross-entropy": losses["choice"]},
        "distance from the start's embeddings": {name: losses[name] for name in LOSSES[1:]},
        "bad photos of other products": {"mean reciprocal rank": losses[FOUND]},
    }
    return training_curves.draw(panels, plan.work / training_curves.NAME, title=f"encoder, last {plan.blocks} blocks")


def tuning_rank(made: Any, lesson: Lesson, *, first: int, bf16: bool = False) -> float:
    """Returns the mean reciprocal rank of the tuning pictures' bad photos among the start's embeddings of all."""
    tuning = np.flatnonzero(~lesson.trains)
    asked = embedded(made, lesson.rows[tuning, 1:].reshape(-1, *lesson.rows.shape[2:]), first=first, bf16=bf16)
    whose = np.repeat(lesson.owners[tuning], lesson.rows.shape[1] - 1)
    return mean_reciprocal_rank(asked, whose, lesson.targets, lesson.owners)


def mean_reciprocal_rank(
    asked: NDArray[np.float32], whose: NDArray[np.intp], catalog: NDArray[np.float32], owners: NDArray[np.intp]
) -> float:
    """Returns how early each row finds one of its product's in the catalog, 0 to 1; NaN where none asks."""
    if not len(asked):
        return math.nan
    return float(np.mean([1 / (places[0] + 1) for places in ranks(asked, catalog, whose[:, None] == owners[None, :])]))


def chosen(
    rows: Tensor, picked: Tensor, targets: Tensor, owners: Tensor, bank: Tensor, whose: Tensor, sharpness: float
) -> Tensor:
    """Returns the cross-entropy of the right products among all, whose embeddings by the start don't move."""
    right = owners[picked][:, None] == whose[None, :]
    twins = (targets[picked] @ bank.T > TWINS) & ~right
    logits = (sharpness * rows @ bank.T).masked_fill(twins, -torch.inf)
    return (logits.logsumexp(dim=1) - logits.masked_fill(~right, -torch.inf).logsumexp(dim=1)).mean()


def state_of(trunk: Any, first: int) -> dict[str, Tensor]:
    """Returns a copy of what is trained, by its name in the trunk."""
    names = tuple(f"net.blocks.{index}." for index in range(first, len(trunk.net.blocks)))
    return {
        name: value.detach().clone()
        for name, value in trunk.state_dict().items()
        if name.startswith((*names, "net.conv_head", "net.bn2"))
    }


def _keep(path: Path, run: str, trunk: Any, first: int, optimizer: Any, schedule: Any, losses: Any) -> None:
    """Keeps everything the next epoch needs."""
    state = {
        "tail": state_of(trunk, first), "optimizer": optimizer.state_dict(), "schedule": schedule.state_dict(),
        "losses": losses, "run": run,
    }  # fmt: skip
    part = path.with_suffix(".part")
    torch.save(state, part)
    part.rename(path)


def _resumed(path: Path, run: str, trunk: Any, first: int, optimizer: Any, schedule: Any) -> dict[str, list[float]]:
    """Loads the last finished epoch, if any; returns the losses so far."""
    state = torch.load(path, weights_only=True) if path.is_file() else {}
    if state.get("run") != run:
        return {name: [] for name in (*LOSSES, FOUND)}
    trunk.load_state_dict(state["tail"], strict=False)
    optimizer.load_state_dict(state["optimizer"])
    schedule.load_state_dict(state["schedule"])
    return dict(state["losses"])
