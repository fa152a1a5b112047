"""One calibration from the catalog to the bands in use, for the command and for the job."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from catalog.bands import Bands
from catalog.bands.calibration import LEAST_PRODUCTS, keep, thresholds_as_json
from catalog.bands.report import cross_report
from catalog.bands.scores import counts, gather, pictures, sample
from catalog.bands.surfaces import surface
from catalog.bands.thresholds import FALSE_SAME, Score, fit
from catalog.models import Product
from detection import detector
from embeddings import encoder
from shop_search.errors import InputError

SAMPLE = 1000
Progress = Callable[[int, int], object]  # (photos done, of how many)


@dataclass(frozen=True, slots=True)
class Calibrated:
    """What a calibration came to: `document` is it as JSON."""

    bands: Bands
    scores: Sequence[Score]
    document: dict[str, Any]


def calibrate(
    *,
    products: int = SAMPLE,
    never_sold: Sequence[Path] = (),
    false_same: float = FALSE_SAME,
    seed: int = 0,
    progress: Progress = lambda done, total: None,
) -> Calibrated:
    """Returns bands fitted to at most so many products; `use` makes them the shop's.

    Raises InputError `sample_too_small`, `false_same_invalid` or `catalog_too_small`, and ServiceError when a model or
    the store fails.
    """
    if products < LEAST_PRODUCTS:
        raise InputError("sample_too_small", f"--sample {products} is too few: {LEAST_PRODUCTS} at least.")
    if not 0.001 <= false_same <= 0.2:
        raise InputError("false_same_invalid", f"--false-same {false_same} is not between .001 and .2.")
    dice = np.random.default_rng(seed)
    sampled = sample(products, dice)
    if len(sampled) < LEAST_PRODUCTS:
        raise InputError(
            "catalog_too_small",
            f"{len(sampled)} products have a picture in the index, and a calibration needs {LEAST_PRODUCTS}. "
            "Until then the thresholds of the settings are used.",
        )
    done, total = 0, pictures(sampled, never_sold)

    def count(photos: int) -> None:
        nonlocal done
        done += photos
        progress(done, total)

    gathered = gather(sampled, never_sold, dice, surface, progress=count)
    bands = fit(gathered.scores, false_same=false_same)
    document: dict[str, Any] = {
        "encoder": encoder().card.label,
        "detector": detector().card.label,
        "products": Product.objects.shown().count(),
        "sampled": len(sampled),
        "unreadable": gathered.unreadable,
        "counts": counts(gathered.scores),
        "thresholds": thresholds_as_json(bands),
        "report": cross_report(gathered.scores, bands, false_same=false_same),
    }
    return Calibrated(bands, gathered.scores, document)


def use(found: Calibrated) -> None:
    """Makes these the bands that searches use."""
    keep(found.bands, counts=found.document["counts"], report=found.document["report"])
