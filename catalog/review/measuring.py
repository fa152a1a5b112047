"""One run of the self-measurement, for the command and for the job."""

from collections.abc import Callable
from typing import Any

import numpy as np

from catalog.bands.surfaces import surface
from catalog.review.self_measurement import chosen, keep, measure, queries, report
from detection import detector
from embeddings import encoder
from shop_search.errors import InputError

SAMPLE = 200
Progress = Callable[[int, int], object]  # (queries done, of how many)


def measure_shop(
    *, sample: int = SAMPLE, seed: int = 0, dry_run: bool = False, progress: Progress = lambda done, total: None
) -> dict[str, Any]:
    """Returns what was measured on at most so many products, as JSON, and unless `dry_run` keeps it for the console.

    Raises InputError `sample_too_small`, `seed_invalid` or `catalog_empty`, ServiceError when a model or the store
    fails.
    """
    if sample < 1:
        raise InputError("sample_too_small", f"--sample is {sample}; it must be at least 1.")
    if seed < 0:
        raise InputError("seed_invalid", f"--seed is {seed}; it must be 0 or more.")
    dice = np.random.default_rng(seed)
    sampled = chosen(sample, dice)
    done, total = 0, queries(sampled)

    def count(asked: int) -> None:
        nonlocal done
        done += asked
        progress(done, total)

    measured = measure(sampled, dice, surface, progress=count)
    if not dry_run:
        keep(measured, seed=seed)
    return {
        "synthetic": True,
        "encoder": encoder().card.label,
        "detector": detector().card.label,
        "products": measured.products,
        "unreadable": measured.unreadable,
        "seed": seed,
        "report": report(measured.found),
        "saved": not dry_run,
    }
