"""Makes a version live."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from catalog.management.version_names import add_version, version_named
from catalog.versions import promote
from shop_search.errors import ShopSearchError


class Command(BaseCommand):
    help = "Makes a version live, for every process within about a second. The gate must let it through."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_version(parser)
        parser.add_argument("--why", required=True, metavar="TEXT", help="noted with the switch")
        parser.add_argument(
            "--without-gate", action="store_true", help="past a gate that refuses, or that nothing was shown to; noted"
        )

    def handle(self, *args: Any, name: str, kind: str | None, why: str, without_gate: bool, **options: Any) -> None:
        version = version_named(name, kind)
        try:
            switch = promote(version, by=None, why=why, without_gate=without_gate)
        except ShopSearchError as error:
            raise CommandError(error.message) from error
        before = switch.before.name if switch.before else "what the settings say"
        self.stdout.write(f"{version.name} is live in place of {before}.")
