"""How good this shop's answers are, by what people said of them and by what shoppers did: each with n and an interval.

    recorded searches ─┬─ verdicts, weighed by stratum -> precision@k, nDCG@10, category, bands
                       └─ clicks, bands, timings       -> click rate, nothing close, latency

People judge a sample in which every stratum counts alike (verdicts). So each judged search is weighed by how many
searches of its stratum shoppers made for each one that was judged: the measures then speak of what shoppers asked.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db.models import Exists, OuterRef
from django.utils import timezone

from catalog.models import Feedback, SearchRecord, Verdict
from catalog.review.numbers import Estimate, kappa, ndcg, percentile, share
from catalog.review.verdicts import candidates

# What is looked back at, and the latest so many searches of it: a page must not read a year of records.
SPAN = timedelta(days=90)
MOST_SEARCHES = 10_000

GAINS = {"same_product": 3.0, "good": 2.0, "near": 1.0, "wrong": 0.0, "wrong_category": 0.0}
RELEVANT = ("same_product", "good")
SAME = ("same_photo", "same_product")  # bands that promise the very product


@dataclass(frozen=True, slots=True)
class Said:
    """What one reviewer said of one result."""

    rank: int
    band: str
    verdict: str
    reviewer: int
    product: int


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

    @property
    def week(self) -> str:
        """The Monday of its week."""
        return (self.at.date() - timedelta(days=self.at.weekday())).isoformat()


@dataclass(frozen=True, slots=True)
class Measure:
    """One number of the console."""

    key: str
    label: str
    meaning: str
    read: Callable[[Sequence[Asked]], Estimate | None]
    unit: str = ""  # "ms", or nothing for a share
    is_better_low: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """The measures of one group of searches, in the order of MEASURES."""

    group: str
    estimates: tuple[Estimate | None, ...]


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two reviewers agree on results that both judged."""

    first: str
    second: str
    kappa: Estimate


def searches(*, now: datetime | None = None) -> list[Asked]:
    """Returns the latest searches of the span, those that people judged with their verdicts and weights."""
    since = (now or timezone.now()) - SPAN
    said: dict[UUID, list[Said]] = defaultdict(list)
    for search, rank, band, verdict, reviewer, product in Verdict.objects.filter(
        search__created_at__gte=since
    ).values_list("search", "rank", "band", "verdict", "reviewer", "product"):
        said[search].append(Said(rank, band, verdict, reviewer, product))
    hits = dict(SearchRecord.objects.filter(pk__in=said).values_list("pk", "answer__hits"))
    weights = _weights(since, set(said))
    clicks = Feedback.objects.filter(search=OuterRef("pk"), verdict=Feedback.Verdict.CLICK)
    rows = (
        SearchRecord.objects.filter(created_at__gte=since)
        .annotate(clicked=Exists(clicks))
        .order_by("-created_at")
        .values_list(
            *("pk", "created_at", "category", "band", "answer__models__encoder"),
            *("answer__timings_ms__total", "answer__image__width", "clicked"),
        )[:MOST_SEARCHES]
    )
    return [
        Asked(
            *(pk, at, category, band, encoder or ""),
            *(total_ms, width is not None, clicked),
            hits=len(hits.get(pk) or ()),
            weight=weights.get(pk, 1.0),
            said=tuple(said.get(pk, ())),
        )
        for pk, at, category, band, encoder, total_ms, width, clicked in rows
    ]


def _weights(since: datetime, judged: set[UUID]) -> dict[UUID, float]:
    """Returns for each judged search how many searches of its stratum it stands for."""
    found = candidates(since=since, most=MOST_SEARCHES)
    made = Counter(one.stratum for one in found)
    seen = Counter(one.stratum for one in found if one.id in judged)
    return {one.id: made[one.stratum] / seen[one.stratum] for one in found if one.id in judged}


def coverage(asked: Sequence[Asked]) -> float:
    """Returns the share of photo searches whose stratum has a judged one: of the others the measures know nothing."""
    photos = sum(one.has_photo for one in asked)
    return min(1.0, sum(one.weight for one in asked if one.said) / photos) if photos else 0.0


def precision(k: int) -> Callable[[Sequence[Asked]], Estimate | None]:
    """Returns the measure: of the first k results (all, where there are fewer), the share that is the product or a
    good match, over the searches of which all of them were judged."""

    def read(asked: Sequence[Asked]) -> Estimate | None:
        return _over(asked, lambda one: _mean_at(one, k, lambda said: float(said.verdict in RELEVANT)))

    return read


