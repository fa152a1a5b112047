"""People judge recorded answers, one result at a time: which searches to look at, what they show, what was said.

    recorded photo searches -> strata -> taken in turns -> one sheet -> verdict | undo

Strata are category, band and concern, so that a rare category or a disliked answer is seen as soon as a common one.
Inside a stratum the order is random and the same for everyone, which lets quality weigh verdicts back to what
shoppers really asked. Verdicts change neither products nor index.
"""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice, zip_longest
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from catalog.models import Feedback, SearchRecord, SearchSummary, SightVerdict, Verdict
from catalog.search.answers import Json, recall
from shop_search.errors import InputError

# Crops are kept for as long by default; an older answer says little about the shop of today.
WINDOW = timedelta(days=30)
# The latest so many searches of the window are looked at: reading their records takes a tenth of a second.
MOST_SEARCHES = 3000
# Results of one search that are judged: what nDCG@10 needs.
RESULTS = 10
# Of the category. Below, shop and shopper may have meant different things.
UNSURE = 0.6
DISLIKED = (Feedback.Verdict.DISLIKE, Feedback.Verdict.WRONG_CATEGORY)
# One search in so many was judged by somebody else before: enough to say how far two reviewers agree.
OVERLAP_EVERY = 5


@dataclass(frozen=True, slots=True)
class Stratum:
    category: str
    band: str
    concern: str  # "disliked" | "unsure" | ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A recorded search that can be judged."""

    id: UUID
    stratum: Stratum
    has_crop: bool = True


@dataclass(frozen=True, slots=True)
class Item:
    """One result as a reviewer sees it, with what she said of it."""

    rank: int
    band: str
    product: Json
    verdict: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One search with what it found."""

    search: SearchRecord
    category: Json | None
    words: str
    encoder: str
    items: tuple[Item, ...]
    has_region: bool = True  # whether a detected thing was searched with
    looked_wrong: bool = False  # as this reviewer says

    @property
    def judged(self) -> int:
        return sum(bool(item.verdict) for item in self.items)


@dataclass(frozen=True, slots=True)
class Progress:
    """How many verdicts one reviewer gave today and in all."""

    today: int
    total: int


def candidates(*, since: datetime | None = None, most: int = MOST_SEARCHES) -> list[Candidate]:
    """Returns the photo searches of the window with results, the latest first; further pages of one don't count.

    Simulated ones come only where no person searched.
    """
    since = since or timezone.now() - WINDOW
    made = SearchSummary.objects.filter(created_at__gte=since, has_photo=True, results__gt=0, is_first_page=True)
    people = made.filter(is_simulated=False)
    rows = list(
        (people if people.exists() else made)
        .order_by("-created_at")
        .values_list("pk", "category", "band", "search__crop", "confidence")[:most]
    )
    disliked = set(
        Feedback.objects.filter(verdict__in=DISLIKED, search__created_at__gte=since).values_list("search", flat=True)
    )
    return [
        Candidate(pk, Stratum(category, band, concern_of(pk in disliked, confidence)), bool(crop))
        for pk, category, band, crop, confidence in rows
    ]


def queue(reviewer: User, *, limit: int = MOST_SEARCHES, skip: Collection[UUID] = ()) -> list[UUID]:
    """Returns the searches that this reviewer should judge next: strata in turns, now and then one that another judged.

    Searches without a crop aren't shown: an answer can't be judged without its question.
    """
    own, others = _judged_by(reviewer)
    waiting = [one for one in candidates() if one.has_crop and one.id not in own and one.id not in skip]
    fresh = in_turns(one for one in waiting if one.id not in others)
    seen = in_turns(one for one in waiting if one.id in others)
    return list(islice(_mixed(fresh, seen), limit))


def in_turns(found: Iterable[Candidate]) -> list[UUID]:
    """Returns the searches with one of each stratum first, then a second of each, and so on; at random inside."""
    strata: dict[Stratum, list[UUID]] = defaultdict(list)
    for one in found:
        strata[one.stratum].append(one.id)
    shuffled = [sorted(ids, key=_dice) for ids in strata.values()]
    shuffled.sort(key=lambda ids: _dice(ids[0]))
    return [pk for turn in zip_longest(*shuffled) for pk in turn if pk is not None]


def sheet(search_id: UUID, reviewer: User) -> Sheet:
    """Returns a search as a reviewer sees it. Raises InputError `search_unknown`."""
    answer = recall(search_id)
    said = dict(Verdict.objects.filter(search=search_id, reviewer=reviewer.pk).values_list("product", "verdict"))
    return Sheet(
        search=SearchRecord.objects.get(pk=search_id),
        category=answer["selected"]["category"],
        words=answer["rest"],
        encoder=answer["models"].get("encoder", ""),
        items=tuple(
            Item(one["rank"], one["band"], one["product"], said.get(one["product"]["id"], ""))
            for one in answer["results"][:RESULTS]
        ),
        has_region=answer["selected"]["region"] is not None,
        looked_wrong=SightVerdict.objects.filter(search=search_id, reviewer=reviewer.pk).exists(),
    )


def judge(search_id: UUID, *, product: int, verdict: str, reviewer: User) -> Verdict:
    """Keeps a verdict in place of an earlier one of the same reviewer, and returns it.

    Raises InputError when the search or the verdict is unknown, or the product isn't among what was found.
    """
    if verdict not in Verdict.Kind:
        raise InputError("verdict_unknown", f"{verdict[:40]!r} is none of {', '.join(Verdict.Kind)}.")
    item = next((one for one in sheet(search_id, reviewer).items if one.product["id"] == product), None)
    if item is None:
        raise InputError("product_not_found", f"Product {product} is not among the results of this search.")
    with transaction.atomic():
        Verdict.objects.filter(search=search_id, product=product, reviewer=reviewer.pk).delete()
        return Verdict.objects.create(
            search_id=search_id,
            product_id=product,
            rank=item.rank,
            band=item.band,
            verdict=verdict,
            reviewer_id=reviewer.pk,
        )


def judge_sight(search_id: UUID, *, is_wrong: bool, reviewer: User) -> SightVerdict | None:
    """Keeps, or takes back, that the search looked at the wrong part of the photo; returns what is kept.

    Where nothing was detected, a product was missed; else the wrong thing was boxed.
    Raises InputError `search_unknown`.
    """
    shown = sheet(search_id, reviewer)
    with transaction.atomic():
        SightVerdict.objects.filter(search=search_id, reviewer=reviewer.pk).delete()
        if not is_wrong:
            return None
        kind = SightVerdict.Kind.WRONG_THING if shown.has_region else SightVerdict.Kind.MISSED
        return SightVerdict.objects.create(search_id=search_id, kind=kind, reviewer_id=reviewer.pk)


def undo(reviewer: User) -> Verdict | None:
    """Takes back the reviewer's latest verdict and returns it as it was; None when there is none."""
    latest = Verdict.objects.filter(reviewer=reviewer.pk).order_by("-created_at", "-pk").first()
    if latest is not None:
        Verdict.objects.filter(pk=latest.pk).delete()
    return latest


