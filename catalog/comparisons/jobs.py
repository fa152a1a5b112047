"""Building and comparing a version as jobs."""

from typing import Any

from django.contrib.auth.models import User

from catalog.comparisons.comparing import SAMPLE, compare
from catalog.jobs import Progress, job
from catalog.models import Version
from catalog.versions.beside import build
from shop_search.errors import InputError


@job(
    "build_version",
    title="Index a version beside the live one",
    about="Embeds all pictures with another encoder or detector, while searches go on with what is live.",
)
def build_version(report: Progress, *, version: int) -> dict[str, Any]:
    """Gives a version's collection all that it lacks; killed, it goes on where it was."""
    found = version_of(version)
    return {"version": found.name, "pictures": build(found, report)}


@job(
    "compare_version",
    title="Compare a version with what is live",
    about="Asks the same queries of both: held-out second photos, and searches that reviewers judged.",
)
def compare_version(
    report: Progress, *, version: int, sample: int = SAMPLE, seed: int = 0, asked_by: int | None = None
) -> dict[str, Any]:
    """Keeps a Comparison, which the page of versions shows and the gate reads."""
    by = None if asked_by is None else User.objects.filter(pk=asked_by).first()
    made = compare(version_of(version), by=by, sample=sample, seed=seed, progress=report)
    return {"comparison": made.pk, "queries": made.queries}


def version_of(pk: int) -> Version:
    """Returns the version. Raises InputError `version_unknown`."""
    found = Version.objects.filter(pk=pk).first()
    if found is None:
        raise InputError("version_unknown", f"There is no version {pk}.")
    return found
