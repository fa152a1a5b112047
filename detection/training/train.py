"""Trains a YOLO of shop categories with ultralytics: from any checkpoint, on any mix of YOLO datasets.

Writes, in its folder: mix/ (the combined dataset, as links), weights/last.pt, and beside it training.json, which says
how the weights came about and goes onto the model card.
"""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from detection.backends.yolo import YOLO
from detection.training.dataset import Part, combine, read
from detection.training.export import RUN_NOTES
from shop_search.errors import InputError


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked for. The rest is ultralytics' own: its augmentation, its loss, AdamW with a cosine schedule."""

    epochs: int = 6
    imgsz: int = 416
    batch: int = 16
    lr: float = 0.001
    mosaic: float = 1.0  # chance that four pictures become one; below 1, whole packshots are seen in every epoch
    seed: int = 0
    device: str = "cpu"


def train(
    start: Path,
    data: Sequence[Path],
    into: Path,
    *,
    plan: Plan,
    command: str,
    before: Sequence[Mapping[str, Any]] = (),
) -> Path:
    """Returns the trained checkpoint, of the last epoch: none is picked by its score on the validation pictures.

    `before` are the stages that made `start`, and `command` is how this one is run again: both are for the card.
    Raises InputError when the data can't be read.
    """
    datasets = [read(path) for path in data]
    mix, parts = combine(datasets, into / "mix")
    if not any(part.objects for part in parts):
        raise InputError("dataset_unreadable", "No dataset has an object of a shop category in its train split.")
    began = time.monotonic()
    YOLO(start, task="detect").train(
        data=str(mix),
        epochs=plan.epochs,
        imgsz=plan.imgsz,
        batch=plan.batch,
        lr0=plan.lr,
        lrf=0.1,
        cos_lr=True,
        optimizer="AdamW",
        warmup_epochs=0.5,
        close_mosaic=1 if plan.epochs > 1 else 0,
        mosaic=plan.mosaic,
        flipud=0.0,  # people and bags hang one way
        seed=plan.seed,
        deterministic=True,
        device=plan.device,
        workers=0,
        val=False,
        plots=False,
        project=str(into.resolve().parent),
        name=into.name,
        exist_ok=True,
    )
    return _note(into, parts, plan=plan, command=command, before=before, start=start, minutes=_minutes(began))


def resume(into: Path) -> Path:
    """Goes on with a run that was stopped, and returns its checkpoint. Raises InputError when there is none."""
    last = into / "weights" / "last.pt"
    if not last.is_file():
        raise InputError("nothing_to_resume", f"There is no checkpoint {last}. Start without --resume.")
    YOLO(last, task="detect").train(resume=True)
    return last


def _minutes(began: float) -> int:
    return round((time.monotonic() - began) / 60)


def _note(
    into: Path,
    parts: Sequence[Part],
    *,
    plan: Plan,
    command: str,
    before: Sequence[Mapping[str, Any]],
    start: Path,
    minutes: int,
) -> Path:
    """Writes how the weights came about beside them, and returns their path."""
    weights = into / "weights" / "last.pt"
    stage = {
        "from": start.name,
        "command": command,
        "plan": asdict(plan),
        "parts": [asdict(part) for part in parts],
        "minutes": minutes,
    }
    notes = {"stages": [*before, stage]}
    (weights.parent / RUN_NOTES).write_text(json.dumps(notes, indent=2) + "\n", encoding="utf-8")
    return weights
