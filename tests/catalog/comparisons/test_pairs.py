import numpy as np
import pytest

from catalog.comparisons.pairs import Pair, difference, sign_test


def pairs(before: list[float], after: list[float]) -> list[Pair]:
    return [Pair(a, b, str(n)) for n, (a, b) in enumerate(zip(before, after, strict=True))]


def test_of_nothing_there_is_no_difference():
    assert difference([]) is None


def test_a_clear_loss_has_its_interval_below_zero():
    found = difference(pairs([1.0] * 80 + [0.0] * 20, [1.0] * 40 + [0.0] * 60))
    assert found.difference == pytest.approx(-0.4)
    assert -0.52 < found.low < found.difference < found.high < -0.29
    assert (found.wins, found.losses, found.ties) == (0, 40, 60)
    assert found.p < 1e-9


def test_ten_that_are_alike_are_no_proof_that_all_are():
    found = difference(pairs([1.0] * 10, [1.0] * 10))
    assert (found.low, found.high) == pytest.approx((-0.15, 0.15))


def test_many_that_are_alike_are_nearly_a_proof():
    found = difference(pairs([1.0] * 1000, [1.0] * 1000))
    assert found.low == pytest.approx(-0.0015)


def test_queries_of_one_product_count_as_one():
    loose = [Pair(1.0, float(n % 2), str(n)) for n in range(80)]
    tied = [Pair(1.0, float(n // 20 % 2), str(n // 20)) for n in range(80)]
    one, other = difference(loose), difference(tied)
    assert one.difference == other.difference
    assert other.clusters == 4
    assert other.high - other.low > 2 * (one.high - one.low)


def test_the_interval_covers_the_truth_as_often_as_it_says():
    dice = np.random.default_rng(1)
    covered = 0
    for trial in range(200):
        before = dice.random(120) < 0.7
        after = np.where(dice.random(120) < 0.2, ~before, before)  # truth: .2 * (1 - 2 * .7) = -.08
        found = difference(pairs(before.astype(float).tolist(), after.astype(float).tolist()), seed=trial)
        covered += found.low <= -0.08 <= found.high
    assert covered >= 180


@pytest.mark.parametrize(("wins", "losses", "p"), [(0, 0, 1.0), (5, 5, 1.0), (0, 5, 0.0625), (10, 0, 0.001953125)])
def test_the_sign_test_is_exact(wins, losses, p):
    assert sign_test(wins, losses) == pytest.approx(p)
