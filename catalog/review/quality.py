"""How good this shop's answers are, by what people said of them and by what shoppers did: each with n and an interval.

    searches (asked) ─┬─ verdicts, weighed by stratum -> precision@k, nDCG@10, category, detection, bands
                      ├─ known answers                -> recall@k
                      └─ clicks, bands, timings       -> click rate, nothing close, zero results, latency

People judge a sample in which every stratum counts alike (verdicts). So each judged search is weighed by how many
searches of its stratum shoppers made for each one that was judged: the measures then speak of what shoppers asked.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from django.contrib.auth import get_user_model

from catalog.review.asked import NO_CATEGORY, Asked, Said
from catalog.review.confusion import actual_category, named
from catalog.review.numbers import Estimate, kappa, ndcg, percentile, share

GAINS = {"same_product": 3.0, "good": 2.0, "near": 1.0, "wrong": 0.0, "wrong_category": 0.0}
RELEVANT = ("same_product", "good")
SAME = ("same_photo", "same_product")  # bands that promise the very product


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


def coverage(asked: Sequence[Asked]) -> float:
    """Returns the share of photo searches whose stratum has a judged one: of the others the measures know nothing."""
    photos = [one for one in asked if one.is_sampled and one.has_photo]
    judged = {one.stratum for one in asked if one.is_judged}
    return sum(one.stratum in judged for one in photos if one.can_be_judged) / len(photos) if photos else 0.0


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


def found_within(k: int) -> Callable[[Sequence[Asked]], Estimate | None]:
    """Returns the measure: of the searches for a thing that is known to be sold here, the share that has it among the
    first k results."""

    def read(asked: Sequence[Asked]) -> Estimate | None:
        known = [one.known for one in asked if one.is_sampled and one.known and one.known.has_product]
        return share([float(one.rank is not None and one.rank <= k) for one in known])

    return read


def category_accuracy(asked: Sequence[Asked]) -> Estimate | None:
    """A search whose answer is known stands for itself; one that people judged for those of its stratum."""
    told = [(one, actual) for one in asked if one.has_photo and (actual := actual_category(one)) is not None]
    right = [float(actual == named(one)) for one, actual in told]
    return share(right, [1.0 if one.known else one.weight for one, _ in told])


def detection_misses(asked: Sequence[Asked]) -> Estimate | None:
    def read(one: Asked) -> float | None:
        reviewers = {said.reviewer for said in one.said} | set(one.looked_wrong)
        return len(one.looked_wrong) / len(reviewers) if reviewers else None

    return _over(asked, read)


def nothing_close(asked: Sequence[Asked]) -> Estimate | None:
    return share([float(one.band == "nothing_close") for one in asked if one.is_sampled and one.has_photo])


def zero_results(asked: Sequence[Asked]) -> Estimate | None:
    return share([float(one.hits == 0) for one in asked if one.is_sampled and one.is_first_page])


def click_rate(asked: Sequence[Asked]) -> Estimate | None:
    return share([float(one.clicked) for one in asked if one.is_sampled])


def latency(at: float) -> Callable[[Sequence[Asked]], Estimate | None]:
    def read(asked: Sequence[Asked]) -> Estimate | None:
        photos = (one for one in asked if one.is_sampled and one.has_photo)
        return percentile([one.total_ms for one in photos if one.total_ms is not None], at)

    return read


MEASURES = (
    Measure("precision@1", "Precision@1", "the first result is the product or a good match", precision(1)),
    Measure("precision@5", "Precision@5", "of the first five, the share that is the product or good", precision(5)),
    Measure("ndcg@10", "nDCG@10", "how near the judged results are to their best order", ndcg_at_10),
    Measure("recall@1", "Recall@1", "where the right product is known, it came first", found_within(1)),
    Measure("recall@10", "Recall@10", "where the right product is known, it is among ten", found_within(10)),
    Measure("category", "Category right", "judged results that are of the right category", category_right),
    Measure(
        "category_accuracy", "Category accuracy", "searches whose category is what people say it is", category_accuracy
    ),
    Measure(
        "misses",
        "Detection misses",
        "judged searches that looked at the wrong part, or at none",
        detection_misses,
        is_better_low=True,
    ),
    Measure("honesty", "Band honesty", "where we said same product, it was", band_honesty),
    Measure(
        "nothing_close", "Nothing close", "photo searches that found nothing close", nothing_close, is_better_low=True
    ),
    Measure("zero_results", "Zero results", "searches that found nothing at all", zero_results, is_better_low=True),
    Measure("clicks", "Click rate", "searches with a click on a result", click_rate),
    Measure("p50", "Latency p50", "half of the photo searches took less", latency(0.5), "ms", is_better_low=True),
    Measure("p95", "Latency p95", "95 % of the photo searches took less", latency(0.95), "ms", is_better_low=True),
    Measure("p99", "Latency p99", "99 % of the photo searches took less", latency(0.99), "ms", is_better_low=True),
)
GROUPS: Mapping[str, Callable[[Asked], str]] = {
    "week": lambda one: one.week,
    "category": lambda one: one.category or NO_CATEGORY,
    "merchant": lambda one: one.merchant or "no result",
    "encoder": lambda one: one.encoder or "unknown",
    "detector": lambda one: one.detector or "unknown",
    "version": lambda one: one.versions or "settings",
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
    pairs = [(value, one.weight) for one in asked if one.is_judged and (value := read(one)) is not None]
    return share([value for value, _ in pairs], [weight for _, weight in pairs])


def _mean_at(one: Asked, k: int, value: Callable[[Said], float]) -> float | None:
    """Returns the mean over the first k results, reviewers of one result together; None where one isn't judged."""
    wanted = range(1, min(k, one.hits) + 1)
    of_rank = {rank: [value(said) for said in one.said if said.rank == rank] for rank in wanted}
    return _mean([_mean(values) for values in of_rank.values()]) if of_rank and all(of_rank.values()) else None


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
