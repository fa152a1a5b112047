"""Writes what people said and put right as files that the training and evaluation commands read."""

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from catalog.review.export import crops, export
from shop_search.errors import ShopSearchError


class Command(BaseCommand):
    help = (
        "Writes verdicts and corrections into a new folder: pairs.csv for `train_encoder --catalog`, catalog.csv and "
        "queries.csv for `evaluate_retrieval`, detector/data.yaml for `train_detector` and `evaluate_detector`, and "
        "verdicts.csv and corrections.csv with all of them. Crops are copied as long as they are kept."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="a new folder")
        parser.add_argument("--json", action="store_true", help="print one JSON document on standard output")

    def handle(self, *args: Any, folder: Path, **options: Any) -> None:
        try:
            with tqdm(total=crops(), desc="Copying crops", file=sys.stderr, disable=None) as bar:
                written = export(folder, progress=bar.update)
        except ShopSearchError as error:
            raise CommandError(error.message) from error
        except OSError as error:
            raise CommandError(f"Can't write {error.filename or folder}: {error.strerror}.") from error
        if options["json"]:
            self.stdout.write(json.dumps(asdict(written)))
            return
        self.stdout.write(
            f"{written.verdicts} verdicts on {written.products} products; {written.pairs} crops show one of them. "
            f"Of {written.without_crop} the crop is no longer kept."
        )
        labeled = written.labeled
        self.stdout.write(
            f"{written.corrections} corrections; {labeled.pictures} pictures for the detector with {labeled.objects} "
            f"corrected objects and {labeled.assumed} that it is sure of beside them. {labeled.undetectable} are of "
            f"categories it has no class for, {labeled.gone} of pictures that are no longer kept."
        )
