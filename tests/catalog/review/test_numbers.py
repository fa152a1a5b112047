"""Numbers against values from books and by hand."""

import pytest

from catalog.review.numbers import Estimate, kappa, ndcg, percentile, share, wilson


@pytest.mark.parametrize(
    ("mean", "n", "low", "high"),
    [(0.0, 10, 0.0, 0.2775), (1.0, 10, 0.7225, 1.0), (0.5, 10, 0.2366, 0.7634), (0.81, 263, 0.7583, 0.8529)],
)
def test_wilsons_interval_is_that_of_the_tables(mean, n, low, high):
    assert wilson(mean, n) == pytest.approx((low, high), abs=6e-4)


def test_nothing_has_no_share():
    assert share([]) is None
    assert percentile([], 0.5) is None
    assert kappa([]) is None


def test_unequal_weights_move_the_mean_and_widen_the_interval():
    equal, heavy = share([1, 1, 0, 0]), share([1, 1, 0, 0], [9, 1, 1, 1])

    assert heavy.value == pytest.approx(10 / 12)
    assert heavy.high - heavy.low > equal.high - equal.low
    assert heavy.n == 4


def test_a_percentile_lies_within_its_interval():
    values = [float(value) for value in range(1, 101)]
    half, most = percentile(values, 0.5), percentile(values, 0.95)

    assert (half.value, most.value) == (50, 95)
    assert (half.low, half.high) == (41, 61)  # order statistics 40.2 and 60.8, outwards
    assert most.low < 95 < most.high <= 100


def test_one_value_is_its_own_interval():
    assert percentile([7.0], 0.95) == Estimate(7.0, 7.0, 7.0, 1)


def test_ndcg_is_one_in_the_best_order_and_less_in_another():
    assert ndcg([3, 2, 0]) == 1
    assert ndcg([0, 2, 3]) == pytest.approx((3 / 1.58496 + 7 / 2) / (7 + 3 / 1.58496), abs=1e-4)
    assert ndcg([0, 0]) is None


def test_kappa_is_that_of_cohens_example():
    """Cohen 1960, as it is taught: 50 proposals, both yes 20, both no 15, 5 and 10 apart: 0.4."""
    pairs = [("yes", "yes")] * 20 + [("no", "no")] * 15 + [("yes", "no")] * 5 + [("no", "yes")] * 10
    found = kappa(pairs)

    assert found.value == pytest.approx(0.4)
    assert found.low < 0.4 < found.high
    assert found.n == 50


def test_reviewers_who_only_ever_say_one_word_tell_nothing():
    assert kappa([("good", "good")] * 9) is None
