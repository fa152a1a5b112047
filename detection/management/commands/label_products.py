"""Makes detector training data of product photos whose category is known."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from shop_search.errors import ShopSearchError


class Command(BaseCommand):
    help = "Writes a YOLO dataset of a CSV's product photos: boxes are what stands out from the background."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("csv", type=Path, help="with columns of image paths (relative to it) and categories")
        parser.add_argument("--into", type=Path, required=True, help="folder of the new dataset")
        parser.add_argument("--image-column", default="image")
        parser.add_argument("--category-column", default="category")
        parser.add_argument("--title-column", default="", help="rows of one title go to one side of the split")
        parser.add_argument("--per-category", type=int, default=100)
        parser.add_argument("--background", action="append", default=[], metavar="WORD", help="label these empty")
        parser.add_argument("--teacher", type=Path, help="card of a detector that labels worn products")
        parser.add_argument("--rights", default="", help="terms of use of the photos, kept for the card")
        parser.add_argument("--seed", type=int, default=0)

    def handle(self, *args: Any, **options: Any) -> None:
        from detection.training import dataset, labeling

        columns = labeling.Columns(options["image_column"], options["category_column"], options["title_column"])
        try:
            samples = labeling.label(
                labeling.read_rows(options["csv"], columns),
                per_category=options["per_category"],
                seed=options["seed"],
                background=options["background"],
                teacher=_teacher(options["teacher"]),
                report=self.stderr.write,
            )
            for split, found in samples.items():
                counts = dataset.write(found, options["into"], split)
                self.stderr.write(f"{split}: {len(found)} photos, {dict(counts)}")
            dataset.write_yaml(options["into"], rights=options["rights"])
        except ShopSearchError as error:
            raise CommandError(error.message) from error


def _teacher(card: Path | None) -> Any:
    from detection.backends.openvino import OpenVINODetector

    return None if card is None else OpenVINODetector(card=card, confidence=0.15)
