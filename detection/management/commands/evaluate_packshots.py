"""Measures a detector on held-out photos of single products, whose box is what stands out from the white."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.module_loading import import_string

from shop_search.errors import ShopSearchError


class Command(BaseCommand):
    help = "Measures category and box of a CSV's held-out product photos, as served, told the category and not."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("csv", type=Path, help="with columns of image paths (relative to it) and categories")
        parser.add_argument("--image-column", default="image")
        parser.add_argument("--category-column", default="category")
        parser.add_argument("--title-column", default="", help="as label_products was called with")
        parser.add_argument("--card", type=Path, help="another model than the one in the settings")
        parser.add_argument("--json", action="store_true", help="print one JSON document")

    def handle(self, *args: Any, **options: Any) -> None:
        from detection.training import labeling, packshot_scores

        config: dict[str, Any] = settings.DETECTOR
        columns = labeling.Columns(options["image_column"], options["category_column"], options["title_column"])
        try:
            card = options["card"] or config["OPTIONS"]["card"]
            detector = import_string(config["BACKEND"])(**{**config["OPTIONS"], "card": card})
            shots = packshot_scores.packshots(labeling.read_rows(options["csv"], columns))
            document: dict[str, Any] = {"detector": detector.card.label}
            for name, told in (("category_unknown", False), ("category_told", True)):
                found = packshot_scores.surest(detector, shots, told=told)
                document[name] = asdict(packshot_scores.score(shots, found))
                if not told:
                    document["categories"] = {
                        slug: asdict(packshot_scores.score([shots[i] for i in places], [found[i] for i in places]))
                        for slug in detector.card.classes
                        if (places := [i for i, shot in enumerate(shots) if shot.category == slug])
                    }
        except (ShopSearchError, ImportError, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(json.dumps(document, indent=2) if options["json"] else _table(document))


def _table(document: dict[str, Any]) -> str:
    rows = [
        ("category unknown", document["category_unknown"]),
        ("category told", document["category_told"]),
        *document["categories"].items(),
    ]
    lines = [f"{document['detector']}", f"{'':18}{'n':>6}{'category':>10}{'box too':>10}{'median IoU':>12}"]
    lines += [
        f"{name:18}{row['n']:6}{row['category']:10.3f}{row['near']:10.3f}{row['iou']:12.3f}" for name, row in rows
    ]
    return "\n".join(lines)
