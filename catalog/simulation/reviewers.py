"""Two simulated reviewers who now and then err, at known rates, so that their agreement can be told beforehand."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.models import User

from catalog.simulation.clicks import GRADES, Dice, Grade

# How often each says another grade than the right one: a careful and a hasty reviewer. Which one, is at random.
ERRORS = {"simulated-careful": 0.06, "simulated-hasty": 0.18}
SIGHT_ERRORS = 0.03  # of a search that looked at the right part, or at the wrong one
FIRST, BOTH = 0.5, 0.3  # of photo searches that are reviewed, and of these by both


@dataclass(frozen=True, slots=True)
class Reviewer:
    user: User
    errs: float


def hired() -> tuple[Reviewer, ...]:
    """Returns the reviewers' accounts, made where there were none. Nobody can sign in with them."""
    people = []
    for name, errs in ERRORS.items():
        user, is_new = User.objects.get_or_create(username=name, defaults={"is_active": False})
        if is_new:
            user.set_unusable_password()
            user.save(update_fields=["password"])
        people.append(Reviewer(user, errs))
    return tuple(people)


def on_duty(reviewers: Sequence[Reviewer], dice: Dice) -> list[Reviewer]:
    """Returns who reviews this search: nobody, one of them, or both."""
    if dice.random() >= FIRST:
        return []
    return list(reviewers) if dice.random() < BOTH else [reviewers[int(dice.integers(len(reviewers)))]]


def said(grade: Grade, errs: float, dice: Dice) -> Grade:
    """Returns what a reviewer says of a result of this grade."""
    if dice.random() >= errs:
        return grade
    wrong = [one for one in GRADES if one is not grade]
    return wrong[int(dice.integers(len(wrong)))]


def expected_agreement(first: float, second: float) -> float:
    """Returns how often two reviewers with these error rates say the same: both right, or wrong in the same way."""
    return (1 - first) * (1 - second) + first * second / (len(GRADES) - 1)
