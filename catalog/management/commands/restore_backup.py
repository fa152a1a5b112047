"""Puts a backup in the place of the shop's database."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from catalog.operations.restore import restore
from shop_search.errors import ShopSearchError
from shop_search.instance import HomeLock


class Command(BaseCommand):
    help = (
        "Replaces the database by a backup's, and adds the pictures that it has. Refuses while `serve` runs; stop your "
        "own web and worker processes too. The database that was there is kept beside."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="one backup: a folder with a manifest.json")
        parser.add_argument("--yes", action="store_true", help="don't ask")

    def handle(self, *args: Any, folder: Path, yes: bool, **options: Any) -> None:
        lock = HomeLock(settings.SHOP_SEARCH_HOME)
        try:
            lock.take("restore_backup")
            if not yes and input(f"Replace this shop's database by {folder}? [y/N] ").strip().lower() != "y":
                raise CommandError("Nothing was changed.")
            manifest = restore(folder)
            call_command("migrate", interactive=False, verbosity=0)
        except ShopSearchError as error:
            raise CommandError(error.message) from error
        finally:
            lock.release()
        self.stdout.write(
            f"Restored {manifest['products']} products as of {manifest['made_at']}. "
            "Now run reindex_catalog --check: it makes the index agree."
        )
