"""Measuring the shop on its own catalog as a job: when somebody asks, and each night."""

from typing import Any

from catalog.jobs import Progress, job
from catalog.models import ProductImage
from catalog.review.measuring import SAMPLE, measure_shop
from catalog.review.self_measurement import ALL


def _has_pictures() -> bool:
    return ProductImage.objects.indexable().filter(state=ProductImage.State.INDEXED).exists()


@job(
    "measure_catalog",
    title="Measure the catalog",
    about="Searches for products of this shop with made photos, and tells how often they are found.",
    alone="index",  # a catalog that is being re-indexed has no pictures to look for
    nightly=_has_pictures,
)
def measure_catalog(report: Progress, *, sample: int = SAMPLE, seed: int = 0) -> dict[str, Any]:
    """Measures recall with made photos; the quality page shows it whole."""
    report(0, 0, "choosing products")
    document = measure_shop(
        sample=sample, seed=seed, progress=lambda done, total: report(done, total, "searching with made photos")
    )
    recalls = {kind: of[ALL]["recall@1"] for kind, of in document["report"].items()}
    return {"products": document["products"], "unreadable": document["unreadable"], "recall@1": recalls}
