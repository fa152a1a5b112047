"""Trains the text tower against frozen image embeddings: locked-image tuning.

The image side is judged on real pairs of pictures and must not pay for the titles. Source: Zhai et al., "LiT: Zero-Shot
Transfer with Locked-image text Tuning", 2022.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional
from tqdm import tqdm

from embeddings.training.dataset import Picture
from embeddings.training.text import caption
from shop_search import training_curves


@dataclass(frozen=True, slots=True)
class TextPlan:
    """How long and how fast. The defaults take ten minutes on two CPU cores with 5,000 titles."""

    epochs: int = 30
    batch: int = 256
    learning_rate: float = 1e-3
    weight_decay: float = 0.1
    seed: int = 0


def train_text(
    model: Any,
    tokenizer: Tokenizer,
    pictures: Sequence[Picture],
    images: NDArray[np.float32],
    plan: TextPlan,
    *,
    checkpoint: Path | None = None,
    device: torch.device | None = None,
) -> list[float]:
    """Trains `model.text` in place on `images`, (n, variants, dim) unit rows of `pictures`; returns the losses."""
    device = device or torch.device("cpu")
    torch.manual_seed(plan.seed)
    tower, scale = model.text.to(device).train(), model.logit_scale
    mask = tower.attn_mask
    with torch.no_grad():
        scale.fill_(math.log(1 / 0.07))
    optimizer = torch.optim.AdamW(
        [{"params": tower.parameters()}, {"params": [scale], "weight_decay": 0.0}],
        lr=plan.learning_rate, weight_decay=plan.weight_decay, betas=(0.9, 0.98),
    )  # fmt: skip
    steps = max(1, len(pictures) // plan.batch) * plan.epochs
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, [plan.learning_rate, 1e-2], total_steps=steps, pct_start=0.1
    )
    groups = np.unique([picture.title.casefold() or picture.product for picture in pictures], return_inverse=True)[1]
    # A checkpoint goes on only with the embeddings and the plan it was made for.
    run = hashlib.sha256(images.tobytes() + repr((plan, len(pictures))).encode()).hexdigest()
    losses = _resumed(checkpoint, run, model, optimizer, schedule)
    for epoch in range(len(losses), plan.epochs):
        dice = np.random.default_rng((plan.seed, epoch))
        order, running = dice.permutation(len(pictures)), []
        batches = range(0, max(1, len(order) - plan.batch + 1), plan.batch)
        bar = tqdm(
            total=len(batches) * plan.epochs, initial=len(batches) * epoch, unit="step", leave=False,
            desc=f"text epoch {epoch + 1} of {plan.epochs}",
        )  # fmt: skip
        for start in batches:
            rows = order[start : start + plan.batch]
            variants = dice.integers(images.shape[1], size=len(rows))
            ids = _ids(tokenizer, [caption(pictures[i], dice) for i in rows])
            tower.attn_mask = mask[: ids.shape[1], : ids.shape[1]]
            texts = model.encode_text(ids.to(device), normalize=True)
            loss = _loss(texts, torch.from_numpy(images[rows, variants]).to(device), groups[rows], scale)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(tower.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            with torch.no_grad():
                scale.clamp_(0, math.log(100))
            running.append(float(loss.detach()))
            bar.update()
        bar.close()
        losses.append(float(np.mean(running)))
        _save(checkpoint, run, model, optimizer, schedule, losses)
        if checkpoint is not None:
            training_curves.draw(
                {"text tower": {"loss": losses}}, checkpoint.with_name(training_curves.NAME), title="encoder"
            )
    tower.attn_mask = mask
    tower.eval()
    return losses


def _save(path: Path | None, run: str, model: Any, optimizer: Any, schedule: Any, losses: list[float]) -> None:
    """Keeps everything the next epoch needs."""
    if path is None:
        return
    state = {
        "text": model.text.state_dict(), "scale": model.logit_scale.detach(), "optimizer": optimizer.state_dict(),
        "schedule": schedule.state_dict(), "losses": losses, "run": run,
    }  # fmt: skip
    partial = path.with_suffix(".part")
    torch.save(state, partial)
    partial.rename(path)


def _resumed(path: Path | None, run: str, model: Any, optimizer: Any, schedule: Any) -> list[float]:
    """Loads the last finished epoch, if any; returns the losses so far."""
    if path is None or not path.is_file():
        return []
    state = torch.load(path, weights_only=True)
    if state["run"] != run:
        return []
    model.text.load_state_dict(state["text"])
    with torch.no_grad():
        model.logit_scale.copy_(state["scale"])
    optimizer.load_state_dict(state["optimizer"])
    schedule.load_state_dict(state["schedule"])
    return list(state["losses"])


def _ids(tokenizer: Tokenizer, texts: Sequence[str]) -> Tensor:
    """Returns (n, longest) int64: a causal tower that reads the last token never looks at the padding behind it."""
    rows = tokenizer.encode_batch(list(texts))
    longest = max(sum(row.attention_mask) for row in rows)
    return torch.tensor([row.ids[:longest] for row in rows])


def _loss(texts: Tensor, images: Tensor, groups: NDArray[np.intp], scale: Tensor) -> Tensor:
    """CLIP's loss, where two pictures of the same title are each other's match too."""
    logits = scale.exp() * texts @ images.T
    same = torch.from_numpy(groups[:, None] == groups[None, :]).float().to(logits.device)
    targets = same / same.sum(dim=1, keepdim=True)
    return (functional.cross_entropy(logits, targets) + functional.cross_entropy(logits.T, targets)) / 2
