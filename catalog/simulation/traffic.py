"""Synthetic shoppers with known right answers, for a console that nobody has used yet and for checking what learns.

    products of the shop -> a photo or words -> the real search -> recorded, marked as simulated
        -> clicks, likes (clicks) -> verdicts of two reviewers (reviewers) -> moved to a day in the past

Everything of one search is one transaction. Its id comes from seed and number, so the same run again changes nothing
and goes on where it was stopped.
"""

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import numpy as np
from django.db import transaction
from django.utils import timezone

from catalog.bands.shopper_photos import Surface
from catalog.models import Feedback, Impression, KnownAnswer, SearchRecord, SearchSummary, SightVerdict, Verdict
from catalog.search.answers import SearchAnswer, record
from catalog.search.search import search
from catalog.simulation.clicks import DISLIKED, LIKED, Dice, Grade, clicked
from catalog.simulation.questions import Asked, Demand, demand
from catalog.simulation.reviewers import SIGHT_ERRORS, Reviewer, hired, on_duty, said
from catalog.simulation.truth import grade, things
from detection.types import Box
from shop_search.errors import InputError

MOST_SEARCHES, MOST_DAYS = 100_000, 365
JUDGED = 10  # results of one search, as reviewers see them
# Part of the right box's and the searched one's union that they share, from which the right thing was looked at.
SAME_BOX = 0.3

Progress = Callable[[int, int, str], object]


@dataclass(frozen=True, slots=True)
class Simulated:
    """What was made, without what had been there."""

    searches: int
    clicks: int
    verdicts: int
    already_there: int
    unreadable: int


def simulate(
    searches: int,
    *,
    days: int,
    seed: int,
    surface: Surface,
    progress: Progress = lambda done, total, what: None,
    rest: float = 0.0,
) -> Simulated:
    """Makes so many searches over the past days and returns what was made.

    `rest` is how long it pauses after each search, as a multiple of what the search took: others need the machine too.
    Raises InputError when nothing can be asked for, ServiceError when a model or the store fails.
    """
    _check(searches, days, seed)
    wanted = demand(searches, np.random.default_rng(seed))
    if not wanted.sampled:
        raise InputError("catalog_empty", "No product has a picture in the index, so there is nothing to look for.")
    reviewers = hired()
    there = set(SearchRecord.objects.filter(is_simulated=True).values_list("pk", flat=True))
    made: Counter[str] = Counter()
    now = timezone.now()
    for number in range(searches):
        search_id = _id(seed, number)
        if search_id in there:
            made["there"] += 1
        else:
            started = time.monotonic()
            made += _one(search_id, wanted, reviewers, np.random.default_rng([seed, number]), surface, now, days)
            time.sleep(rest * (time.monotonic() - started))
        progress(number + 1, searches, "Searching")
    return Simulated(made["searches"], made["clicks"], made["verdicts"], made["there"], made["unreadable"])


def forget() -> int:
    """Deletes all simulated searches with all that was said of them; returns how many."""
    gone = 0
    while ids := list(SearchRecord.objects.filter(is_simulated=True).values_list("pk", flat=True)[:500]):
        gone += len(ids)
        SearchRecord.objects.filter(pk__in=ids).delete()
    return gone


def _check(searches: int, days: int, seed: int) -> None:
    if not 1 <= searches <= MOST_SEARCHES:
        raise InputError("searches_invalid", f"{searches} searches are not between 1 and {MOST_SEARCHES}.")
    if not 1 <= days <= MOST_DAYS:
        raise InputError("days_invalid", f"{days} days are not between 1 and {MOST_DAYS}.")
    if seed < 0:
        raise InputError("seed_invalid", f"The seed is {seed}; it must be 0 or more.")


def _one(
    search_id: UUID,
    wanted: Demand,
    reviewers: Sequence[Reviewer],
    dice: Dice,
    surface: Surface,
    now: datetime,
    days: int,
) -> Counter[str]:
    try:
        asked = wanted.question(dice, surface)
        answer = replace(search(asked.question), id=search_id)
    except InputError:  # a picture that is gone, or too small to search with
        return Counter(unreadable=1)
    at = _moment(now, days, dice)
    seen = things(result.product.pk for result in answer.results)
    grades = [grade(asked.meant, one.product.pk, one.others, seen[one.product.pk]) for one in answer.results]
    with transaction.atomic():
        record(answer, is_simulated=True)
        clicks = _feedback(answer, grades, dice)
        _known(answer, asked, grades)
        verdicts = _review(answer, asked, grades, reviewers, dice) if asked.question.image else 0
        _move(search_id, at)
    return Counter(searches=1, clicks=clicks, verdicts=verdicts)


