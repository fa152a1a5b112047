"""Measures the configured encoder beside the plain pretrained trunk."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from embeddings import encoder
from shop_search.errors import ShopSearchError

WORK = Path("runs") / "evaluate_encoder"


class Command(BaseCommand):
    help = "Measure retrieval on held-out pictures and titles, beside the plain pretrained trunk."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--products", type=Path, required=True, help="folder with catalogue.csv")
        parser.add_argument("--views", type=Path, required=True, help="folder with products.json")
        parser.add_argument("--baseline", type=Path, help="weights of timm's mobilenetv2_100; measured beside")
        parser.add_argument(
            "--backgrounds", type=Path, help="street photos (*.jpg) that training never saw: measures bad phone photos"
        )
        parser.add_argument("--work", type=Path, help="keeps the detector's boxes (default: runs/evaluate_encoder)")
        parser.add_argument("--json", action="store_true", help="print one JSON document")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            # Torch draws the baseline and is imported only when the command runs.
            from embeddings.training.baseline import PlainTrunk
            from embeddings.training.evaluate import evaluate

            work = options["work"] or Path(settings.BASE_DIR) / WORK
            folders: dict[str, Any] = {"products": options["products"], "views": options["views"], "work": work}
            folders["streets"] = options["backgrounds"]
            measured = {encoder().card.label: evaluate(encoder(), **folders)}
            if options["baseline"]:
                plain = PlainTrunk(options["baseline"])
                measured[plain.card.label] = evaluate(plain, **folders, texts=False)
        except ShopSearchError as error:
            raise CommandError(error.message) from error
        except ImportError as error:
            raise CommandError(f"Evaluating needs the training packages: pip install '.[train]' ({error}).") from error
        document = {
            label: {task: {name: asdict(value) for name, value in result.items()} for task, result in tasks.items()}
            for label, tasks in measured.items()
        }
        self.stdout.write(json.dumps(document, indent=2) if options["json"] else table(document))


def table(document: dict[str, Any]) -> str:
    """Returns one row per task and encoder."""
    lines = [f"{'task':13}{'encoder':44}{'n':>6}{'R@1':>8}{'R@5':>8}{'R@10':>8}{'R@20':>8}{'mAP':>8}  R@1 95 %"]
    for task in next(iter(document.values())):
        for label, tasks in document.items():
            if task in tasks:
                numbers = tasks[task]
                first = numbers["recall@1"]
                values = "".join(f"{numbers[name]['value']:8.3f}" for name in numbers)
                lines.append(f"{task:13}{label:44}{first['n']:6}{values}  {first['low']:.2f} to {first['high']:.2f}")
    return "\n".join(lines)
