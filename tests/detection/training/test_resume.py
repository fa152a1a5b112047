"""A training that is killed goes on where it was, with its curves and with what the card will say of it."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from PIL import Image, ImageDraw

from detection.training.dataset import Label, Sample, write, write_yaml

pytest.importorskip("detection.backends.yolo", reason="ultralytics is not installed: it comes with the 'train' extra")

from detection.training import progress, train


def squares(root: Path) -> Path:
    samples = []
    for number in range(2):
        image = Image.new("RGB", (64, 64), "white")
        ImageDraw.Draw(image).rectangle((10 + number, 10, 40 + number, 40), fill="navy")
        image.save(root / f"{number}.png")
        samples.append(Sample(root / f"{number}.png", (Label("bags", (0.16, 0.16, 0.63, 0.63)),)))
    for split in ("train", "val"):
        write(samples, root / "set", split)
    return write_yaml(root / "set")


class KilledError(Exception):
    """What a kill looks like from inside."""


def test_a_killed_training_goes_on_with_the_next_epoch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from detection.backends.yolo import YOLO

    YOLO("yolov8n.yaml", verbose=False).save(tmp_path / "fresh.pt")
    into = tmp_path / "out"

    def die_after_an_epoch(yolo: Any, folder: Path) -> None:
        progress.watch(yolo, folder)

        def die(trainer: Any) -> None:
            raise KilledError

        yolo.add_callback("on_fit_epoch_end", die)

    monkeypatch.setattr(train, "watch", die_after_an_epoch)
    arguments = ("--from", str(tmp_path / "fresh.pt"), "--data", str(squares(tmp_path)), "--into", str(into))
    plan = ("--epochs", "2", "--imgsz", "64", "--batch", "2", "--fp32")
    with pytest.raises(KilledError):
        call_command("train_detector", *arguments, *plan, stdout=StringIO())
    assert [row["epoch"] for row in progress.noted(into)] == ["1"]
    with Image.open(into / "curves.png") as picture:
        after_one = picture.tobytes()
    monkeypatch.undo()

    call_command("train_detector", "--resume", "--into", str(into), stdout=StringIO())

    assert [row["epoch"] for row in progress.noted(into)] == ["1", "2"]
    with Image.open(into / "curves.png") as picture:
        assert picture.tobytes() != after_one
    (stage,) = json.loads((into / "weights" / "training.json").read_text())["stages"]
    assert stage["command"].startswith("train_detector --from fresh.pt")
    assert stage["command"].endswith("--fp32")
    assert (stage["plan"]["epochs"], stage["plan"]["bf16"]) == (2, False)
    with pytest.raises(CommandError, match="finished"):
        call_command("train_detector", "--resume", "--into", str(into), stdout=StringIO())


def test_a_run_before_its_first_epoch_has_no_curves(tmp_path: Path) -> None:
    assert progress.curves(tmp_path) is None


def test_an_epoch_that_a_kill_repeated_counts_once(tmp_path: Path) -> None:
    (tmp_path / "results.csv").write_text("epoch, time,train/box_loss\n1,5,2.0\n2,9,1.9\n2,4,1.8\n")
    assert [(row["epoch"], row["train/box_loss"]) for row in progress.noted(tmp_path)] == [("1", "2.0"), ("2", "1.8")]
    picture = progress.curves(tmp_path)
    assert picture is not None
    assert picture.name == "curves.png"
