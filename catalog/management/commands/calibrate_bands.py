"""Learns what this encoder's scores mean on this shop's catalog, and uses it from then on."""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from tqdm import tqdm

from catalog.bands import Band, Bands, lead
from catalog.bands.calibrating import SAMPLE, calibrate, use
from catalog.bands.report import table
from catalog.bands.thresholds import FALSE_SAME, Kind, Score
from catalog.management.score_plot import score_plot
from embeddings import encoder
from shop_search.errors import InputError, ShopSearchError

# Kinds whose leads are drawn beside their scores: the two that the same product is to be told apart by.
_LEADS = (Kind.OWN_PHOTO, Kind.REMOVED)
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".avif", ".heic", ".bmp", ".gif", ".tif", ".tiff"}


class Command(BaseCommand):
    help = (
        "Learns from which scores a result is called the same photo, the same product or similar: photos like a "
        "shopper's are made out of catalog pictures and searched for, with their product in the shop and taken out of "
        "it. Each half of the products judges thresholds fitted to the other. Nothing is indexed anew."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--sample", type=int, default=SAMPLE, metavar="N", help="products (default: %(default)s)")
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
        with tqdm(desc="Searching", unit=" photos", file=sys.stderr, disable=None) as bar:

            def progress(done: int, total: int) -> None:
                bar.total = total
                bar.update(done - bar.n)

            found = calibrate(
                products=options["sample"],
                never_sold=never_sold(options["negatives"]),
                false_same=options["false_same"],
                seed=options["seed"],
                progress=progress,
            )
        drawn = self._draw(found.scores, found.bands, plot)
        if not dry_run:
            use(found)
        return {**found.document, "plot": str(drawn), "saved": not dry_run}

    def _draw(self, scores: Sequence[Score], bands: Bands, path: Path | None) -> Path:
        path = path or settings.SHOP_SEARCH_HOME / "calibration" / f"bands-{encoder().card.fingerprint}.png"
        rows: dict[str, list[float]] = {}
        for kind in Kind:
            of_kind, name = [one for one in scores if one.kind is kind], str(kind).replace("_", " ")
            if of_kind:
                rows[name] = [one.score for one in of_kind]
            if kind in _LEADS:
                rows[f"{name}: lead"] = [lead(one.score, one.crowd) for one in of_kind if one.crowd is not None]
        lines = {str(band).replace("_", " "): score for band, score in bands.everywhere.items()}
        lines["same product, by lead"] = lines.pop(str(Band.SAME_PRODUCT).replace("_", " "))
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
