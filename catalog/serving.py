"""What answers now: the versions in force, read from the database, the same for the whole of one search.

    LiveVersion, Trial ─(read once a second)─> Serving ─(pinned)─> encoder(), detector(), live("ranking"), live("bands")

A search, or a batch of indexing, holds on to one Serving from its beginning to its end (`as_one`, `pinned`), so the
query's encoder and the collection that is asked always belong together, whatever is switched meanwhile. Threads that
work for it are given its context (`carried`). Where no version is in force, the settings are.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field, replace
from functools import wraps
from time import monotonic
from typing import Any, ParamSpec, TypeVar

from django.conf import settings
from django.db import DatabaseError, connection

from catalog.models import LiveVersion, Trial, Version
from detection import detector
from embeddings import encoder
from shop_search.errors import ServiceError

log = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

Options = Mapping[str, Any]
# How long a process may answer with what was switched off elsewhere.
REREAD_S = 1.0
FOLLOW_EVERY_S = 0.5
# A follower that has not looked for so long is taken for dead: then searches look for themselves.
FOLLOWER_LOST_S = 5.0


@dataclass(frozen=True, slots=True)
class InForce:
    """A version that stands in for what the settings say."""

    pk: int
    kind: str
    name: str
    options: Options
    fingerprint: str = ""

    @classmethod
    def of(cls, version: Version) -> "InForce":
        return cls(version.pk, version.kind, version.name, version.options, version.fingerprint)


@dataclass(frozen=True, slots=True)
class RunningTrial:
    """A live A/B, as a search needs to know it."""

    pk: int
    challenger: InForce
    share: float


@dataclass(frozen=True, slots=True)
class Serving:
    """What answers, in every respect. `versions` has those kinds in which a version stands in for the settings."""

    versions: Mapping[str, InForce] = field(default_factory=dict)
    trial: RunningTrial | None = None

    def options(self, kind: str) -> Options | None:
        """Returns the options of the version in force, None where the settings are."""
        version = self.versions.get(kind)
        return None if version is None else version.options

    def pk(self, kind: str) -> int | None:
        """Returns the id of the version in force, None where the settings are."""
        version = self.versions.get(kind)
        return None if version is None else version.pk

    def with_version(self, version: InForce) -> "Serving":
        """Returns the same with this version in place of that of its kind."""
        return replace(self, versions={**self.versions, version.kind: version})

    def without(self, kind: str) -> "Serving":
        """Returns the same with the settings' value in this kind."""
        return replace(self, versions={one: kept for one, kept in self.versions.items() if one != kind})


_pinned: ContextVar[Serving | None] = ContextVar("serving", default=None)


class _Kept:
    """What this process last read, and whether a thread looks for newer."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.serving: Serving | None = None
        self.read_at = 0.0
        self.is_followed = False
        self.is_off = False  # tests without a database

    def get(self) -> Serving:
        if self.is_off:
            return Serving()
        age = monotonic() - self.read_at
        kept = self.serving
        if kept is not None and age <= (FOLLOWER_LOST_S if self.is_followed else REREAD_S):
            return kept
        return self.keep(read())

    def keep(self, serving: Serving) -> Serving:
        with self.lock:
            self.serving, self.read_at = serving, monotonic()
        return serving


_kept = _Kept()


def serving() -> Serving:
    """Returns what answers here: the pinned one, or what was live within the last second."""
    return _pinned.get() or _kept.get()


def live(kind: str) -> dict[str, Any]:
    """Returns the options in force of one kind: of the promoted version, or of the settings when there is none.

    encoder, detector: the backend's options, with its card. ranking: the weight of each part. bands: the score from
    which each band is reached.
    """
    options = serving().options(kind)
    return dict(of_settings(kind) if options is None else options)


def of_settings(kind: str) -> dict[str, Any]:
    """Returns what the settings say of one kind."""
    if kind in ("encoder", "detector"):
        config: Mapping[str, Any] = getattr(settings, kind.upper())
        return dict(config.get("OPTIONS", {}))
    return dict(settings.RANKING_WEIGHTS if kind == "ranking" else settings.BAND_THRESHOLDS)


@contextmanager
def pinned(chosen: Serving) -> Iterator[Serving]:
    """Everything inside answers with `chosen`, threads that were given the context (`carried`) too."""
    token = _pinned.set(chosen)
    try:
        yield chosen
    finally:
        _pinned.reset(token)


def as_one(function: Callable[P, R]) -> Callable[P, R]:
    """The function's whole run answers with what is live at its beginning."""

    @wraps(function)
    def held(*args: P.args, **kwargs: P.kwargs) -> R:
        with pinned(serving()):
            return function(*args, **kwargs)

    return held


def carried(function: Callable[P, R]) -> Callable[P, R]:
    """Returns the function for another thread, where it answers with what is pinned here."""
    context = copy_context()

    def inside(*args: P.args, **kwargs: P.kwargs) -> R:
        return context.run(function, *args, **kwargs)

    return inside


def is_still_live() -> bool:
    """Says, inside a transaction, whether points made here belong to what is live; it stays so until the commit."""
    with_index = ("encoder", "detector")
    rows = LiveVersion.objects.select_for_update().filter(kind__in=with_index).order_by("kind")
    now = {row.kind: row.version_id for row in rows if row.version_id is not None}
    here = serving()
    return now == {kind: pk for kind in with_index if (pk := here.pk(kind)) is not None}


def forget() -> None:
    """Makes the next search read anew what is live."""
    with _kept.lock:
        _kept.serving = None


def read() -> Serving:
    """Returns what is live by the database, past any cache; before `migrate` made its tables, what the settings say.

    Raises DatabaseError when the database can't be read.
    """
    try:
        rows = LiveVersion.objects.exclude(version=None).select_related("version")
        versions = {row.kind: InForce.of(row.version) for row in rows if row.version is not None}
        running = Trial.objects.filter(state=Trial.State.RUNNING).select_related("version").first()
    except DatabaseError:
        if not connection.in_atomic_block and LiveVersion._meta.db_table not in connection.introspection.table_names():
            return Serving()
        raise
    trial = None if running is None else RunningTrial(running.pk, InForce.of(running.version), running.share)
    return Serving(versions, trial)


def follow(stopped: threading.Event) -> None:
    """Looks for what was switched until `stopped` is set, and loads its models before any search here needs them.

    While a model that went live can't be loaded in this process, it answers with what it had: that is kept.
    """
    while not stopped.wait(FOLLOW_EVERY_S):
        try:
            now = read()
            if now != _kept.serving:
                for chosen in [now, *([now.with_version(now.trial.challenger)] if now.trial else [])]:
                    with pinned(chosen):
                        encoder()
                        detector()
        except DatabaseError as error:
            log.warning("What is live can't be read: %s", error)
            connection.close()
            continue
        except ServiceError as error:
            log.error("What is live now can't be served here: %s", error.message)
            stopped.wait(FOLLOWER_LOST_S / 2)
            if _kept.serving is None:
                continue
            now = _kept.serving
        _kept.is_followed = True
        _kept.keep(now)


def install() -> None:
    """Makes the models of both rooms follow what is live."""
    encoder.options_in_force = lambda: serving().options("encoder")
    detector.options_in_force = lambda: serving().options("detector")
