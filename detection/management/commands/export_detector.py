"""Exports a trained checkpoint for serving."""

import sys
from argparse import ArgumentParser
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from shop_search.errors import ShopSearchError


class Command(BaseCommand):
    help = "Writes OpenVINO weights, the stripped checkpoint and a model card into a folder."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("weights", type=Path, help="a checkpoint of train_detector")
        parser.add_argument("--into", type=Path, required=True, help="folder; point DETECTOR's card at its card.json")
        parser.add_argument("--imgsz", type=int, default=416, help="pixels of the square input, a multiple of 32")
        parser.add_argument(
            "--int8",
            type=Path,
            action="append",
            default=[],
            metavar="DATA",
            help="data.yaml whose train pictures set the ranges of 8-bit weights; repeatable. FP16 without",
        )
        parser.add_argument("--name", default="shop-search-detector")
        parser.add_argument("--model-version", default="1")
        parser.add_argument("--confidence", type=float, help="below it, detections aren't served")
        parser.add_argument("--data", type=Path, action="append", default=[], help="data.yaml to measure on")
        parser.add_argument("--trained-on", action="append", default=[], help="data and its rights, for the card")
        parser.add_argument("--notes", default="")

    def handle(self, *args: Any, **options: Any) -> None:
        with redirect_stdout(sys.stderr):
            card = self._export(options)
        self.stdout.write(f"{card.folder / 'card.json'}: {card.label}")

    def _export(self, options: dict[str, Any]) -> Any:
        from detection.backends.openvino import OpenVINODetector
        from detection.training import export
        from detection.training.dataset import read
        from detection.training.evaluate import LEAST_CONFIDENCE, measure

        if not options["weights"].is_file():
            raise CommandError(f"There is no checkpoint {options['weights']}.")
        if options["imgsz"] % 32 or options["imgsz"] <= 0:
            raise CommandError(f"--imgsz is {options['imgsz']}; it must be a multiple of 32.")
        noted = export.run_notes(options["weights"])
        origin = export.Origin(
            name=options["name"],
            version=options["model_version"],
            data=tuple(options["trained_on"] or noted.pop("data", ())),
            training=noted,
            notes=options["notes"],
        )
        confidence = export.CONFIDENCE if options["confidence"] is None else options["confidence"]
        try:
            card = export.export(
                options["weights"],
                options["into"],
                side=options["imgsz"],
                origin=origin,
                confidence=confidence,
                calibration=[sample.image for path in options["int8"] for sample in read(path).samples("train")],
            )
            detector = OpenVINODetector(card=card.folder / "card.json", confidence=LEAST_CONFIDENCE)
            metrics = {path.resolve().parent.name: measure(detector, path).as_dict() for path in options["data"]}
            return export.with_metrics(card, metrics)
        except ShopSearchError as error:
            raise CommandError(error.message) from error
