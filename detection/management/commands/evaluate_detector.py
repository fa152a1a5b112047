"""Measures a detector on labeled pictures."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.module_loading import import_string

from shop_search.errors import ShopSearchError

KNOWN = ("category_unknown", "category_told")  # measured on the categories of each picture alone


class Command(BaseCommand):
    help = "Measures mAP50, mAP50-95 and precision and recall per category, on the backend that serves."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--data", type=Path, required=True, help="data.yaml of a YOLO dataset")
        parser.add_argument("--split", default="val")
        parser.add_argument("--only", default="*", metavar="PATTERN", help="of image file names, like 'cf_*'")
        parser.add_argument("--card", type=Path, help="another model than the one in the settings")
        parser.add_argument("--backend", help="another backend than the one in the settings, as a dotted path")
        parser.add_argument(
            "--told", action="store_true", help="also measure what it gives to tell it each picture's categories"
        )
        parser.add_argument("--plots", type=Path, metavar="DIR", help="draw curves and confusion matrix into it")
        parser.add_argument("--json", action="store_true", help="print one JSON document")

    def handle(self, *args: Any, **options: Any) -> None:
        from detection.training.evaluate import LEAST_CONFIDENCE, answers, answers_when_told, of_known

        config: dict[str, Any] = settings.DETECTOR
        overrides = {"card": options["card"] or config["OPTIONS"]["card"], "confidence": LEAST_CONFIDENCE}
        try:
            detector = import_string(options["backend"] or config["BACKEND"])(**{**config["OPTIONS"], **overrides})
            chosen = {"data": options["data"], "split": options["split"], "only": options["only"]}
            found = answers(detector, **chosen)
            known = (of_known(found), answers_when_told(detector, **chosen)) if options["told"] else ()
            plots = [str(path) for path in _drawn(found, options["plots"], detector.card.label)]
        except (ShopSearchError, ImportError) as error:
            raise CommandError(str(error)) from error
        document = {
            "detector": detector.card.label,
            **chosen,
            "data": str(options["data"]),
            **found.scored().as_dict(),
            **{name: of.scored().as_dict() for name, of in zip(KNOWN, known, strict=False)},
            **({"plots": plots} if plots else {}),
        }
        self.stdout.write(json.dumps(document, indent=2) if options["json"] else _table(document))


def _drawn(found: Any, folder: Path | None, label: str) -> list[Path]:
    """Draws into the folder, if one was named. Raises CommandError when it can't."""
    if folder is None:
        return []
    try:
        from detection.training.plots import draw

        return draw(found, folder, title=label)
    except ImportError as error:
        raise CommandError(f"Plots need the training packages: pip install '.[train]' ({error}).") from error
    except OSError as error:
        raise CommandError(f"Can't draw into {folder}: {error.strerror}.") from error


def _table(document: dict[str, Any]) -> str:
    lines = [
        f"{document['detector']} on {document['images']} images, {document['objects']} objects",
        f"mAP50 {_number(document['map50'])}   mAP50-95 {_number(document['map50_95'])}",
        f"{'category':<12}{'n':>6}{'AP50':>8}{'AP50-95':>9}{'P':>7}{'R':>7}   at confidence {document['confidence']}",
    ]
    for slug, row in document["categories"].items():
        lines.append(
            f"{slug:<12}{row['n']:>6}{_number(row['ap50']):>8}{_number(row['ap50_95']):>9}"
            f"{_number(row['precision']):>7}{_number(row['recall']):>7}"
        )
    if document["empty_images"]:
        lines.append(f"{document['empty_images_alarmed']} of {document['empty_images']} empty images raised an alarm")
    lines += [
        f"Of each picture's own categories, {name.replace('_', ' ')}: mAP50 {_number(document[name]['map50'])}"
        for name in KNOWN
        if name in document
    ]
    lines += [f"Drawn: {path}" for path in document.get("plots", ())]
    return "\n".join(lines)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
