"""Calibrating the bands as a job: when somebody asks, and at night when the catalog has changed much."""

from typing import Any

from django.db import transaction

from catalog.audit import note
from catalog.bands.calibrating import calibrate, use
from catalog.bands.calibration import advice
from catalog.jobs import Progress, asker, job


@job(
    "calibrate_bands",
    title="Calibrate the bands",
    about="Learns from this catalog which score means the same product or a similar one.",
    alone="index",  # a catalog that is being re-indexed has no pictures to look for
    nightly=lambda: advice() is not None,
)
def calibrate_bands(report: Progress) -> dict[str, Any]:
    """Fits the bands to the catalog as it is. Searches use them within half a minute."""
    report(0, 0, "choosing products")
    found = calibrate(progress=lambda done, total: report(done, total, "searching with made photos"))
    document = found.document
    with transaction.atomic():
        use(found)
        note(asker(), "calibrate_bands", f"bands of {document['encoder']}", details={"products": document["products"]})
    return {name: document[name] for name in ("encoder", "products", "sampled", "unreadable", "thresholds")}
