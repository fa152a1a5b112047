import numpy as np
import pytest

from catalog.versions.stopping import ALPHA, is_clearly_worse, likelihood_ratio


def stopped_at(rate_a: float, rate_b: float, dice: np.random.Generator, *, most: int, share: float = 0.5) -> int | None:
    """Returns after how many visitors a trial ends itself when one looks after every tenth."""
    is_b = dice.random(most) < share
    clicked = dice.random(most) < np.where(is_b, rate_b, rate_a)
    seen_b, clicks_b = np.cumsum(is_b), np.cumsum(clicked & is_b)
    seen_a, clicks_a = np.cumsum(~is_b), np.cumsum(clicked & ~is_b)
    for n in range(9, most, 10):
        if is_clearly_worse(int(clicks_a[n]), int(seen_a[n]), int(clicks_b[n]), int(seen_b[n])):
            return n + 1
    return None


@pytest.mark.parametrize(("rate", "share"), [(0.05, 0.5), (0.3, 0.5), (0.3, 0.1), (0.7, 0.2)])
def test_two_alike_are_seldom_told_apart_however_often_one_looks(rate, share):
    dice = np.random.default_rng(7)
    stops = sum(stopped_at(rate, rate, dice, most=4000, share=share) is not None for _ in range(400))
    assert stops / 400 <= ALPHA


def test_a_clearly_worse_one_is_found_in_a_few_hundred_visitors():
    dice = np.random.default_rng(7)
    found = [stopped_at(0.3, 0.15, dice, most=4000) for _ in range(100)]
    assert sum(one is not None for one in found) >= 95
    assert np.median([one for one in found if one is not None]) < 800


def test_a_better_one_never_ends_itself():
    assert likelihood_ratio(100, 1000, 300, 1000) > 20
    assert not is_clearly_worse(100, 1000, 300, 1000)


def test_a_handful_of_visitors_says_nothing():
    assert likelihood_ratio(20, 40, 0, 40) == 1.0
    assert likelihood_ratio(4, 400, 0, 400) == 1.0
    assert not is_clearly_worse(0, 0, 0, 0)
