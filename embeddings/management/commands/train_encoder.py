"""Trains our encoder on catalog pictures with titles and on pairs of pictures of one product, and exports it."""

from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from shop_search.errors import ShopSearchError

WORK = Path("runs") / "train_encoder"
DATA = (
    "{products} catalog photos with titles, {views} photos of products from four sides: held-out ones not counted",
    "Backgrounds: street photos. Drawn products and {scenes} drawn scenes of the project's own",
)


class Command(BaseCommand):
    help = "Train the encoder. A killed training resumes from its work folder when called again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--products", type=Path, required=True, help="folder with catalogue.csv")
        parser.add_argument("--views", type=Path, required=True, help="folder with products.json")
        parser.add_argument("--backgrounds", type=Path, required=True, help="folder of street photos (*.jpg)")
        start = parser.add_mutually_exclusive_group(required=True)
        start.add_argument("--backbone", type=Path, help="start from timm's mobilenetv2_100 weights (safetensors)")
        start.add_argument("--from", dest="start", help='go on with a trained model: its folder, or "bundled"')
        parser.add_argument("--out", type=Path, required=True, help="folder for weights and card")
        parser.add_argument("--work", type=Path, help="keeps features and progress (default: runs/train_encoder)")
        parser.add_argument("--scenes", type=int, default=400, help="how many drawn scenes join in")
        parser.add_argument("--text-epochs", type=int, help="passes over the titles")
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--name", default="1", metavar="VERSION", help="the version on the card")
        parser.add_argument("--rights", action="append", default=[], help="a line on the data's rights, for the card")

    def handle(self, *args: Any, **options: Any) -> None:
        bundled = Path(settings.BASE_DIR) / "embeddings" / "weights"
        start = bundled if options["start"] == "bundled" else options["start"] and Path(options["start"])
        try:
            # Torch is imported only when the command runs, so that `manage.py help` stays light.
            from embeddings.training.ship import ship
            from embeddings.training.train import Plan, train

            plan = Plan(
                products=options["products"],
                views=options["views"],
                backgrounds=options["backgrounds"],
                work=options["work"] or Path(settings.BASE_DIR) / WORK,
                backbone=options["backbone"],
                start=start or None,
                scenes=options["scenes"],
                seed=options["seed"],
            )
            text = replace(plan.text, seed=plan.seed, epochs=options["text_epochs"] or plan.text.epochs)
            trained = train(replace(plan, text=text))
            data = [line.format(**trained.facts["counts"]) for line in DATA] + options["rights"]
            card = ship(trained, options["out"], version=options["name"], data=data)
        except ShopSearchError as error:
            raise CommandError(error.message) from error
        except ImportError as error:
            raise CommandError(f"Training needs the training packages: pip install '.[train]' ({error}).") from error
        self.stdout.write(f"{card.label} in {trained.facts['minutes']} minutes: {options['out'] / 'card.json'}")
        self.stdout.write("Measure it before it is served: SHOP_SEARCH_ENCODER=<card> manage.py evaluate_encoder ...")
