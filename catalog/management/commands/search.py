"""Searches the catalog with a photo, in a terminal."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from catalog.answers import SearchAnswer, as_json, record
from catalog.questions import Question
from catalog.search import search
from detection.types import Box
from shop_search.errors import ShopSearchError


class Command(BaseCommand):
    help = "Finds the products of a photo in the catalog."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("image", type=Path, metavar="IMAGE")
        parser.add_argument("--category", help='search only here; "all" searches everywhere')
        parser.add_argument("--box", type=_box, help="x1,y1,x2,y2 in pixels of the upright photo")
        parser.add_argument("--text", default="", help="words that join the photo")
        parser.add_argument("--limit", type=int, default=10)
        parser.add_argument("--json", action="store_true", help="print the API's body on standard output")

    def handle(self, *, image: Path, **options: Any) -> None:
        try:
            data = image.read_bytes()
        except OSError as error:
            raise CommandError(f"Can't read {image}: {error.strerror}.") from error
        try:
            answer = search(
                Question(
                    image=data,
                    text=options["text"],
                    box=options["box"],
                    category=options["category"],
                    limit=options["limit"],
                )
            )
        except ShopSearchError as error:
            raise CommandError(f"{error.message} ({error.code})") from error
        record(answer)
        if options["json"]:
            self.stdout.write(json.dumps(as_json(answer), indent=2))
        else:
            self.stdout.write("\n".join(_lines(answer)))


def _box(text: str) -> Box:
    x1, y1, x2, y2 = (float(part) for part in text.split(","))
    return (x1, y1, x2, y2)


def _lines(answer: SearchAnswer) -> list[str]:
    lines = [
        f"  [{index}] {region.category:<11} {region.confidence:.2f}"
        f"{'   <- searched' if index == answer.selected.region else ''}"
        for index, region in enumerate(answer.regions)
    ]
    lines.insert(0, "Found in the photo:" if lines else "No product was detected; the whole photo was searched.")
    category = answer.selected.category
    if category:
        where = "searched there only" if answer.selected.category_applied else "searched everywhere"
        lines.append(f"Category: {category.slug} ({category.source}, {category.confidence:.2f}), {where}")
    lines.append(f"Band: {answer.band}" + (f" ({answer.reason})" if answer.reason else ""))
    for result in answer.results:
        product = result.product
        price = f"{product.price} {product.currency}" if product.price is not None else "no price"
        lines.append(
            f"{result.rank:>3}. {result.score:.3f} {result.band:<13} {product.sku:<12} "
            f"{product.title[:50]:<50} {price:>12}  {product.merchant.slug}"
        )
    total = answer.timings_ms["total"]
    lines.append(f"{len(answer.results)} results in {total:.0f} ms")
    return lines
