"""Pairs, weights and gains, on lists small enough to be counted by hand."""

import numpy as np
import pytest

from catalog.learning.attention import EVEN, Attention
from catalog.learning.gains import click_gain, places_of, verdict_gain
from catalog.learning.lists import Shown
from catalog.learning.weights import as_vector, fit, pairs_of

TODAY = {"appearance": 0.85, "color": 0.05, "attributes": 0.05, "quality": 0.05}
NAN = float("nan")


def of(parts, *, clicked=(), bands=None, grades=None, is_held_out=False) -> Shown:
    rows = np.array([[*row, *[0.0] * (4 - len(row))] for row in parts], float)
    n = len(rows)
    return Shown(
        parts=rows,
        ranks=np.arange(1, n + 1),
        bands=np.array(bands or [0] * n),
        clicked=np.array([rank in clicked for rank in range(1, n + 1)]),
        grades=np.array(grades or [NAN] * n, float),
        is_held_out=is_held_out,
    )


def test_a_click_far_down_counts_for_those_who_did_not_look():
    pairs = pairs_of([of([[0.9], [0.5]], clicked=[1]), of([[0.9], [0.5]], clicked=[2])], Attention(1.0))

    assert pairs.differences[:, 0] == pytest.approx([0.4, -0.4])
    assert pairs.weights == pytest.approx([1 / 3, 2 / 3])


def test_results_of_another_band_are_no_rivals():
    assert pairs_of([of([[0.9], [0.5]], clicked=[2], bands=[0, 1])], EVEN) is None


def test_verdicts_pair_what_reviewers_told_apart():
    pairs = pairs_of([of([[0.9], [0.8], [0.7]], grades=[1.0, NAN, 3.0])], Attention(1.0))

    assert pairs.differences.tolist() == pytest.approx(np.array([[-0.2, 0, 0, 0]]))


def test_the_fit_moves_towards_the_part_that_tells_good_from_bad():
    dice = np.random.default_rng(1)
    lists = []
    for _ in range(300):
        parts = dice.uniform(size=(6, 2))
        lists.append(of(parts, clicked=[int(np.argmax(parts[:, 1])) + 1]))
    pairs = pairs_of(lists, EVEN)
    assert pairs is not None
    found = fit(pairs, TODAY)

    assert found["color"] > 0.5
    assert sum(found.values()) == pytest.approx(1, abs=1e-3)
    assert min(found.values()) >= 0


def test_with_little_to_learn_from_the_weights_stay_near_todays():
    pairs = pairs_of([of([[0.5, 0.9], [0.5, 0.1]], clicked=[1])], EVEN)
    assert pairs is not None
    found = fit(pairs, TODAY)

    assert found["appearance"] > 0.7


def test_an_order_never_crosses_bands():
    places = places_of(of([[0.1], [0.9], [0.5]], bands=[0, 1, 1]), as_vector(TODAY))

    assert places.tolist() == [1, 2, 3]
    assert places_of(of([[0.1], [0.9], [0.5]]), as_vector(TODAY)).tolist() == [3, 1, 2]


def test_a_gain_is_told_with_what_it_was_before():
    lists = [of([[0.9, 0.0], [0.5, 1.0]], clicked=[2], grades=[0.0, 3.0]) for _ in range(20)]
    color = {**dict.fromkeys(TODAY, 0.0), "color": 1.0}
    clicks, verdicts = click_gain(lists, EVEN, TODAY, color), verdict_gain(lists, TODAY, color)

    assert (clicks.before, clicks.value) == (pytest.approx(1 / np.log2(3)), pytest.approx(1 - 1 / np.log2(3)))
    assert (verdicts.n, verdicts.low > 0) == (20, True)
    assert click_gain([of([[0.9], [0.5]])], EVEN, TODAY, color) is None
