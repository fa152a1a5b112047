"""Lets a person sign in to a merchant's pages."""

import secrets
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from catalog.models import Member, Merchant


class Command(BaseCommand):
    help = (
        "Makes a person a member of a merchant, or gives a member another role. Prints a new person's password, once."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME", help="what the person signs in with")
        parser.add_argument("--merchant", required=True, metavar="SLUG")
        parser.add_argument("--role", choices=Member.Role.values, default=Member.Role.VIEWER)

    def handle(self, *args: Any, name: str, merchant: str, role: str, **options: Any) -> None:
        shop = Merchant.objects.filter(slug=merchant).first()
        if shop is None:
            raise CommandError(f"There is no merchant {merchant!r}. Make it with create_merchant.")
        users = get_user_model()
        user = users.objects.filter(username=name).first()
        password = None
        if user is None:
            user, password = users(username=name), secrets.token_urlsafe(12)
            user.set_password(password)
            try:
                user.full_clean()
            except ValidationError as error:
                raise CommandError(" ".join(error.messages)) from error
            user.save()
        Member.objects.update_or_create(user=user, merchant=shop, defaults={"role": role})
        self.stderr.write(f"{name} is {role} of {shop.name} and signs in at /merchant/.", str)
        if password is not None:
            self.stderr.write("The password, shown this once:", str)
            self.stdout.write(password)
