"""The searches that measures are read from: a slice of what was recorded, with what people said of it.

    slice (days, traffic, category, merchant, model) -> summaries, at most MOST_SEARCHES ─┬─ clicks, known answers
                                                     -> judged ones, all of them ─────────┴─ verdicts, weights

However much was recorded, a page reads at most MOST_SEARCHES narrow rows (SearchSummary) by index and MOST_VERDICTS
verdicts. Where there are more searches, those with the lowest ids stand for all: ids are random (UUID 4), so that is a
fair sample of every day. Judged searches outside of it count in what people said, and in nothing else.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from catalog.models import Correction, Feedback, KnownAnswer, Merchant, SearchSummary, SightVerdict, Verdict
from catalog.review.verdicts import DISLIKED, Stratum, concern_of

PERIODS = (7, 30, 90)  # days
SPAN = timedelta(days=max(PERIODS))
MOST_SEARCHES = 10_000
MOST_VERDICTS = 20_000
REAL, SIMULATED, ALL_TRAFFIC = "real", "simulated", "all"
TRAFFIC = (REAL, SIMULATED, ALL_TRAFFIC)
OTHER = "unnamed"  # reviewers said that the category is wrong, and nobody named the right one
NO_CATEGORY = "none"


@dataclass(frozen=True, slots=True)
class Slice:
    """Which searches are looked at; what is empty leaves out nothing."""

    days: int = max(PERIODS)
    traffic: str = ALL_TRAFFIC
    category: str = ""  # slug, or NO_CATEGORY
    merchant: str = ""  # slug, of the first result
    model: str = ""  # label of an encoder or detector, or the promoted versions


@dataclass(frozen=True, slots=True)
class Said:
    """What one reviewer said of one result."""

    rank: int
    band: str
    verdict: str
    reviewer: int
    product: int
    category: str = ""  # of the product


@dataclass(frozen=True, slots=True)
class Known:
    """The right answer of a search, where it is known."""

    has_product: bool
    category: str
    rank: int | None


@dataclass(frozen=True, slots=True)
class Asked:
    """One recorded search with what is known of its answer."""

    id: UUID
    at: datetime
    category: str
    band: str
    encoder: str
    total_ms: float | None
    has_photo: bool
    clicked: bool
    hits: int = 0
    weight: float = 1.0
    said: tuple[Said, ...] = ()
    detector: str = ""
    versions: str = ""
    merchant: str = ""
    is_sampled: bool = True  # no: it is here for its verdicts alone
    is_first_page: bool = True
    stratum: Stratum = field(default_factory=lambda: Stratum("", "", ""))
    known: Known | None = None
    looked_wrong: tuple[int, ...] = ()  # reviewers who said that it looked at the wrong part of the photo
    corrected: str = ""  # the category that a correction names

    @property
    def week(self) -> str:
        """The Monday of its week."""
        return (self.at.date() - timedelta(days=self.at.weekday())).isoformat()

    @property
    def is_judged(self) -> bool:
        return bool(self.said or self.looked_wrong)

    @property
    def can_be_judged(self) -> bool:
        return self.has_photo and self.hits > 0 and self.is_first_page


@dataclass(frozen=True, slots=True)
class Found:
    """The searches of a slice."""

    asked: tuple[Asked, ...]
    total: int  # recorded in the slice, of which the sampled ones are read

    @property
    def sampled(self) -> int:
        return sum(one.is_sampled for one in self.asked)


def searches(part: Slice | None = None, *, now: datetime | None = None) -> list[Asked]:
    """Returns the searches of a slice; see `find`."""
    return list(find(part or Slice(), now=now).asked)


def find(part: Slice, *, now: datetime | None = None) -> Found:
    """Returns the searches of a slice, the latest first, those that people judged with verdicts and weights."""
    within = summaries(part, now=now)
    total = within.count()
    sample = within if total <= MOST_SEARCHES else within.filter(pk__lt=_threshold(MOST_SEARCHES / total))
    said, looked = _said(within), _looked_wrong(within)
    corrected = _corrected(within)
    known = {
        pk: Known(bool(products), category, rank)
        for pk, products, category, rank in KnownAnswer.objects.filter(_of(sample)).values_list(
            "pk", "products", "category", "rank"
        )
    }
    merchants = dict(Merchant.objects.values_list("pk", "slug"))
    rows = {row[0]: (row, True) for row in _rows(sample)}
    if total > MOST_SEARCHES:
        judged = Q(pk__in=Verdict.objects.order_by().values("search"))
        judged |= Q(pk__in=SightVerdict.objects.values("search")) | Q(pk__in=corrected)
        rows = {**{row[0]: (row, False) for row in _rows(within.filter(judged))}, **rows}
    asked = [
        replace(
            _asked(row, merchants),
            is_sampled=is_sampled,
            said=tuple(said.get(pk, ())),
            looked_wrong=tuple(looked.get(pk, ())),
            known=known.get(pk),
            corrected=corrected.get(pk, ""),
        )
        for pk, (row, is_sampled) in rows.items()
    ]
    asked.sort(key=lambda one: one.at, reverse=True)
    return Found(tuple(_weighed(asked)), total)


def summaries(part: Slice, *, now: datetime | None = None) -> QuerySet[SearchSummary]:
    """Returns the summaries of a slice."""
    since = (now or timezone.now()) - timedelta(days=part.days)
    within = SearchSummary.objects.filter(created_at__gte=since).order_by()
    if part.traffic in (REAL, SIMULATED):
        within = within.filter(is_simulated=part.traffic == SIMULATED)
    if part.category:
        within = within.filter(category="" if part.category == NO_CATEGORY else part.category)
    if part.merchant:
        within = within.filter(merchant__slug=part.merchant)
    if part.model:
        within = within.filter(Q(encoder=part.model) | Q(detector=part.model) | Q(versions=part.model))
    return within


_FIELDS = (
    *("pk", "created_at", "category", "band", "encoder", "total_ms", "has_photo", "results", "detector", "versions"),
    *("merchant_id", "is_first_page", "confidence", "clicked", "disliked"),
)


def _rows(within: QuerySet[SearchSummary]) -> Iterable[tuple]:
    own = Feedback.objects.filter(search=OuterRef("pk")).order_by()
    clicked, disliked = own.filter(verdict=Feedback.Verdict.CLICK), own.filter(verdict__in=DISLIKED)
    return within.annotate(clicked=Exists(clicked), disliked=Exists(disliked)).values_list(*_FIELDS)


def _asked(row: tuple, merchants: dict[int, str]) -> Asked:
    pk, at, category, band, encoder, total_ms, has_photo, results, detector, versions, *rest = row
    merchant, is_first_page, confidence, clicked, disliked = rest
    return Asked(
        *(pk, at, category, band, encoder, total_ms, has_photo, clicked),
        hits=results,
        detector=detector,
        versions=versions,
        merchant=merchants.get(merchant, ""),
        is_first_page=is_first_page,
        stratum=Stratum(category, band, concern_of(disliked, confidence)),
    )


def _of(within: QuerySet[SearchSummary]) -> Exists:
    """Only rows of these searches: each is looked up by its key, which costs less than a list of all searches."""
    return Exists(within.filter(pk=OuterRef("search")))


def _said(within: QuerySet[SearchSummary]) -> dict[UUID, list[Said]]:
    said: dict[UUID, list[Said]] = defaultdict(list)
    latest = Verdict.objects.filter(_of(within)).order_by("-pk")
    rows = latest.values_list("search", "rank", "band", "verdict", "reviewer", "product", "product__category__slug")
    for search, rank, band, verdict, reviewer, product, category in rows[:MOST_VERDICTS]:
        said[search].append(Said(rank, band, verdict, reviewer, product, category))
    return said


def _looked_wrong(within: QuerySet[SearchSummary]) -> dict[UUID, list[int]]:
    looked: dict[UUID, list[int]] = defaultdict(list)
    latest = SightVerdict.objects.filter(_of(within)).order_by("-pk")
    for search, reviewer in latest.values_list("search", "reviewer")[:MOST_VERDICTS]:
        looked[search].append(reviewer)
    return looked


def _corrected(within: QuerySet[SearchSummary]) -> dict[UUID, str]:
    """Returns the categories that corrections name, by search; the later word counts."""
    named = Correction.objects.filter(_of(within), field=Correction.Field.CATEGORY)
    rows = named.order_by("-pk").values_list("search", "after")[:MOST_VERDICTS]
    return {search: str(after) for search, after in reversed(rows)}


def _weighed(asked: Sequence[Asked]) -> list[Asked]:
    """Returns the searches, each judged one with how many searches of its stratum it stands for."""
    made = Counter(one.stratum for one in asked if one.is_sampled and one.can_be_judged)
    seen = Counter(one.stratum for one in asked if one.is_judged)
    return [
        replace(one, weight=max(1.0, made[one.stratum] / seen[one.stratum])) if one.is_judged else one for one in asked
    ]


def _threshold(part: float) -> UUID:
    """Returns the id that so large a part of random ids lies under."""
    return UUID(int=min(int(part * 2**32), 2**32 - 1) << 96)


def has_real(*, now: datetime | None = None) -> bool:
    """Returns whether any person searched within the span."""
    since = (now or timezone.now()) - SPAN
    return SearchSummary.objects.filter(created_at__gte=since, is_simulated=False).exists()


def choices(part: Slice) -> dict[str, list[str]]:
    """Returns what a slice can be narrowed to: categories, merchants and models of its period and traffic."""
    within = summaries(Slice(days=part.days, traffic=part.traffic))
    seen = set(within.values_list("category", "merchant__slug", "encoder", "detector", "versions").distinct())
    return {
        "category": sorted({row[0] or NO_CATEGORY for row in seen}),
        "merchant": sorted({row[1] for row in seen if row[1]}),
        "model": sorted({label for row in seen for label in row[2:] if label}),
    }
