"""Trains a YOLO of shop categories with ultralytics: from any checkpoint, on any mix of YOLO datasets.

Writes, in its folder: mix/ (the combined dataset, as links), run.json (what was asked), curves.png (drawn after each
epoch), weights/last.pt, and beside it training.json: how the weights came about, for the model card.
"""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from detection.backends.yolo import YOLO
from detection.training.dataset import combine, read
from detection.training.export import RUN_NOTES
from detection.training.precision import in_bf16
from detection.training.progress import noted, watch
from shop_search.errors import InputError

RUN = "run.json"


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
    bf16: bool = False  # on a CPU


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
    stage = {"from": start.name, "command": command, "plan": asdict(plan), "parts": [asdict(part) for part in parts]}
    (into / RUN).write_text(json.dumps({"before": list(before), "stage": stage}, indent=2) + "\n", encoding="utf-8")
    began = time.monotonic()
    yolo = YOLO(start, task="detect")
    watch(yolo, into)
    if plan.bf16:
        in_bf16(yolo)
    yolo.train(
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
        val=True,  # for the curves alone: the checkpoint is the last epoch's
        plots=False,
        project=str(into.resolve().parent),
        name=into.name,
        exist_ok=True,
    )
    return _note(into, minutes=_minutes(began))


def resume(into: Path) -> Path:
    """Goes on with a run that was stopped, and returns its checkpoint. Raises InputError when there is none."""
    last = into / "weights" / "last.pt"
    if not last.is_file():
        raise InputError("nothing_to_resume", f"There is no checkpoint {last}. Start without --resume.")
    before = round(max((float(row["time"]) for row in noted(into)), default=0.0) / 60)
    yolo = YOLO(last, task="detect")
    if (
        yolo.ckpt.get("optimizer") is None
    ):  # dropped after the last epoch; ultralytics would start anew, on its own data
        if (last.parent / RUN_NOTES).is_file():
            raise InputError("nothing_to_resume", f"The run in {into} is finished: {last} is its result.")
        return _note(into, minutes=before)
    began = time.monotonic()
    watch(yolo, into)
    if _asked(into).get("stage", {}).get("plan", {}).get("bf16"):
        in_bf16(yolo)
    yolo.train(resume=True)
    return _note(into, minutes=before + _minutes(began))


def _minutes(began: float) -> int:
    return round((time.monotonic() - began) / 60)


def _note(into: Path, *, minutes: int) -> Path:
    """Writes how the weights came about beside them, and returns their path."""
    weights = into / "weights" / "last.pt"
    asked = _asked(into)
    notes = {"stages": [*asked["before"], {**asked.get("stage", {}), "minutes": minutes}]}
    (weights.parent / RUN_NOTES).write_text(json.dumps(notes, indent=2) + "\n", encoding="utf-8")
    return weights


def _asked(into: Path) -> Any:
    return json.loads((into / RUN).read_text(encoding="utf-8")) if (into / RUN).is_file() else {"before": []}
