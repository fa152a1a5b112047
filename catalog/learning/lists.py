"""What ranking learns from: lists of results as they were shown, with what shoppers and reviewers made of them.

recorded first pages of the past days -> parts of each result's score, its rank and band -> clicks, verdicts
"""

import zlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import numpy as np
from django.utils import timezone
from numpy.typing import NDArray

from catalog.bands import Band
from catalog.models import Feedback, SearchRecord, SearchSummary, Verdict

PARTS = ("appearance", "color", "attributes", "quality")  # the fields of catalog.search.ranking.Parts, in their order
GAINS = {"same_product": 3.0, "good": 2.0, "near": 1.0, "wrong": 0.0, "wrong_category": 0.0}
# What shoppers liked half a year ago says little of today's catalog; and a night must be enough to read it.
SPAN = timedelta(days=90)
MOST_SEARCHES = 20_000
_CHUNK = 500
_BANDS = {str(band): place for place, band in enumerate(Band)}


@dataclass(frozen=True, slots=True)
class Shown:
    """One list of results, best first as it was shown."""

    parts: NDArray[np.float64]  # (n, 4), columns as PARTS
    ranks: NDArray[np.int64]  # (n,), from 1 on
    bands: NDArray[np.int64]  # (n,), 0 is the surest: an order never crosses them
    clicked: NDArray[np.bool_]  # (n,)
    grades: NDArray[np.float64]  # (n,), gain by the reviewers' mean; NaN where nobody judged
    is_held_out: bool

    @property
    def teaches(self) -> bool:
        """Whether it says anything of an order."""
        known = self.grades[~np.isnan(self.grades)]
        return bool(self.clicked.any() or (len(known) > 1 and known.min() < known.max()))


def lists(*, is_simulated: bool = False, now: datetime | None = None) -> list[Shown]:
    """Returns the latest lists of the span, also those that nobody clicked on: they tell of attention too."""
    since = (now or timezone.now()) - SPAN
    ids = list(
        SearchSummary.objects.filter(
            created_at__gte=since, is_simulated=is_simulated, is_first_page=True, results__gt=1
        )
        .order_by("-created_at")
        .values_list("pk", flat=True)[:MOST_SEARCHES]
    )
    found: list[Shown] = []
    for start in range(0, len(ids), _CHUNK):
        found += _read(ids[start : start + _CHUNK])
    return found


def is_held_out(search: UUID) -> bool:
    """Returns whether a search judges what is learned from the others: half of them, always the same ones."""
    return zlib.crc32(b"held out" + search.bytes) % 2 == 1


def _read(ids: Sequence[UUID]) -> Iterable[Shown]:
    clicks: dict[UUID, set[int]] = defaultdict(set)
    for search, product in Feedback.objects.filter(
        search__in=ids, verdict__in=(Feedback.Verdict.CLICK, Feedback.Verdict.LIKE)
    ).values_list("search", "product"):
        clicks[search].add(product)
    grades: dict[tuple[UUID, int], list[float]] = defaultdict(list)
    for search, product, word in Verdict.objects.filter(search__in=ids).values_list("search", "product", "verdict"):
        grades[search, product].append(GAINS[word])
    for search, hits in SearchRecord.objects.filter(pk__in=ids).order_by().values_list("pk", "answer__hits"):
        usable = [hit for hit in hits or () if len(hit) > 6 and hit[4]]
        if len(usable) < 2:
            continue
        said = [grades.get((search, hit[0]), []) for hit in usable]
        yield Shown(
            parts=np.array([hit[4] for hit in usable], float),
            ranks=np.array([hit[6] for hit in usable], np.int64),
            bands=np.array([_BANDS[hit[3]] for hit in usable], np.int64),
            clicked=np.array([hit[0] in clicks[search] for hit in usable]),
            grades=np.array([sum(one) / len(one) if one else np.nan for one in said]),
            is_held_out=is_held_out(search),
        )
