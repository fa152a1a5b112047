"""Makes a backup while the shop goes on."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from catalog.operations.backup import KEPT, make_backup
from shop_search.errors import ShopSearchError


class Command(BaseCommand):
    help = (
        "Copies the database (SQLite's online backup, or pg_dump) and lists the pictures in a new folder, while the "
        "shop goes on. restore_backup brings it back."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--to", type=Path, metavar="DIR", help="where backups lie (default: backups in the home)")
        parser.add_argument("--pictures", action="store_true", help="copy the pictures too, not only their list")
        parser.add_argument(
            "--keep",
            type=int,
            default=KEPT,
            metavar="N",
            help="how many in DIR stay, this one too (%(default)s)",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON document on standard output")

    def handle(self, *args: Any, to: Path | None, pictures: bool, keep: int, **options: Any) -> None:
        if keep < 1:
            raise CommandError(f"--keep is {keep}; it must be at least 1.")
        try:
            made = make_backup(to, with_pictures=pictures, kept=keep)
        except ShopSearchError as error:
            raise CommandError(error.message) from error
        if options["json"]:
            document = {
                "path": made.path,
                "database_bytes": made.database_bytes,
                "pictures": made.pictures,
                "picture_bytes": made.picture_bytes,
                "with_pictures": made.with_pictures,
                "seconds": made.seconds,
            }
            self.stdout.write(json.dumps(document, indent=2))
            return
        what = "copied" if pictures else "listed, not copied"
        self.stdout.write(
            f"{made.path}: {made.database_bytes / 2**20:.1f} MiB of database, {made.pictures} pictures {what}, "
            f"in {made.seconds:.1f} s."
        )
