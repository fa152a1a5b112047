"""What a simulated shopper does with a list of results: she looks at some, and clicks on some of those.

The position-based model: P(click at rank r) = EXAMINED(r) * ATTRACTION(grade), each result for itself. Both are known
here, which is what learning from clicks is checked against. Source: Craswell et al., "An experimental comparison of
click position-bias models", 2008; the decay 1/rank is that of Joachims et al., "Unbiased learning-to-rank with biased
feedback", 2017.
"""

from collections.abc import Sequence
from enum import StrEnum

import numpy as np

Dice = np.random.Generator

# How steeply attention falls: 1 is examined by all, rank r by 1 in r^DECAY.
DECAY = 1.0


class Grade(StrEnum):
    """How good a result is for what was meant; the words of Verdict.Kind."""

    SAME_PRODUCT = "same_product"
    GOOD = "good"
    NEAR = "near"
    WRONG = "wrong"
    WRONG_CATEGORY = "wrong_category"


GRADES = tuple(Grade)
# Of those who look at such a result, so many click. The last two are slips and curiosity.
ATTRACTION = {
    Grade.SAME_PRODUCT: 0.8,
    Grade.GOOD: 0.35,
    Grade.NEAR: 0.12,
    Grade.WRONG: 0.04,
    Grade.WRONG_CATEGORY: 0.02,
}
LIKED = 0.12  # of clicks on the very product or a good match
DISLIKED = 0.08  # of results that were looked at and are of the wrong category or kind


def examined(rank: int, decay: float = DECAY) -> float:
    """Returns the probability that a shopper looks at the result of this rank; 1 is the first."""
    return float(rank**-decay)


def clicked(grades: Sequence[Grade], dice: Dice, *, decay: float = DECAY) -> tuple[list[int], list[int]]:
    """Returns the ranks that a shopper clicked on, and those that she looked at, from 1 on."""
    clicks, seen = [], []
    for rank, grade in enumerate(grades, 1):
        if dice.random() < examined(rank, decay):
            seen.append(rank)
            if dice.random() < ATTRACTION[grade]:
                clicks.append(rank)
    return clicks, seen