def _feedback(answer: SearchAnswer, grades: Sequence[Grade], dice: Dice) -> int:
    clicks, seen = clicked(grades, dice)
    said = [(rank, Feedback.Verdict.CLICK) for rank in clicks]
    good = (Grade.SAME_PRODUCT, Grade.GOOD)
    said += [(rank, Feedback.Verdict.LIKE) for rank in clicks if grades[rank - 1] in good and dice.random() < LIKED]
    for rank in seen:
        if grades[rank - 1] in (Grade.WRONG, Grade.WRONG_CATEGORY) and dice.random() < DISLIKED:
            of_category = grades[rank - 1] is Grade.WRONG_CATEGORY
            said.append((rank, Feedback.Verdict.WRONG_CATEGORY if of_category else Feedback.Verdict.DISLIKE))
    Feedback.objects.bulk_create(
        Feedback(search_id=answer.id, product=answer.results[rank - 1].product, verdict=word, is_simulated=True)
        for rank, word in said
    )
    return len(clicks)


def _known(answer: SearchAnswer, asked: Asked, grades: Sequence[Grade]) -> None:
    KnownAnswer.objects.create(
        search_id=answer.id,
        products=sorted(asked.meant.products),
        category=asked.meant.thing.category,
        box=None if asked.box is None else [round(side, 1) for side in asked.box],
        rank=next((rank for rank, one in enumerate(grades, 1) if one is Grade.SAME_PRODUCT), None),
    )


def _review(
    answer: SearchAnswer, asked: Asked, grades: Sequence[Grade], reviewers: Sequence[Reviewer], dice: Dice
) -> int:
    verdicts: list[Verdict] = []
    for reviewer in on_duty(reviewers, dice):
        verdicts += [
            Verdict(
                search_id=answer.id,
                product=result.product,
                rank=result.rank,
                band=str(result.band),
                verdict=said(right, reviewer.errs, dice),
                reviewer=reviewer.user,
            )
            for result, right in zip(answer.results[:JUDGED], grades, strict=False)
        ]
        looked_wrong = asked.box is not None and _shared(answer.selected.box, asked.box) < SAME_BOX
        if looked_wrong != (dice.random() < SIGHT_ERRORS):
            was_found = answer.selected.region is not None
            kind = SightVerdict.Kind.WRONG_THING if was_found else SightVerdict.Kind.MISSED
            SightVerdict.objects.create(search_id=answer.id, kind=kind, reviewer=reviewer.user)
    Verdict.objects.bulk_create(verdicts)
    return len(verdicts)


def _shared(searched: Box | None, right: Box) -> float:
    """Returns the intersection over union of two boxes; 0 without the first."""
    if searched is None:
        return 0.0
    width = min(searched[2], right[2]) - max(searched[0], right[0])
    height = min(searched[3], right[3]) - max(searched[1], right[1])
    both = max(0.0, width) * max(0.0, height)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (searched, right)]
    return both / max(sum(areas) - both, 1e-9)


def _moment(now: datetime, days: int, dice: Dice) -> datetime:
    """Returns a moment of the past days: any day, mostly in the afternoon and evening."""
    hour = float(np.clip(dice.normal(17, 4), 0, 23.9))
    day = now - timedelta(days=int(dice.integers(days)))
    at = day.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(hours=hour)
    return min(at, now)


def _move(search_id: UUID, at: datetime) -> None:
    """Moves a search and what was said of it to its day."""
    for model, name in (
        (SearchRecord, "pk"),
        (SearchSummary, "pk"),
        (Feedback, "search"),
        (Verdict, "search"),
        (SightVerdict, "search"),
    ):
        model._default_manager.filter(**{name: search_id}).update(created_at=at)
    Impression.objects.filter(search=search_id).update(day=at.date())


def _id(seed: int, number: int) -> UUID:
    """Returns an id that looks like any other, the same for the same seed and number."""
    return UUID(bytes=hashlib.sha256(f"simulated {seed} {number}".encode()).digest()[:16], version=4)
