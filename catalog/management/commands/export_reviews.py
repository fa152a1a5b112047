"""Writes what reviewers said as files that train_encoder and evaluate_retrieval read."""

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
        "Writes verdicts into a new folder: pairs.csv for `train_encoder --catalog`, catalog.csv and queries.csv for "
        "`evaluate_retrieval`, and verdicts.csv with every verdict. Crops are copied as long as they are kept."
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
