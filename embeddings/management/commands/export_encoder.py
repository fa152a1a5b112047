"""Exports any open_clip model, by name, to files that serve without torch: OpenVINO towers, tokenizer and card."""

import logging
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from shop_search.errors import ShopSearchError


class Command(BaseCommand):
    help = "Export an open_clip model. Serve it with SHOP_SEARCH_ENCODER=OUT/card.json, then reindex_catalog."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--model", required=True, help="open_clip name, hf-hub:ORG/REPO or local-dir:FOLDER")
        parser.add_argument("--pretrained", help="a tag of that model or a checkpoint file")
        parser.add_argument("--out", type=Path, required=True, help="folder for the files")
        parser.add_argument("--license", default="see the model's source", help="the license of the weights")

    def handle(self, *args: Any, **options: Any) -> None:
        logging.getLogger("root").setLevel(logging.WARNING)
        try:
            # Torch is imported only when the command runs, so that `manage.py help` stays light.
            from embeddings.training.foreign import export_model

            card = export_model(
                options["model"],
                pretrained=options["pretrained"],
                folder=options["out"],
                license_name=options["license"],
            )
        except ShopSearchError as error:
            raise CommandError(error.message) from error
        except ImportError as error:
            raise CommandError(f"Exporting needs the training packages: pip install '.[train]' ({error}).") from error
        self.stdout.write(f"{card.label}: {card.dim}-d embeddings, agreement with torch (cosine):")
        for tower, agreement in card.metrics["agreement"].items():
            self.stdout.write(f"  {tower:5}  {agreement:.6f}")
        self.stdout.write(f"Serve it: SHOP_SEARCH_ENCODER={options['out'] / 'card.json'}")
