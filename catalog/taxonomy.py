"""What admins made of the category names: former slugs, words of merchants, and which category a detector class means.

Read from the database at most once a second. A batch that works in several threads holds on to one (`held`, and
`catalog.serving.carried` for the threads), which then read nothing. Without rows, names mean what they always meant.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from time import monotonic

from catalog.models import CategoryName
from detection.categories import DETECTED

FRESH_S = 1.0


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """Names that don't mean what they say by themselves."""

    slugs: Mapping[str, str] = field(default_factory=dict)  # former slug -> slug of now
    words: Mapping[str, str] = field(default_factory=dict)  # word of merchants, singular -> slug
    classes: Mapping[str, str] = field(default_factory=dict)  # detector class -> slug

    def slug_of(self, slug: str) -> str:
        """Returns the slug of now."""
        return self.slugs.get(slug, slug)

    def category_of_class(self, name: str) -> str:
        """Returns the slug of the category that a detection of this class is filed under."""
        return self.classes.get(name, name)

    def classes_of(self, slug: str) -> tuple[str, ...]:
        """Returns the detector classes that are filed under a category; none where it can't be detected."""
        return tuple(name for name in DETECTED if self.category_of_class(name) == slug)

    def class_of(self, slug: str | None) -> str | None:
        """Returns the class to look for where a category is wanted; None where there is no single one."""
        found = self.classes_of(slug) if slug else ()
        return found[0] if len(found) == 1 else None


class _Kept:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.taxonomy: Taxonomy | None = None
        self.read_at = 0.0
        self.is_off = False  # tests without a database


_kept = _Kept()
_held: ContextVar[Taxonomy | None] = ContextVar("taxonomy", default=None)


def taxonomy() -> Taxonomy:
    """Returns the one that is held here, or that of within the last second."""
    held_here = _held.get()
    if held_here is not None:
        return held_here
    if _kept.is_off:
        return Taxonomy()
    with _kept.lock:
        if _kept.taxonomy is not None and monotonic() - _kept.read_at <= FRESH_S:
            return _kept.taxonomy
    found = read()
    with _kept.lock:
        _kept.taxonomy, _kept.read_at = found, monotonic()
    return found


def read() -> Taxonomy:
    """Returns what the database says now, past the cache."""
    names: dict[str, dict[str, str]] = {kind: {} for kind in CategoryName.Kind.values}
    for kind, name, slug in CategoryName.objects.order_by().values_list("kind", "name", "category__slug"):
        names[kind][name] = slug
    kinds = CategoryName.Kind
    return Taxonomy(names[kinds.SLUG], names[kinds.WORD], names[kinds.DETECTED])


@contextmanager
def held(chosen: Taxonomy | None = None) -> Iterator[Taxonomy]:
    """Everything inside goes by one taxonomy, threads that were given the context too."""
    found = taxonomy() if chosen is None else chosen
    token = _held.set(found)
    try:
        yield found
    finally:
        _held.reset(token)


def forget() -> None:
    """Makes the next look read the database."""
    with _kept.lock:
        _kept.taxonomy = None
