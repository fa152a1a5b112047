"""Which kinds of long work there are. Each journey names its own in a module `jobs.py` of its folder.

    @job("measure_catalog", title="Measure the catalog", nightly=True)
    def measure_catalog(report: Progress, *, sample: int = 200) -> dict[str, Any]: ...

Those modules are imported when the first kind is looked up, so that no command waits for them that runs no job.
"""

import importlib
import importlib.util
import inspect
import pkgutil
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import catalog
from shop_search.errors import InputError

Work = Callable[..., Mapping[str, Any] | None]


class Progress(Protocol):
    """What a job's function says of itself, as often as it likes: how much is done, of how much, and what it does now.

    Calling it raises what ends the job early (it was canceled, the worker stops, another worker has it): let that pass.
    """

    def __call__(self, done: int, total: int = 0, what: str = "") -> None: ...


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of long work."""

    name: str
    title: str
    about: str  # a sentence for people; may be empty
    work: Work
    alone: str  # of the kinds with the same word one runs at a time; empty: any number
    nightly: Callable[[], bool] | None  # asked each night whether it is due; None: never by itself

    @property
    def needs_nothing(self) -> bool:
        """Whether it can be asked for without arguments."""
        _report, *others = inspect.signature(self.work).parameters.values()
        optional = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
        return all(one.default is not one.empty or one.kind in optional for one in others)


_kinds: dict[str, Kind] = {}
_lock = threading.Lock()
_is_loaded = False


def job(
    name: str,
    *,
    title: str,
    about: str = "",
    alone: str | None = None,
    nightly: bool | Callable[[], bool] = False,
) -> Callable[[Work], Work]:
    """Registers a function as a kind of job.

    It is called with a `Progress` and the arguments it was asked with, which are JSON; what it returns is kept as the
    job's result, as JSON too. It raises ShopSearchError to fail with a sentence for people. A worker may die in the
    middle of it: then it is called anew, so doing it twice must come to the same as doing it once.

    Unless `alone` says otherwise, one job of a kind runs at a time; kinds with the same word in `alone` exclude each
    other, and "" lets any number run. `nightly` is True, or a function that says at night whether it is due.
    """

    def register(work: Work) -> Work:
        if name in _kinds and _kinds[name].work.__module__ != work.__module__:
            raise ValueError(f"Two kinds of job are called {name!r}.")
        due = nightly if callable(nightly) else (lambda: True) if nightly else None
        _kinds[name] = Kind(name, title, about, work, name if alone is None else alone, due)
        return work

    return register


def kinds() -> dict[str, Kind]:
    """Returns every kind by its name."""
    global _is_loaded
    with _lock:
        if not _is_loaded:
            for folder in pkgutil.iter_modules(catalog.__path__, "catalog."):
                if folder.ispkg and folder.name != "catalog.jobs" and importlib.util.find_spec(f"{folder.name}.jobs"):
                    importlib.import_module(f"{folder.name}.jobs")
            _is_loaded = True
    return _kinds


def kind_of(name: str) -> Kind:
    """Returns the kind of this name. Raises InputError `job_unknown`."""
    found = kinds().get(name)
    if found is None:
        raise InputError("job_unknown", f"{name!r} is no kind of job. There are: {', '.join(sorted(kinds()))}.")
    return found
