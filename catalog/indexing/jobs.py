"""Checking, repairing and rebuilding the index as jobs. They and what measures by the index run one at a time."""

from dataclasses import asdict
from typing import Any

from catalog.audit import note
from catalog.indexing.check import IndexCheck, check_index
from catalog.indexing.index import IndexReport, index_all, reindex
from catalog.jobs import Progress, asker, job
from catalog.models import ProductImage

_ALONE = "index"


@job(
    "check_index",
    title="Check the index",
    about="Compares each picture of the database with the vector store, and changes nothing.",
    alone=_ALONE,
    nightly=True,
)
def check(report: Progress) -> dict[str, Any]:
    """Tells how database and store differ."""
    return {"check": as_json(_compare(report))}


@job(
    "repair_index",
    title="Repair the index",
    about="Compares as the check does, then writes what is missing and deletes what is too much.",
    alone=_ALONE,
)
def repair(report: Progress) -> dict[str, Any]:
    """Mends what differs, embeds what has to be, and compares again."""
    before = _compare(report, repair=True)
    due = ProductImage.objects.indexable().filter(state=ProductImage.State.PENDING).count()
    done = index_all(progress=_Counted(report, due, "indexing what was missing"), is_reindexing=True)
    return {"before": as_json(before), "done": asdict(done), "check": as_json(_compare(report))}


@job(
    "reindex_catalog",
    title="Re-index everything",
    about="Embeds every picture anew with the models in use. Searches go on meanwhile.",
    alone=_ALONE,
)
def reindex_catalog(report: Progress) -> dict[str, Any]:
    """Embeds all pictures; a worker that takes over from a dead one begins anew."""
    total = ProductImage.objects.indexable().count()
    report(0, total, "embedding pictures")
    done = reindex(progress=_Counted(report, total, "embedding pictures"))
    note(asker(), "reindex", f"{done.indexed} pictures", details=asdict(done))
    return {"done": asdict(done), "check": as_json(_compare(report))}


class _Counted:
    """Adds up what batches say was done."""

    def __init__(self, report: Progress, total: int, what: str) -> None:
        self._report = report
        self._total = total
        self._what = what
        self._done = 0

    def __call__(self, batch: IndexReport) -> None:
        self._done += batch.indexed + batch.failed
        self._report(self._done, max(self._total, self._done), self._what)


def as_json(check: IndexCheck) -> dict[str, Any]:
    """Returns the comparison as JSON, with whether the two agree."""
    return {**asdict(check), "agrees": check.agrees}


def _compare(report: Progress, *, repair: bool = False) -> IndexCheck:
    total = ProductImage.objects.count()
    return check_index(
        repair=repair,
        progress=lambda done: report(done, max(done, total), "comparing database and vector store"),
    )
