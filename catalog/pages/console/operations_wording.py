"""How jobs and bytes are put into words on the operations page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.models import Job
from catalog.operations.overview import title_of

STATES = {
    "queued": gettext_lazy("waiting"),
    "running": gettext_lazy("running"),
    "done": gettext_lazy("done"),
    "failed": gettext_lazy("failed"),
    "canceled": gettext_lazy("canceled"),
}
DIFFERENCES = {
    "missing": gettext_lazy("without a point"),
    "stale": gettext_lazy("points of nothing for sale"),
    "outdated": gettext_lazy("of another encoder or version"),
    "drifted": gettext_lazy("points with an old payload"),
}
STORED = {
    "database": gettext_lazy("Database"),
    "pictures": gettext_lazy("Pictures"),
    "vectors": gettext_lazy("Vectors"),
    "uploads": gettext_lazy("Waiting uploads"),
    "searched_crops": gettext_lazy("Searched crops"),
    "backups": gettext_lazy("Backups"),
}
MOST_WORDS = 240


@dataclass(frozen=True, slots=True)
class Run:
    """A job as its row on the page."""

    job: Job
    title: str
    state: str
    words: str  # how far it is, what came of it, or why it failed
    percent: int | None  # None: how much there is to do isn't known yet
    seconds: float | None  # that it took


@dataclass(frozen=True, slots=True)
class Stored:
    """What one kind of data takes of the disk."""

    name: str
    text: str
    share: float  # of the largest, in [0, 1]


def run_of(job: Job) -> Run:
    """Returns the job in words."""
    took = (job.finished_at - job.started_at).total_seconds() if job.finished_at and job.started_at else None
    percent = min(100, 100 * job.done // job.total) if job.total else None
    return Run(job, title_of(job), str(STATES.get(job.state, job.state)), _words(job), percent, took)


def storage_rows(measured: Mapping[str, Any]) -> list[Stored]:
    """Returns what takes how much, the largest first; what isn't on this disk is left out."""
    sizes = [(str(STORED[name]), int(measured[name])) for name in STORED if measured.get(name) is not None]
    largest = max((size for _, size in sizes), default=0)
    return [
        Stored(name, filesizeformat(size), size / largest if largest else 0.0)
        for name, size in sorted(sizes, key=lambda one: -one[1])
    ]


def check_words(check: Mapping[str, Any]) -> str:
    """Returns what a comparison of database and index found, as a sentence."""
    if check.get("agrees"):
        return _("Database and index agree.")
    found = [f"{check[name]} {words}" for name, words in DIFFERENCES.items() if check.get(name)]
    if not check.get("is_searched", True):
        found.append(_("searches use another collection"))
    return _("They differ: %(what)s.") % {"what": ", ".join(found)}


def _words(job: Job) -> str:
    if job.state == Job.State.FAILED:
        return job.error
    if job.state == Job.State.DONE:
        return _result_words(job.result or {})
    if job.cancel_requested and not job.is_finished:
        return _("is being canceled")
    if job.state == Job.State.RUNNING:
        return job.what or _("beginning")
    if job.state == Job.State.QUEUED:
        return _("waits for a worker")
    return ""


def _result_words(result: Mapping[str, Any]) -> str:
    """Returns the result's plain values; what a kind keeps for programs is left out."""
    words = []
    done = result.get("done")
    if isinstance(done, Mapping) and "indexed" in done:
        words.append(_("%(n)d pictures indexed, %(failed)d failed.") % {"n": done["indexed"], "failed": done["failed"]})
    if isinstance(result.get("check"), Mapping):
        words.append(check_words(result["check"]))
    if result.get("outcome"):
        said = str(result["outcome"]).replace("_", " ").capitalize()
        words.append(f"{said}: {result['why']}" if result.get("why") else f"{said}.")
    named = {name: value for name, value in result.items() if name not in ("outcome", "why") and value != ""}
    plain = [_pair(name, value) for name, value in named.items() if isinstance(value, str | int | float)]
    recalls = result.get("recall@1")
    if isinstance(recalls, Mapping):
        plain += [f"{kind.replace('_', ' ')} {one['value']:.2f}" for kind, one in recalls.items() if one]
    if plain:
        words.append(", ".join(plain))
    return _cut(words)


def _pair(name: str, value: object) -> str:
    if name.endswith("_bytes") and isinstance(value, int):
        return f"{name.removesuffix('_bytes').replace('_', ' ')} {filesizeformat(value)}"
    shown = f"{value:.3g}" if isinstance(value, float) else str(value)
    return f"{name.replace('_', ' ')} {shown}"


def _cut(words: Sequence[str]) -> str:
    text = " ".join(words)
    return text if len(text) <= MOST_WORDS else f"{text[: MOST_WORDS - 1]}…"
