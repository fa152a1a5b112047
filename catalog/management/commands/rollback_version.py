"""Makes live again what was live before."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from catalog.management.version_names import KINDS
from catalog.versions import rollback
from shop_search.errors import ShopSearchError


class Command(BaseCommand):
    help = "Makes live again what was live before the last promote, for every process within about a second."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", choices=KINDS)
        parser.add_argument("--why", required=True, metavar="TEXT", help="noted with the switch")

    def handle(self, *args: Any, kind: str, why: str, **options: Any) -> None:
        try:
            switch = rollback(kind, by=None, why=why)
        except ShopSearchError as error:
            raise CommandError(error.message) from error
        after = switch.after.name if switch.after else "What the settings say"
        self.stdout.write(f"{after} is live again.")
