"""Searches the catalog with a photo, with words, or both, in a terminal."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from catalog.search.answers import Result, SearchAnswer, as_json, record
from catalog.search.questions import Question
from catalog.search.search import search
from detection.types import Box
from shop_search.errors import ShopSearchError


class Command(BaseCommand):
    help = "Finds the products of a photo, or of some words, in the catalog."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("image", type=Path, nargs="?", metavar="IMAGE")
        parser.add_argument("--category", help='search only here; "all" searches everywhere')
        parser.add_argument("--box", type=_box, help="x1,y1,x2,y2 in pixels of the upright photo")
        parser.add_argument("--text", default="", help='words: "red, under 50, without heel"; alone or beside a photo')
        parser.add_argument("--outfit", action="store_true", help="also a row for each thing in the photo")
        parser.add_argument("--limit", type=int, default=10)
        parser.add_argument("--json", action="store_true", help="print the API's body on standard output")

    def handle(self, *, image: Path | None, **options: Any) -> None:
        try:
            data = None if image is None else image.read_bytes()
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
                    outfit=options["outfit"],
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
    lines = [*_seen(answer), *_understood(answer)]
    lines.append(f"Band: {answer.band}" + (f" ({answer.reason})" if answer.reason else ""))
    lines += [_row(result) for result in answer.results]
    for row in answer.outfit or ():
        lines.append(f"Region {row.region}, {row.category.slug}: {row.band}")
        lines += [f"  {_row(result)}" for result in row.results]
    total = answer.timings_ms["total"]
    lines.append(f"{len(answer.results)} results in {total:.0f} ms")
    return lines


def _seen(answer: SearchAnswer) -> list[str]:
    if answer.size is None:
        return []
    lines = [
        f"  [{index}] {region.category:<11} {region.confidence:.2f}"
        f"{'   <- searched' if index == answer.selected.region else ''}"
        for index, region in enumerate(answer.regions)
    ]
    return [
        "Found in the photo:" if lines else "No product was detected; the whole photo was searched.",
        *lines,
    ]


def _understood(answer: SearchAnswer) -> list[str]:
    lines = []
    if answer.wishes:
        lines.append("Only: " + ", ".join(wish.label for wish in answer.wishes))
    category = answer.selected.category
    if category:
        where = "searched there only" if answer.selected.category_applied else "searched everywhere"
        lines.append(f"Category: {category.slug} ({category.source}, {category.confidence:.2f}), {where}")
    return lines


def _row(result: Result) -> str:
    product = result.product
    price = f"{product.price} {product.currency}" if product.price is not None else "no price"
    more = f"  and {len(result.others)} more" if result.others else ""
    return (
        f"{result.rank:>3}. {result.score:.3f} {result.band:<13} {product.sku:<12} "
        f"{product.title[:50]:<50} {price:>12}  {product.merchant.slug}{more}"
    )
