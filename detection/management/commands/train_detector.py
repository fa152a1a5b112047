"""Trains the detector."""

import os
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from shop_search.bf16 import has_bf16
from shop_search.errors import ShopSearchError
from shop_search.model_card import ModelCard

BUNDLED = "bundled"


class Command(BaseCommand):
    help = "Trains a YOLO of shop categories. Export it afterwards with export_detector."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--from", dest="start", default=BUNDLED, help="a checkpoint (.pt), or 'bundled'")
        parser.add_argument("--data", type=Path, action="append", default=[], help="data.yaml; several are mixed")
        parser.add_argument("--into", type=Path, help="folder of the run")
        parser.add_argument("--epochs", type=int, default=6)
        parser.add_argument("--imgsz", type=int, default=416, help="pixels of the square input, a multiple of 32")
        parser.add_argument("--batch", type=int, default=16)
        parser.add_argument("--lr", type=float, default=0.001, help="first learning rate; falls to a tenth")
        parser.add_argument("--mosaic", type=float, default=1.0, help="chance of four pictures in one")
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--device", default="cpu", help="as torch names it, like 0 for the first GPU")
        parser.add_argument(
            "--fp32", action="store_true", help="in full precision also where the CPU is twice as fast in bf16"
        )
        parser.add_argument("--resume", action="store_true", help="go on with the stopped run in --into")

    def handle(self, *args: Any, **options: Any) -> None:
        os.environ.setdefault("YOLO_AUTOINSTALL", "false")  # a missing package is an error, not a download
        into = options["into"] or settings.SHOP_SEARCH_HOME / "training" / "detector"
        try:
            with redirect_stdout(sys.stderr):  # ultralytics reports on standard output
                weights = self._train(into, options)
        except ShopSearchError as error:
            raise CommandError(error.message) from error
        self.stdout.write(str(weights))

    def _train(self, into: Path, options: dict[str, Any]) -> Path:
        from detection.training import export, train

        if options["resume"]:
            return train.resume(into)
        if not options["data"]:
            raise CommandError("Name at least one dataset with --data.")
        before: Sequence[dict[str, Any]]
        if options["start"] == BUNDLED:
            config: dict[str, Any] = settings.DETECTOR
            card = ModelCard.load(config["OPTIONS"]["card"])
            start, before = card.path("source"), card.training.get("stages", ())
        else:
            start = Path(options["start"])
            before = export.run_notes(start).get("stages", ())
        if not start.is_file():
            raise CommandError(f"There is no checkpoint {start}.")
        names = ("epochs", "imgsz", "batch", "lr", "mosaic", "seed", "device")
        bf16 = options["device"] == "cpu" and not options["fp32"] and has_bf16()
        plan = train.Plan(**{name: options[name] for name in names}, bf16=bf16)
        return train.train(start, options["data"], into, plan=plan, command=_command(options), before=before)


def _command(options: dict[str, Any]) -> str:
    """Returns the command that runs this again, with each path cut to what names it."""
    start = options["start"] if options["start"] == BUNDLED else Path(options["start"]).name
    words = ["train_detector", "--from", start]
    for path in options["data"]:
        words += ["--data", f"{path.resolve().parent.name}/{path.name}"]
    for name in ("epochs", "imgsz", "batch", "lr", "mosaic", "seed"):
        words += [f"--{name}", f"{options[name]:g}"]
    return " ".join([*words, *(["--fp32"] if options["fp32"] else [])])
