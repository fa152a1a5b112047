"""What a detector's training shows while it runs: how long it will take, and its curves, redrawn after each epoch."""

import csv
import math
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from shop_search import training_curves

RESULTS = "results.csv"  # ultralytics' own: one row per epoch
PANELS = {
    "losses": {"train/box_loss": "boxes", "train/cls_loss": "categories", "train/dfl_loss": "edges"},
    "on the validation pictures": {
        "metrics/mAP50(B)": "mAP50", "metrics/mAP50-95(B)": "mAP50-95", "metrics/precision(B)": "precision",
        "metrics/recall(B)": "recall",
    },
}  # fmt: skip


def watch(yolo: Any, into: Path) -> None:
    """Has the training of this YOLO say after each epoch how long it takes, and draw its curves into the folder."""
    began = time.monotonic()
    first: list[int] = []  # the epoch that this process began with

    def after_epoch(trainer: Any) -> None:
        if trainer.epoch >= trainer.epochs:
            return  # ultralytics has looked at the finished weights
        if not first:
            first.append(trainer.epoch)
        done, left = trainer.epoch + 1, trainer.epochs - trainer.epoch - 1
        minutes = (time.monotonic() - began) / 60 / (done - first[0])
        print(f"epoch {done} of {trainer.epochs}: about {minutes * left:.0f} minutes to go", file=sys.stderr)
        curves(into)

    yolo.add_callback("on_fit_epoch_end", after_epoch)


def curves(into: Path) -> Path | None:
    """Draws what the run in the folder has noted so far, and returns the picture's path; None before the first."""
    rows = noted(into)
    if not rows:
        return None
    panels = {
        name: {label: [_number(row.get(column)) for row in rows] for column, label in columns.items()}
        for name, columns in PANELS.items()
    }
    return training_curves.draw(panels, into / training_curves.NAME, title=f"detector, {len(rows)} epochs")


def noted(into: Path) -> Sequence[Mapping[str, str]]:
    """Returns the run's rows by epoch, the last one of each: a resumed run repeats the epoch that it was killed in."""
    path = into / RESULTS
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as stream:
        rows = [{key.strip(): value for key, value in row.items() if key} for row in csv.DictReader(stream)]
    return list({row["epoch"]: row for row in rows}.values())


def _number(text: str | None) -> float:
    try:
        return float(text or "nan")
    except ValueError:
        return math.nan
