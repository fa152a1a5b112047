"""How the installation is, read in one go: index, queues, workers, models, storage, backups, jobs.

Each part that is out of reach says so instead of failing the others. Reading is cheap: counts, and what the last check
of the index found; comparing every picture is a job.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from catalog.bands.calibration import advice
from catalog.indexing.points import ALIAS, collection_of, product_collections
from catalog.jobs import queues
from catalog.jobs.registry import Kind, kinds
from catalog.jobs.tasks import QUEUE as JOBS
from catalog.models import (
    Backup,
    BandCalibration,
    DroppedPoint,
    Job,
    ProductImage,
    RemotePicture,
    Upload,
    Worker,
)
from detection import detector
from embeddings import encoder, vector_store
from shop_search.errors import ServiceError
from shop_search.model_card import ModelCard

LAST_RUNS = 20
LAST_BACKUPS = 5
# In this order on the page; others come after.
FIRST = ("check_index", "repair_index", "reindex_catalog", "calibrate_bands", "measure_catalog", "backup")


@dataclass(frozen=True, slots=True)
class IndexHealth:
    """Pictures in the database against points in the store. `problem` says why the store can't be read."""

    pictures: int  # that shoppers may find
    indexed: int
    pending: int
    failed: int
    due: int  # points whose payload is to be told anew, or that are to be deleted
    points: int | None
    is_searched: bool
    others: Sequence[tuple[str, int]]  # collections of other encoders
    problem: str
    drift: str  # why the bands should be calibrated anew; empty when they need not be
    calibrated_at: datetime | None
    check: Job | None  # the last that compared everything

    @property
    def is_well(self) -> bool:
        """Whether nothing waits, nothing failed, and the last comparison found no difference."""
        differs = self.check is not None and not (self.check.result or {}).get("check", {}).get("agrees", True)
        return not (self.problem or self.pending or self.failed or differs)


@dataclass(frozen=True, slots=True)
class Queue:
    """Work that waits: how much, and since when the oldest. None: out of reach, or nothing waits."""

    name: str
    waiting: int | None
    oldest: datetime | None
    claimed: int  # that a worker has now


@dataclass(frozen=True, slots=True)
class ShownWorker:
    """A worker process as it last said."""

    worker: Worker
    does: Sequence[tuple[str, datetime | None]]  # (what, since when)


@dataclass(frozen=True, slots=True)
class Model:
    """A model in use, with its card; `problem` says why it can't be loaded."""

    kind: str
    card: ModelCard | None
    problem: str


@dataclass(frozen=True, slots=True)
class Startable:
    """A kind of job, the run of it that is unfinished, and the last that was finished."""

    kind: Kind
    unfinished: Job | None
    last: Job | None


def index_health() -> IndexHealth:
    """Returns the state of the index without comparing picture by picture."""
    shown = ProductImage.objects.indexable()
    state = ProductImage.State
    counts = {name: shown.filter(state=name).count() for name in (state.INDEXED, state.PENDING, state.FAILED)}
    points, is_searched, others, problem, drift, calibrated = None, False, [], "", "", None
    try:
        name = collection_of(encoder().card)
        collections = product_collections(vector_store())
        points, is_searched = collections.get(name, 0), vector_store().resolve(ALIAS) == name
        others = sorted((other, count) for other, count in collections.items() if other != name)
        drift = advice() or ""
        calibrated = BandCalibration.objects.of_encoder(encoder().card.fingerprint).first()
    except ServiceError as error:
        problem = error.message
    checks = Job.objects.filter(kind__in=("check_index", "repair_index", "reindex_catalog"), state=Job.State.DONE)
    return IndexHealth(
        pictures=sum(counts.values()),
        indexed=counts[state.INDEXED],
        pending=counts[state.PENDING],
        failed=counts[state.FAILED],
        due=ProductImage.objects.with_payload_due().count() + DroppedPoint.objects.count(),
        points=points,
        is_searched=is_searched,
        others=others,
        problem=problem,
        drift=drift,
        calibrated_at=calibrated.created_at if calibrated else None,
        check=checks.order_by("-finished_at").first(),
    )


