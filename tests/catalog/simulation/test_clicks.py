"""The click model does what it says."""

import numpy as np
import pytest

from catalog.simulation.clicks import ATTRACTION, Grade, clicked, examined

RUNS = 4000


def test_clicks_fall_with_rank_as_the_model_says():
    dice = np.random.default_rng(1)
    grades = [Grade.SAME_PRODUCT] * 5
    counts = np.zeros(5)
    for _ in range(RUNS):
        for rank in clicked(grades, dice)[0]:
            counts[rank - 1] += 1
    expected = [examined(rank) * ATTRACTION[Grade.SAME_PRODUCT] for rank in range(1, 6)]
    assert counts / RUNS == pytest.approx(expected, abs=0.03)


def test_without_bias_every_rank_is_looked_at():
    _, seen = clicked([Grade.WRONG] * 7, np.random.default_rng(1), decay=0.0)
    assert seen == [1, 2, 3, 4, 5, 6, 7]


def test_better_results_are_clicked_more():
    rates = [ATTRACTION[grade] for grade in Grade]
    assert rates == sorted(rates, reverse=True)
