"""Says what is wrong with a merchant's products, and what to fix first."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from tqdm import tqdm

from catalog.doctor.checkup import examine_all
from catalog.doctor.diagnoses import DIAGNOSES
from catalog.doctor.report import Patient, Sum, patients, sick, sums
from catalog.models import Checkup, Merchant, Product
from shop_search.errors import ShopSearchError

WORST = 20
_WIDTH = 60  # of a title in the table


class Command(BaseCommand):
    help = (
        "Looks at every product of a merchant that is on sale and says what keeps shoppers from finding it, what to "
        "fix first. Pictures are opened once; what was measured is kept. Nothing is changed in the catalog or index."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("merchant", metavar="MERCHANT", help="the merchant's slug")
        parser.add_argument(
            "--worst", type=int, default=WORST, metavar="N", help="products to print (default: %(default)s)"
        )
        parser.add_argument("--code", default="", choices=list(DIAGNOSES), help="print only products with this finding")
        parser.add_argument("--json", action="store_true", help="print one JSON document on standard output")

    def handle(self, *args: Any, merchant: str, worst: int, code: str, **options: Any) -> None:
        try:
            seller = Merchant.objects.filter(slug=merchant).first()
            if seller is None:
                raise CommandError(f"There is no merchant {merchant!r}.")
            total = Product.objects.for_merchant(seller).shown().count()
            with tqdm(total=total, desc="Products", unit=" products", file=sys.stderr, disable=None) as bar:
                checkup = examine_all(seller, progress=bar.update)
            counted = sums(seller)
            first = patients(seller, list(sick(seller, code)[: max(worst, 0)]))
            with_findings = sick(seller).count()
        except ShopSearchError as error:
            raise CommandError(error.message) from error
        except DatabaseError as error:
            raise CommandError(f"The database can't be used: {error}. Is `manage.py migrate` due?") from error
        except KeyboardInterrupt:
            raise CommandError("Stopped. What was found until now is kept.", returncode=130) from None
        if options["json"]:
            self.stdout.write(json.dumps(_document(seller, checkup, with_findings, counted, first), indent=2))
        else:
            self.stdout.write("\n".join(_lines(checkup, with_findings, counted, first)))


def _document(
    seller: Merchant, checkup: Checkup, with_findings: int, counted: list[Sum], first: list[Patient]
) -> dict[str, Any]:
    return {
        "merchant": seller.slug,
        "products": checkup.products,
        "products_with_findings": with_findings,
        "counts": {one.code: one.products for one in counted},
        "worst": [
            {
                "sku": patient.product.sku,
                "title": patient.product.title,
                "urgency": patient.urgency,
                "findings": [
                    {
                        "code": one.code,
                        "severity": str(one.severity),
                        "message": one.sentence,
                        "advice": one.advice,
                        "image": one.image,
                    }
                    for one in patient.findings
                ],
            }
            for patient in first
        ],
    }


def _lines(checkup: Checkup, with_findings: int, counted: list[Sum], first: list[Patient]) -> list[str]:
    lines = [f"{checkup.products} products on sale, {with_findings} of them with something to mend."]
    if counted:
        lines += ["", f"{'products':>9}  {'severity':<9} {'code':<23} what"]
        lines += [f"{one.products:>9}  {one.severity:<9} {one.code:<23} {one.title}" for one in counted]
    if first:
        lines += ["", "Fix first:"]
    for patient in first:
        lines.append(f"  {patient.product.sku}  {patient.product.title[:_WIDTH]}")
        lines += [f"      {one.code}: {one.sentence}" for one in patient.findings]
    return lines
