"""Makes detector training data: packshots' products on people who wear none of their category."""

from argparse import ArgumentParser
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from shop_search.errors import ShopSearchError


class Command(BaseCommand):
    help = "Writes a YOLO dataset of the people of one with the packshots of another pasted where such things are worn."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("people", type=Path, help="data.yaml of photos of dressed people")
        parser.add_argument("packshots", type=Path, help="data.yaml of product photos on white (label_products)")
        parser.add_argument("--into", type=Path, required=True, help="folder of the new dataset")
        parser.add_argument("--category", action="append", default=[], help="default: bags, sunglasses, hats")
        parser.add_argument("--per-category", type=int, default=500)
        parser.add_argument("--rights", default="", help="terms of use of the photos, kept for the card")
        parser.add_argument("--seed", type=int, default=0)

    def handle(self, *args: Any, **options: Any) -> None:
        from detection.training import dataset, pasting

        try:
            people, packshots = dataset.read(options["people"]), dataset.read(options["packshots"])
            goods = {
                category: pasting.cutouts(packshots, category)
                for category in options["category"] or ("bags", "sunglasses", "hats")
            }
            with TemporaryDirectory() as made:
                samples = pasting.paste(
                    people.samples("train"),
                    goods,
                    Path(made),
                    per_category=options["per_category"],
                    seed=options["seed"],
                )
                counts = dataset.write(samples, options["into"], "train")
            dataset.write((), options["into"], "val")
            dataset.write_yaml(options["into"], rights=options["rights"])
        except ShopSearchError as error:
            raise CommandError(error.message) from error
        for category, cuts in goods.items():
            if not cuts:
                self.stderr.write(f"{category}: no packshot of one alone on white")
        self.stderr.write(f"{len(samples)} photos, {dict(counts)}")
