"""Makes a key for the search widget on a shop's own pages."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from catalog.models import Merchant
from catalog.widget_keys import issue_widget_key
from shop_search.errors import ShopSearchError


class Command(BaseCommand):
    help = (
        "Prints a new key for the search widget (docs/widget.md). It may be read by everyone: it only searches, and "
        "only from the pages that --origin names."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--origin", action="append", required=True, help="of the pages, like https://shop.example; may be repeated"
        )
        parser.add_argument("--merchant", metavar="SLUG", help="whose products are searched (default: everybody's)")
        parser.add_argument("--name", default="", help="how the key is listed")
        parser.add_argument("--json", action="store_true", help="print one JSON document on standard output")

    def handle(self, *args: Any, origin: list[str], merchant: str | None, name: str, **options: Any) -> None:
        seller = Merchant.objects.filter(slug=merchant).first() if merchant else None
        if merchant and seller is None:
            raise CommandError(f"There is no merchant {merchant!r}. Make it with create_merchant.")
        try:
            key = issue_widget_key(seller, origins=origin, name=name)
        except ShopSearchError as error:
            raise CommandError(error.message) from error
        if options["json"]:
            document = {"key": key.key, "merchant": merchant, "origins": key.origins, "name": key.name}
            self.stdout.write(json.dumps(document, indent=2))
            return
        whose = seller.name if seller else "every merchant"
        self.stderr.write(f"Searches the products of {whose} from {', '.join(key.origins)}:", str)
        self.stdout.write(key.key)
