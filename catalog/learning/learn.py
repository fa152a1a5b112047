"""A night's learning: from what shoppers clicked and reviewers said, better weights of the score, if there are any.

    lists -> half of them: attention, weights -> the other half: is it better? -> proposed, compared -> gate -> live

Nothing is proposed where the gain on searches that weren't learned from may be chance. What simulated shoppers teach is
kept to be looked at and never proposed.
"""

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone

from catalog.comparisons.comparing import compare
from catalog.learning.attention import Attention, attention
from catalog.learning.gains import Gain, click_gain, verdict_gain
from catalog.learning.lists import Shown, lists
from catalog.learning.weights import fit, pairs_of
from catalog.models import LearningRun, Version
from catalog.serving import live
from catalog.versions import promote, propose
from shop_search.errors import InputError

log = logging.getLogger(__name__)

# Of searches that teach something, in each half. With fewer, the interval is wider than any gain that was ever seen.
LEAST_SEARCHES = 100
# Weights that differ by less make no other order that anybody could see.
LEAST_CHANGE = 0.005
# A gain in clicks may not be bought with results that reviewers call worse.
VERDICT_LOSS = -0.01

Outcome = LearningRun.Outcome
Weights = dict[str, float]
Progress = Callable[[int, int, str], object]


@dataclass(frozen=True, slots=True)
class Learned:
    """What the lists teach."""

    before: Weights
    after: Weights
    attention: Attention
    clicks: Gain | None
    verdicts: Gain | None
    is_better: bool
    why: str
    outcome: str  # of LearningRun.Outcome, before anything is proposed


def learn(found: Sequence[Shown], today: Mapping[str, float]) -> Learned:
    """Returns what these lists teach beside today's weights."""
    before = {part: float(weight) for part, weight in today.items()}
    train = [one for one in found if not one.is_held_out]
    held_out = [one for one in found if one.is_held_out]
    teaching = [sum(one.teaches for one in half) for half in (train, held_out)]
    looked = attention(train)
    if min(teaching) < LEAST_SEARCHES:
        why = (
            f"{teaching[0]} and {teaching[1]} searches with a click or with verdicts, of {LEAST_SEARCHES} in each half."
        )
        return Learned(before, before, looked, None, None, False, why, Outcome.TOO_LITTLE)
    pairs = pairs_of(train, looked)
    after = fit(pairs, before) if pairs else before
    clicks, verdicts = click_gain(held_out, looked, before, after), verdict_gain(held_out, before, after)
    is_better, why = judged(before, after, clicks, verdicts)
    return Learned(before, after, looked, clicks, verdicts, is_better, why, Outcome.NO_BETTER)


def judged(before: Weights, after: Weights, clicks: Gain | None, verdicts: Gain | None) -> tuple[bool, str]:
    """Returns whether the learned weights are better, and why or why not."""
    if max(abs(after[part] - before[part]) for part in before) < LEAST_CHANGE:
        return False, "The learned weights are today's."
    if verdicts and verdicts.n >= LEAST_SEARCHES and verdicts.high < 0:
        return False, f"Reviewers would call it worse: nDCG@10 {_told(verdicts)}."
    shown = [one for one in (clicks, verdicts) if one and one.n >= LEAST_SEARCHES]
    if not any(one.low > 0 for one in shown):
        return False, f"The gain on held-out searches may be chance: {'; '.join(map(_told, shown)) or 'too few'}."
    if verdicts and verdicts.n >= LEAST_SEARCHES and verdicts.low < VERDICT_LOSS and not verdicts.low > 0:
        return (
            False,
            f"Reviewers may call it worse: nDCG@10 {_told(verdicts)}; allowed is {VERDICT_LOSS:+.3f} at worst.",
        )
    return True, "; ".join(map(_told, shown))


def learn_tonight(
    *,
    is_simulated: bool = False,
    dry_run: bool = False,
    by: User | None = None,
    progress: Progress = lambda done, total, what: None,
) -> tuple[Learned, LearningRun]:
    """Returns what was learned and what became of it; a dry run is not kept and proposes nothing.

    Raises ServiceError when a model or the store fails while the gate is asked.
    """
    progress(0, 3, "reading clicks and verdicts")
    found = lists(is_simulated=is_simulated)
    progress(1, 3, "learning")
    today = live("ranking") or settings.RANKING_WEIGHTS
    learned = learn(found, today)
    run = _run_of(learned, found, is_simulated)
    if learned.is_better and is_simulated:
        run.outcome = Outcome.SIMULATED
    if dry_run:
        return learned, run
    progress(2, 3, "proposing")
    if learned.is_better and not is_simulated:
        _propose(run, learned, by, progress)
    run.save()
    progress(3, 3, run.get_outcome_display())
    return learned, run


def _propose(run: LearningRun, learned: Learned, by: User | None, progress: Progress) -> None:
    name = f"learned {timezone.now():%Y-%m-%d %H:%M:%S}"
    version = propose(Version.Kind.RANKING, name=name, options=learned.after, by=by)
    run.outcome, run.version = Outcome.PROPOSED, version.name
    try:
        compare(version, by=by, progress=progress)  # what the gate reads
        promote(version, by=by, why=f"Learned from clicks and verdicts. {learned.why}"[:500])
    except InputError as error:
        run.why = f"{run.why} {error.message}"[:300]
        log.info("The learned weights wait for an admin: %s", error.message)
    else:
        run.outcome = Outcome.PROMOTED


def _run_of(learned: Learned, found: Sequence[Shown], is_simulated: bool) -> LearningRun:
    return LearningRun(
        is_simulated=is_simulated,
        outcome=learned.outcome,
        why=learned.why[:300],
        searches=sum(one.teaches for one in found),
        clicks=int(sum(one.clicked.sum() for one in found)),
        verdicts=int(sum((one.grades == one.grades).sum() for one in found)),
        before=learned.before,
        after=learned.after,
        report=report_of(learned),
    )


def report_of(learned: Learned) -> dict[str, Any]:
    """Returns gains and attention as JSON."""
    return {
        "clicks": asdict(learned.clicks) if learned.clicks else None,
        "verdicts": asdict(learned.verdicts) if learned.verdicts else None,
        "attention": {
            "decay": round(learned.attention.decay, 4),
            "low": _finite(learned.attention.low),
            "high": _finite(learned.attention.high),
            "at": [[rank, round(value, 4)] for rank, value in learned.attention.table()],
        },
    }


def _finite(value: float) -> float | None:
    return round(value, 4) if math.isfinite(value) else None


def _told(gain: Gain) -> str:
    return f"{gain.value:+.4f} ({gain.low:+.4f} to {gain.high:+.4f}, n={gain.n})"