def waiting_work() -> list[Queue]:
    """Returns what waits for a worker, by kind of work."""
    now = timezone.now()
    uploads = Upload.objects.unfinished()
    pictures = ProductImage.objects.due()
    fetches = RemotePicture.objects.due()
    jobs = Job.objects.unfinished()
    waiting_jobs = jobs.filter(state=Job.State.QUEUED)
    return [
        Queue(
            "Uploads",
            uploads.count(),
            _oldest(uploads.order_by("created_at").values_list("created_at", flat=True)),
            uploads.filter(claimed_until__gt=now).count(),
        ),
        Queue(
            "Pictures to fetch",
            fetches.count(),
            _oldest(fetches.order_by("next_try_at").values_list("next_try_at", flat=True)),
            fetches.filter(claimed_until__gt=now).count(),
        ),
        Queue(
            "Pictures to index",
            pictures.count(),
            _oldest(pictures.order_by("product__updated_at").values_list("product__updated_at", flat=True)),
            pictures.filter(claimed_until__gt=now).count(),
        ),
        Queue(
            "Jobs",
            None if queues.waiting(JOBS) is None else waiting_jobs.count(),
            _oldest(waiting_jobs.order_by("created_at").values_list("created_at", flat=True)),
            jobs.filter(state=Job.State.RUNNING).count(),
        ),
    ]


def workers() -> list[ShownWorker]:
    """Returns the workers of the last day, the living first, with what they do."""
    found = []
    running = {job.worker: job for job in Job.objects.filter(state=Job.State.RUNNING)}
    for worker in sorted(Worker.objects.all(), key=lambda one: (not one.is_alive, one.started_at)):
        does: list[tuple[str, datetime | None]] = []
        if worker.is_alive:
            job = running.get(f"{worker.host}/{worker.pid}")
            does = [(part, parse_datetime(since)) for part, since in worker.does.items() if part != "jobs"]
            if job is not None:
                does.append((title_of(job), job.started_at))
        found.append(ShownWorker(worker, does))
    return found


def models() -> list[Model]:
    """Returns detector and encoder with their cards; loads them where this process has not yet."""
    found = []
    for kind, model in (("Detector", detector), ("Encoder", encoder)):
        try:
            found.append(Model(kind, model().card, ""))
        except ServiceError as error:
            found.append(Model(kind, None, error.message))
    return found


def storage() -> tuple[dict[str, Any], Worker] | None:
    """Returns what a worker last measured of its disk, and which; None before any did."""
    told = [worker for worker in Worker.objects.all() if worker.storage]
    if not told:
        return None
    latest = max(told, key=lambda worker: str(worker.storage.get("measured_at", "")))
    return latest.storage, latest


def backups() -> list[Backup]:
    """Returns the last backups, the newest first."""
    return list(Backup.objects.all()[:LAST_BACKUPS])


def startable() -> list[Startable]:
    """Returns every kind of job that needs no arguments, with its unfinished and its last finished run."""
    found = [kind for kind in kinds().values() if kind.needs_nothing]
    found.sort(key=lambda kind: (FIRST.index(kind.name) if kind.name in FIRST else len(FIRST), kind.title))
    unfinished = {job.kind: job for job in Job.objects.unfinished().order_by("-created_at")}
    return [
        Startable(
            kind,
            unfinished.get(kind.name),
            Job.objects.filter(kind=kind.name).exclude(finished_at=None).order_by("-finished_at").first(),
        )
        for kind in found
    ]


def last_runs() -> list[Job]:
    """Returns the last jobs, unfinished ones first."""
    unfinished = list(Job.objects.unfinished().order_by("created_at"))
    return [*unfinished, *Job.objects.exclude(finished_at=None).order_by("-finished_at")[:LAST_RUNS]]


def title_of(job: Job) -> str:
    """Returns what people call this kind of job; one of an earlier version is called by its name."""
    kind = kinds().get(job.kind)
    return kind.title if kind is not None else job.kind.replace("_", " ").capitalize()


def _oldest(moments: Any) -> datetime | None:
    first: datetime | None = moments.first()
    return first
