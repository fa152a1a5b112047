"""Makes a merchant, and a key to the API."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from catalog.models import ApiKey, Merchant


class Command(BaseCommand):
    help = "Makes a merchant unless there is one of this name. With --with-key prints a new API key, once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", metavar="SLUG", help="letters, digits, hyphens and underscores")
        parser.add_argument("--name", help="what shoppers read (default: made from the slug)")
        parser.add_argument("--with-key", action="store_true", help="also make an API key; it can't be shown again")
        parser.add_argument("--key-name", default="command line", help="how the key is listed (default: %(default)s)")
        parser.add_argument("--json", action="store_true", help="print one JSON document on standard output")

    def handle(self, *args: Any, slug: str, with_key: bool, key_name: str, **options: Any) -> None:
        merchant = Merchant.objects.filter(slug=slug).first()
        is_new = merchant is None
        if merchant is None:
            name = options["name"] or slug.replace("-", " ").replace("_", " ").title()
            merchant = Merchant(slug=slug, name=name)
            try:
                merchant.full_clean()
            except ValidationError as error:
                raise CommandError(" ".join(error.messages)) from error
            merchant.save()
        elif options["name"] and options["name"] != merchant.name:
            raise CommandError(f"There is a merchant {slug!r} already, named {merchant.name!r}.")
        key = ApiKey.issue(merchant, name=key_name)[1] if with_key else None
        if options["json"]:
            document = {"slug": merchant.slug, "name": merchant.name, "created": is_new, "key": key}
            self.stdout.write(json.dumps(document, indent=2))
            return
        self.stderr.write(f"{'Made' if is_new else 'There is'} merchant {merchant.slug!r}, {merchant.name}.", str)
        if key is not None:
            self.stderr.write("Its new API key, shown this once:", str)
            self.stdout.write(key)
