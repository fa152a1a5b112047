"""Which curation rules hold for a search: by its category, or by how near its embedding is to a cluster's.

Search asks once for each question and gets ids and numbers; what they do to the order is catalog.search.curated.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from catalog.models import Curation
from embeddings import encoder


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule in force."""

    id: int
    kind: str  # of Curation.Kind
    product: int
    rank: int = 1  # of a pin
    factor: float = 1.0  # of a boost
    category: str | None = None  # slug
    embedding: NDArray[np.float32] | None = None  # of a cluster, (dim,) of unit length
    least_score: float = 1.0

    @classmethod
    def of(cls, row: Curation) -> "Rule":
        embedding = np.frombuffer(bytes(row.embedding), np.float32) if row.embedding else None
        category = row.category.slug if row.category else None
        return cls(
            row.pk or 0,
            row.kind,
            row.product_id,
            row.rank or 1,
            row.factor or 1.0,
            category,
            embedding,
            1.0 if row.least_score is None else row.least_score,
        )

    def holds(self, category: str | None, embedding: NDArray[np.float32] | None) -> bool:
        """Returns whether this is such a search. `embedding` is None where words were asked: they lie further off."""
        if self.embedding is None:
            return category is not None and category == self.category
        if embedding is None or embedding.shape != self.embedding.shape:
            return False
        return float(self.embedding @ embedding) >= self.least_score


@dataclass(frozen=True, slots=True)
class Applied:
    """What holds for one search, by product id."""

    pins: Mapping[int, int] = field(default_factory=dict)  # product -> rank, by rising rank
    boosts: Mapping[int, float] = field(default_factory=dict)  # product -> factor
    hidden: frozenset[int] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.pins or self.boosts or self.hidden)


class Rules:
    """Rules that may hold for this process's encoder."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = rules

    def applying(self, category: str | None, embedding: NDArray[np.float32] | None) -> Applied:
        """Returns what holds for a search of this category, if it is narrowed to one, and this embedding.

        Where two rules speak of one product, hiding wins, and of two pins the higher place.
        """
        held = [rule for rule in self._rules if rule.holds(category, embedding)]
        if not held:
            return Applied()
        hidden = frozenset(rule.product for rule in held if rule.kind == Curation.Kind.HIDE)
        pins: dict[int, int] = {}
        boosts: dict[int, float] = {}
        for rule in sorted(held, key=lambda rule: (rule.rank, rule.id)):
            if rule.product in hidden:
                continue
            if rule.kind == Curation.Kind.PIN:
                pins.setdefault(rule.product, rule.rank)
            elif rule.kind == Curation.Kind.BOOST:
                boosts[rule.product] = boosts.get(rule.product, 1.0) * rule.factor
        return Applied(pins, boosts, hidden)


def rules_now() -> Rules:
    """Returns the rules of this moment. A cluster that another encoder made is ignored."""
    tried = _tried.get()
    if tried is not None:
        return tried
    rows = list(Curation.objects.in_force().select_related("category").order_by("pk"))
    ours = encoder().card.fingerprint if any(row.embedding for row in rows) else ""
    return Rules([Rule.of(row) for row in rows if not row.embedding or row.encoder == ours])


@contextmanager
def trying(rules: Sequence[Rule]) -> Iterator[None]:
    """Has searches of this thread use these rules and no others: for a preview."""
    token = _tried.set(Rules(rules))
    try:
        yield
    finally:
        _tried.reset(token)


_tried: ContextVar[Rules | None] = ContextVar("tried_rules", default=None)
