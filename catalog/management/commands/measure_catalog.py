"""Measures how often this shop finds its own products again, and keeps the result for the console."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from tqdm import tqdm

from catalog.review.measuring import SAMPLE, measure_shop
from catalog.review.self_measurement import ALL, KS
from shop_search.errors import ShopSearchError


class Command(BaseCommand):
    help = (
        "Searches for products of this shop with their second photos and with rotated, cropped, dim and cluttered "
        "versions of their pictures (synthetic queries), and tells recall@1, 5 and 10 for each category with intervals."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--sample", type=int, default=SAMPLE, metavar="N", help="products (default: %(default)s)")
        parser.add_argument("--seed", type=int, default=0, help="of the dice (default: %(default)s)")
        parser.add_argument("--dry-run", action="store_true", help="measure and print, but keep nothing")
        parser.add_argument("--json", action="store_true", help="print one JSON document on standard output")

    def handle(self, *args: Any, sample: int, seed: int, dry_run: bool, **options: Any) -> None:
        try:
            document = self._measure(sample, seed, dry_run)
        except ShopSearchError as error:
            raise CommandError(error.message) from error
        except DatabaseError as error:
            raise CommandError(f"The database can't be used: {error}. Is `manage.py migrate` due?") from error
        except KeyboardInterrupt:
            raise CommandError("Stopped; nothing was kept.", returncode=130) from None
        if options["json"]:
            self.stdout.write(json.dumps(document, indent=2))
            return
        self.stdout.write("\n".join(_table(document)))
        self.stdout.write("Nothing was kept." if dry_run else "The console's quality page shows it.")

    def _measure(self, sample: int, seed: int, dry_run: bool) -> dict[str, Any]:
        with tqdm(desc="Searching", unit=" queries", file=sys.stderr, disable=None) as bar:

            def progress(done: int, total: int) -> None:
                bar.total = total
                bar.update(done - bar.n)

            return measure_shop(sample=sample, seed=seed, dry_run=dry_run, progress=progress)


def _table(document: dict[str, Any]) -> list[str]:
    unreadable = f", {document['unreadable']} with a picture that can't be read" if document["unreadable"] else ""
    lines = [f"{document['products']} products{unreadable}; {document['encoder']}, {document['detector']}. Synthetic."]
    for kind, categories in document["report"].items():
        lines += ["", f"{kind.replace('_', ' '):20}{'n':>6}" + "".join(f"{f'recall@{k}':>22}" for k in KS)]
        for category, measures in categories.items():
            n = measures["recall@1"]["n"]
            name = "all together" if category == ALL else category
            lines.append(f"  {name:18}{n:>6}" + "".join(f"{_cell(measures[f'recall@{k}']):>22}" for k in KS))
    return [*lines, ""]


def _cell(one: dict[str, float]) -> str:
    return f"{one['value']:.3f} [{one['low']:.3f}, {one['high']:.3f}]"
