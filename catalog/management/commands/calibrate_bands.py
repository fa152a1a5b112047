"""Learns what this encoder's scores mean on this shop's catalog, and uses it from then on."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from PIL import Image
from tqdm import tqdm

from catalog.bands import Bands
from catalog.bands.calibration import LEAST_PRODUCTS, keep, thresholds_as_json
from catalog.bands.report import cross_report, table
from catalog.bands.scores import counts, gather, pictures, sample
from catalog.bands.thresholds import FALSE_SAME, Kind, Score, fit
from catalog.management.score_plot import score_plot
from catalog.models import Product
from detection import detector
from embeddings import encoder
from fixtures.surfaces import draw_surface
from shop_search.errors import InputError, ShopSearchError

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".avif", ".heic", ".bmp", ".gif", ".tif", ".tiff"}


class Command(BaseCommand):
    help = (
        "Learns from which scores a result is called the same photo, the same product or similar: photos like a "
        "shopper's are made out of catalog pictures and searched for, with their product in the shop and taken out of "
        "it. Each half of the products judges thresholds fitted to the other. Nothing is indexed anew."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--sample", type=int, default=1000, metavar="N", help="products (default: %(default)s)")
        parser.add_argument(
            "--negatives", type=Path, metavar="DIR", help="photos of things this shop never sells, in any subfolder"
        )
        parser.add_argument(
            "--false-same",
            type=float,
            default=FALSE_SAME,
            metavar="SHARE",
            help="of photos whose product is not here that may be told it is; less also finds fewer (%(default)s)",
        )
        parser.add_argument("--plot", type=Path, metavar="PNG", help="where the picture goes (default: in the home)")
        parser.add_argument("--seed", type=int, default=0, help="of the dice (default: %(default)s)")
        parser.add_argument("--dry-run", action="store_true", help="measure and print, but keep the bands as they are")
        parser.add_argument("--json", action="store_true", help="print one JSON document on standard output")

    def handle(self, *args: Any, dry_run: bool, plot: Path | None, **options: Any) -> None:
        try:
            document = self._calibrate(dry_run=dry_run, plot=plot, **options)
        except ShopSearchError as error:
            raise CommandError(error.message) from error
        except DatabaseError as error:
            raise CommandError(f"The database can't be used: {error}. Is `manage.py migrate` due?") from error
        except KeyboardInterrupt:
            raise CommandError("Stopped; the bands are as they were.", returncode=130) from None
        if options["json"]:
            self.stdout.write(json.dumps(document, indent=2))
            return
        self.stdout.write("\n".join(table(document)))
        unused = f" {document['unreadable']} pictures could not be read." if document["unreadable"] else ""
        self.stdout.write(f"{document['sampled']} of {document['products']} products were sampled.{unused}")
        self.stdout.write(f"The distributions: {document['plot']}")
        self.stdout.write("Nothing was changed." if dry_run else "Searches use these bands within half a minute.")

    def _calibrate(self, *, dry_run: bool, plot: Path | None, **options: Any) -> dict[str, Any]:
        if options["sample"] < LEAST_PRODUCTS:
            raise InputError("sample_too_small", f"--sample {options['sample']} is too few: {LEAST_PRODUCTS} at least.")
        if not 0.001 <= options["false_same"] <= 0.2:
            raise InputError("false_same_invalid", f"--false-same {options['false_same']} is not between .001 and .2.")
        dice = np.random.default_rng(options["seed"])
        strangers = never_sold(options["negatives"])
        sampled = sample(options["sample"], dice)
        if len(sampled) < LEAST_PRODUCTS:
            raise InputError(
                "catalog_too_small",
                f"{len(sampled)} products have a picture in the index, and a calibration needs {LEAST_PRODUCTS}. "
                "Until then the thresholds of the settings are used.",
            )
        total = pictures(sampled, strangers)
        with tqdm(total=total, desc="Searching", unit=" photos", file=sys.stderr, disable=None) as bar:
            gathered = gather(sampled, strangers, dice, surface, progress=bar.update)
        allowed = options["false_same"]
        bands = fit(gathered.scores, false_same=allowed)
        document: dict[str, Any] = {
            "encoder": encoder().card.label,
            "detector": detector().card.label,
            "products": Product.objects.shown().count(),
            "sampled": len(sampled),
            "unreadable": gathered.unreadable,
            "counts": counts(gathered.scores),
            "thresholds": thresholds_as_json(bands),
            "report": cross_report(gathered.scores, bands, false_same=allowed),
            "plot": str(self._draw(gathered.scores, bands, plot)),
            "saved": not dry_run,
        }
        if not dry_run:
            keep(bands, counts=document["counts"], report=document["report"])
        return document

    def _draw(self, scores: list[Score], bands: Bands, path: Path | None) -> Path:
        path = path or settings.SHOP_SEARCH_HOME / "calibration" / f"bands-{encoder().card.fingerprint}.png"
        rows = {
            str(kind).replace("_", " "): [one.score for one in scores if one.kind is kind]
            for kind in Kind
            if any(one.kind is kind for one in scores)
        }
        lines = {str(band).replace("_", " "): score for band, score in bands.everywhere.items()}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            score_plot(rows, lines).save(path)
        except (OSError, ValueError) as error:
            raise InputError("plot_unwritable", f"Can't write the picture to {path}: {error}") from error
        return path


def never_sold(folder: Path | None) -> list[Path]:
    """Returns the folder's pictures by name. Raises InputError when there is none."""
    if folder is None:
        return []
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    if not found:
        raise InputError("negatives_missing", f"There are no pictures in {folder}.")
    return found


def surface(dice: np.random.Generator, width: int, height: int) -> Image.Image:
    """Returns what a product lies on: wood, linen, a rug, drawn at half the size, as out of focus."""
    drawn = draw_surface(dice, max(2, width // 2), max(2, height // 2))
    return Image.fromarray(drawn.astype(np.uint8)).resize((width, height), Image.Resampling.BILINEAR)