def ndcg_at_10(asked: Sequence[Asked]) -> Estimate | None:
    def read(one: Asked) -> float | None:
        judged = sorted({said.rank for said in one.said if said.rank <= 10})
        gains = [_mean([GAINS[said.verdict] for said in one.said if said.rank == rank]) for rank in judged]
        return ndcg(gains) if len(gains) > 1 else None

    return _over(asked, read)


def category_right(asked: Sequence[Asked]) -> Estimate | None:
    return _over(
        asked,
        lambda one: _mean([float(said.verdict != "wrong_category") for said in one.said]) if one.said else None,
    )


def band_honesty(asked: Sequence[Asked]) -> Estimate | None:
    def read(one: Asked) -> float | None:
        promised = [said for said in one.said if said.band in SAME]
        return _mean([float(said.verdict == "same_product") for said in promised]) if promised else None

    return _over(asked, read)


def nothing_close(asked: Sequence[Asked]) -> Estimate | None:
    return share([float(one.band == "nothing_close") for one in asked if one.has_photo])


def click_rate(asked: Sequence[Asked]) -> Estimate | None:
    return share([float(one.clicked) for one in asked])


def latency(at: float) -> Callable[[Sequence[Asked]], Estimate | None]:
    def read(asked: Sequence[Asked]) -> Estimate | None:
        return percentile([one.total_ms for one in asked if one.total_ms is not None and one.has_photo], at)

    return read


MEASURES = (
    Measure("precision@1", "Precision@1", "the first result is the product or a good match", precision(1)),
    Measure("precision@5", "Precision@5", "of the first five, the share that is the product or good", precision(5)),
    Measure("ndcg@10", "nDCG@10", "how near the judged results are to their best order", ndcg_at_10),
    Measure("category", "Category right", "judged results that are of the right category", category_right),
    Measure("honesty", "Band honesty", "where we said same product, it was", band_honesty),
    Measure(
        "nothing_close", "Nothing close", "photo searches that found nothing close", nothing_close, is_better_low=True
    ),
    Measure("clicks", "Click rate", "searches with a click on a result", click_rate),
    Measure("p50", "Latency p50", "half of the photo searches took less", latency(0.5), "ms", is_better_low=True),
    Measure("p95", "Latency p95", "95 % of the photo searches took less", latency(0.95), "ms", is_better_low=True),
)
GROUPS: Mapping[str, Callable[[Asked], str]] = {
    "category": lambda one: one.category or "none",
    "week": lambda one: one.week,
    "encoder": lambda one: one.encoder or "unknown",
}


def measured(asked: Sequence[Asked], *, group: str = "all") -> Row:
    """Returns every measure of these searches as one group."""
    return Row(group, tuple(measure.read(asked) for measure in MEASURES))


def grouped(asked: Iterable[Asked], by: str) -> list[Row]:
    """Returns the measures by a key of GROUPS: weeks in their order, others by how many searches they have."""
    groups: dict[str, list[Asked]] = defaultdict(list)
    for one in asked:
        groups[GROUPS[by](one)].append(one)
    names = sorted(groups) if by == "week" else sorted(groups, key=lambda name: (-len(groups[name]), name))
    return [measured(groups[name], group=name) for name in names]


def agreements(asked: Iterable[Asked]) -> list[Agreement]:
    """Returns how far each two reviewers agree, those with the most results in common first."""
    words: dict[tuple[int, int], list[tuple[str, str]]] = defaultdict(list)
    for one in asked:
        by_product: dict[int, list[Said]] = defaultdict(list)
        for said in one.said:
            by_product[said.product].append(said)
        for both in by_product.values():
            for first, second in combinations(sorted(both, key=lambda said: said.reviewer), 2):
                words[first.reviewer, second.reviewer].append((first.verdict, second.verdict))
    people = get_user_model().objects.in_bulk({pk for pair in words for pk in pair})
    found = [
        Agreement(str(people[first]), str(people[second]), estimate)
        for (first, second), pairs in words.items()
        if (estimate := kappa(pairs)) is not None
    ]
    return sorted(found, key=lambda one: -one.kappa.n)


def _over(asked: Sequence[Asked], read: Callable[[Asked], float | None]) -> Estimate | None:
    """Returns the weighted mean over the judged searches that `read` has a value of."""
    pairs = [(value, one.weight) for one in asked if one.said and (value := read(one)) is not None]
    return share([value for value, _ in pairs], [weight for _, weight in pairs])


def _mean_at(one: Asked, k: int, value: Callable[[Said], float]) -> float | None:
    """Returns the mean over the first k results, reviewers of one result together; None where one isn't judged."""
    wanted = range(1, min(k, one.hits) + 1)
    of_rank = {rank: [value(said) for said in one.said if said.rank == rank] for rank in wanted}
    return _mean([_mean(values) for values in of_rank.values()]) if of_rank and all(of_rank.values()) else None


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
