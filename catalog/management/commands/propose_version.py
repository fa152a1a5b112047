"""Proposes a version of what answers searches, and indexes it beside the live one."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from catalog.management.version_names import KINDS
from catalog.models import Version
from catalog.versions import propose
from catalog.versions.beside import build
from shop_search.errors import ShopSearchError


class Command(BaseCommand):
    help = (
        "Proposes an encoder, a detector, ranking weights or band thresholds. With --build its pictures are indexed "
        "beside the live ones; killed, the same command goes on."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", choices=KINDS)
        parser.add_argument("name", metavar="NAME")
        parser.add_argument("--card", metavar="PATH", help="the model's card.json, for an encoder or a detector")
        parser.add_argument("--options", metavar="JSON", help="weights or thresholds, as a JSON object")
        parser.add_argument("--build", action="store_true", help="index it beside the live one")
        parser.add_argument("--json", action="store_true", help="print one JSON document on standard output")

    def handle(self, *args: Any, kind: str, name: str, card: str | None, build: bool, **options: Any) -> None:
        if (card is None) == (options["options"] is None):
            raise CommandError("Give --card or --options.")
        try:
            given = {"card": card} if card is not None else json.loads(options["options"])
        except ValueError as error:
            raise CommandError(f"--options is no JSON: {error}") from error
        try:
            version = Version.objects.filter(kind=kind, name=name).first() if build else None
            version = version or propose(kind, name=name, options=given, by=None)
            if build and version.has_index:
                _build(version)
        except ShopSearchError as error:
            raise CommandError(error.message) from error
        except KeyboardInterrupt:
            raise CommandError("Stopped. The same command goes on from here.", returncode=130) from None
        version.refresh_from_db()
        if options["json"]:
            self.stdout.write(
                json.dumps({"id": version.pk, "kind": kind, "name": version.name, "state": version.state})
            )
        else:
            self.stdout.write(f"{version.name} is {version.get_state_display().lower()}.")


def _build(version: Version) -> None:
    with tqdm(desc="Pictures", unit=" pictures", file=sys.stderr, disable=None) as bar:

        def progress(done: int, total: int, what: str) -> None:
            bar.total = total
            bar.update(done - bar.n)

        build(version, progress)
