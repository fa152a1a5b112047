"""Trains the attribute heads of the configured encoder and puts them beside its card."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from embeddings import encoder
from shop_search.errors import ShopSearchError

WORK = Path("runs") / "train_attributes"
DATA = "{train} pictures of catalog products with their labels, as they are and as on a phone, and of drawn products"


class Command(BaseCommand):
    help = "Train heads for gender, article type, color and pattern on the configured encoder's embeddings."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--products", type=Path, required=True, help="folder with catalogue.csv")
        parser.add_argument("--backgrounds", type=Path, required=True, help="street photos (*.jpg) for training")
        parser.add_argument("--streets", type=Path, required=True, help="other street photos (*.jpg), for measuring")
        parser.add_argument("--out", type=Path, help="the encoder's folder, if not the configured one's")
        parser.add_argument("--work", type=Path, help="keeps embeddings (default: runs/train_attributes)")
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--rights", action="append", default=[], help="a line on the data's rights, for the card")
        parser.add_argument("--json", action="store_true", help="print the card's metrics as one JSON document")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            # Torch is imported only when the command runs, so that `manage.py help` stays light.
            from embeddings.training.attribute_scores import measure
            from embeddings.training.attributes import gather, ship, train

            model = encoder()
            sets = gather(
                model,
                products=options["products"],
                backgrounds=options["backgrounds"],
                streets=options["streets"],
                work=options["work"] or Path(settings.BASE_DIR) / WORK,
                seed=options["seed"],
            )
            trained = train(sets)
            metrics = measure(trained.heads, sets.told(trained.heads))
            data = [DATA.format(train=len(sets.train.labels)), *options["rights"]]
            card = ship(
                trained,
                options["out"] or model.card.folder,
                encoder=model.card,
                metrics=metrics,
                data=data,
                seed=options["seed"],
            )
        except ShopSearchError as error:
            raise CommandError(error.message) from error
        except ImportError as error:
            raise CommandError(f"Training needs the training packages: pip install '.[train]' ({error}).") from error
        self.stdout.write(json.dumps(metrics, indent=2) if options["json"] else table(metrics))
        self.stderr.write(f"{card.label} of {model.card.label}: {card.folder / 'card.json'}")


def table(metrics: dict[str, Any]) -> str:
    """Returns one row per attribute and kind of photo."""
    names = f"{'attribute':14}{'photo':18}{'n':>6}{'accuracy':>10}  {'95 %':14}"
    lines = [f"{names}{'served':>7}{'P':>7}{'R':>7}{'cal. error':>12}"]
    for name, tasks in metrics.items():
        for photo, row in tasks.items():
            accuracy, served = row["accuracy"], row["served"]
            numbers = "".join(f"{_number(served[key]):>7}" for key in ("share", "precision", "recall"))
            interval = f"{accuracy['low']:.3f} to {accuracy['high']:.3f}"
            lines.append(
                f"{name:14}{photo:18}{row['n']:>6}{accuracy['value']:>10.3f}  {interval:14}"
                f"{numbers}{row['calibration_error']:>12.3f}"
            )
    return "\n".join(lines)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
