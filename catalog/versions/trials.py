"""A live A/B: a share of the visitors is answered by a version that is not live, and clicks tell which does better.

    start -> visitors by hash (visitors) -> a visit each, with or without a click -> look: ends when clearly worse

A visitor counts once, COUNTED_AFTER her first search: clicked within that time, or not. So no one counts twice, and
what is counted no longer changes, which the stop rule needs (stopping).
"""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from time import monotonic

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Count, Q
from django.utils import timezone

from catalog import serving
from catalog.audit import note
from catalog.models import Trial, TrialVisit, Version
from catalog.versions.beside import collection_with, lacking
from catalog.versions.shares import Share
from catalog.versions.stopping import is_clearly_worse, likelihood_ratio
from catalog.versions.switching import MOST_TO_CATCH_UP, checked_why
from shop_search.errors import InputError

COUNTED_AFTER = timedelta(minutes=10)
LEAST_SHARE, MOST_SHARE = 0.01, 0.5
LOOK_EVERY_S = 20.0

_looked_at: float | None = None


@dataclass(frozen=True, slots=True)
class TrialReport:
    """The click rate of each side, by visitors that count, and how sure a difference is."""

    live: Share
    challenger: Share
    waiting: int  # visitors whose first search was a moment ago
    likelihood_ratio: float
    is_clearly_worse: bool

    def as_json(self) -> dict[str, object]:
        return {**asdict(self), "live": self.live.as_json(), "challenger": self.challenger.as_json()}


def start(version: Version, *, share: float, by: User | None, why: str) -> Trial:
    """Lets a version answer a share of the visitors, within about a second, and returns the trial.

    Raises InputError: `version_not_built`, `version_is_live`, `share_invalid`, `why_missing`, `trial_running`.
    """
    why = checked_why(why)
    if not LEAST_SHARE <= share <= MOST_SHARE:
        message = f"The share must be from {LEAST_SHARE:g} to {MOST_SHARE:g}, not {share:g}."
        raise InputError("share_invalid", message, fields={"share": message})
    version.refresh_from_db()
    if version.state != Version.State.READY:
        code = "version_is_live" if version.state == Version.State.LIVE else "version_not_built"
        raise InputError(code, f"{version.name} is {version.get_state_display().lower()}; a trial needs a ready one.")
    if version.has_index and (missing := lacking(collection_with(version)).count()) > MOST_TO_CATCH_UP:
        raise InputError("version_not_built", f"{missing} pictures are not in its index. Build it again.")
    try:
        with transaction.atomic():
            made = Trial.objects.create(version=version, share=share, started_by=by, why=why)
            note(by, "start_trial", str(version), why=why, details={"share": share}, by_name="a command")
    except IntegrityError as error:
        raise InputError("trial_running", "Another trial is running. Stop it first.") from error
    serving.forget()
    return made


def stop(trial: Trial, *, by: User | None, why: str) -> Trial:
    """Ends a running trial. Raises InputError `why_missing` or `trial_ended`."""
    return _end(trial, Trial.State.STOPPED, by=by, why=checked_why(why), by_name="a command")


def report_of(trial: Trial, *, now: datetime | None = None) -> TrialReport:
    """Returns what is known of a trial."""
    end = now or trial.ended_at or timezone.now()
    visits = TrialVisit.objects.filter(trial=trial)
    counted = visits.filter(first_at__lte=end - COUNTED_AFTER)
    rows = counted.values("is_challenger").annotate(seen=Count("pk"), clicked=Count("pk", filter=Q(has_clicked=True)))
    found = {row["is_challenger"]: (row["clicked"], row["seen"]) for row in rows}
    live, challenger = Share(*found.get(False, (0, 0))), Share(*found.get(True, (0, 0)))
    numbers = (live.clicked, live.seen, challenger.clicked, challenger.seen)
    return TrialReport(
        live=live,
        challenger=challenger,
        waiting=visits.filter(first_at__gt=end - COUNTED_AFTER).count(),
        likelihood_ratio=round(likelihood_ratio(*numbers), 3),
        is_clearly_worse=is_clearly_worse(*numbers),
    )


def look(*, now: datetime | None = None) -> Trial | None:
    """Ends the running trial if its version is clearly worse, and returns it; None otherwise."""
    running = Trial.objects.filter(state=Trial.State.RUNNING).select_related("version").first()
    if running is None or not (found := report_of(running, now=now or timezone.now())).is_clearly_worse:
        return None
    why = (
        f"Clearly worse: {found.challenger.clicked} of {found.challenger.seen} visitors clicked, of the others "
        f"{found.live.clicked} of {found.live.seen}."
    )
    return _end(running, Trial.State.WORSE, by=None, why=why, by_name="the stop rule")


def look_sometimes() -> bool:
    """Does `look` every LOOK_EVERY_S in this process; returns whether a trial ended."""
    global _looked_at
    if _looked_at is not None and monotonic() - _looked_at < LOOK_EVERY_S:
        return False
    _looked_at = monotonic()
    return look() is not None


def _end(trial: Trial, state: str, *, by: User | None, why: str, by_name: str) -> Trial:
    now = timezone.now()
    with transaction.atomic():
        found = report_of(trial, now=now).as_json()
        running = Trial.objects.filter(pk=trial.pk, state=Trial.State.RUNNING)
        if not running.update(state=state, ended_at=now, result=found):
            raise InputError("trial_ended", "This trial has ended already.")
        note(by, "end_trial", str(trial.version), why=why, details=found, by_name=by_name)
    serving.forget()
    trial.refresh_from_db()
    return trial