def progress(reviewer: User) -> Progress:
    """Returns how far this reviewer is."""
    mine = Verdict.objects.filter(reviewer=reviewer.pk)
    midnight = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    return Progress(today=mine.filter(created_at__gte=midnight).count(), total=mine.count())


def _judged_by(reviewer: User) -> tuple[set[UUID], set[UUID]]:
    """Returns the searches with a verdict of this reviewer, and those with one of somebody else."""
    judged = set(Verdict.objects.order_by().values_list("search", "reviewer").distinct())
    judged |= set(SightVerdict.objects.values_list("search", "reviewer"))
    own = {search for search, by in judged if by == reviewer.pk}
    return own, {search for search, by in judged if by != reviewer.pk}


def concern_of(is_disliked: bool, confidence: float | None) -> str:
    """Returns why a search deserves a look: "disliked", "unsure" or nothing."""
    if is_disliked:
        return "disliked"
    return "unsure" if confidence is None or confidence < UNSURE else ""


def _dice(search_id: UUID) -> bytes:
    return hashlib.sha256(b"review" + search_id.bytes).digest()


def _mixed(fresh: Sequence[UUID], seen: Sequence[UUID]) -> Iterable[UUID]:
    """Yields one of `seen` after each four of `fresh`; when one runs out, the rest of the other."""
    left, again = iter(fresh), iter(seen)
    place = 0
    for one in left:
        place += 1
        if place % OVERLAP_EVERY == 0 and (other := next(again, None)) is not None:
            yield other
            place += 1
        yield one
    yield from again
