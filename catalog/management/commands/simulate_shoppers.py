"""Fills a shop with synthetic shoppers whose right answers are known, marked as such."""

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from tqdm import tqdm

from catalog.bands.surfaces import surface
from catalog.simulation.traffic import forget, simulate
from shop_search.errors import ShopSearchError


class Command(BaseCommand):
    help = (
        "Searches this shop with made-up photos of its own products, clicks as a known model of shoppers does and has "
        "two made-up reviewers judge. Everything is marked as simulated. The same seed again adds nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--searches", type=int, default=500, metavar="N", help="how many (default: %(default)s)")
        parser.add_argument("--days", type=int, default=60, help="spread over so many past days (default: %(default)s)")
        parser.add_argument("--seed", type=int, default=0, help="of the dice (default: %(default)s)")
        parser.add_argument("--forget", action="store_true", help="delete all that was simulated, and stop")
        parser.add_argument("--json", action="store_true", help="print one JSON document on standard output")

    def handle(self, *args: Any, searches: int, days: int, seed: int, **options: Any) -> None:
        try:
            if options["forget"]:
                document = {"forgotten": forget()}
                words = f"{document['forgotten']} simulated searches are deleted."
            else:
                document, words = self._simulate(searches, days, seed)
        except ShopSearchError as error:
            raise CommandError(error.message) from error
        except DatabaseError as error:
            raise CommandError(f"The database can't be used: {error}. Is `manage.py migrate` due?") from error
        except KeyboardInterrupt:
            raise CommandError("Stopped. The same command goes on from here.", returncode=130) from None
        self.stdout.write(json.dumps(document, indent=2) if options["json"] else words)

    def _simulate(self, searches: int, days: int, seed: int) -> tuple[dict[str, int], str]:
        with tqdm(total=searches, desc="Searching", unit=" searches", file=sys.stderr, disable=None) as bar:
            made = simulate(
                searches,
                days=days,
                seed=seed,
                surface=surface,
                progress=lambda done, total, what: bar.update(done - bar.n),
            )
        lines = [f"{made.searches} searches, {made.clicks} clicks and {made.verdicts} verdicts, marked as simulated."]
        if made.already_there:
            lines.append(f"{made.already_there} of this seed were there already; another --seed adds new ones.")
        if made.unreadable:
            lines.append(f"{made.unreadable} pictures couldn't be read or searched with.")
        return asdict(made), " ".join(lines)
