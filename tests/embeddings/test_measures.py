"""Ranks and measures, against rankings that can be counted by hand."""

import numpy as np
import pytest

from embeddings.measures import mean_average_precision, ranks, recall_at, retrieval


def places(*rows: list[int]) -> list[np.ndarray]:
    return [np.array(row, np.intp) for row in rows]


def test_ranks_count_from_zero_by_falling_score():
    queries = np.array([[1, 0], [0, 1]], np.float32)
    catalog = np.array([[0.2, 0.9], [0.9, 0.1], [0.5, 0.5]], np.float32)
    relevant = np.array([[True, False, False], [True, False, True]])
    first, second = ranks(queries, catalog, relevant)
    assert first.tolist() == [2]
    assert second.tolist() == [0, 1]


def test_a_tie_counts_against_us():
    (found,) = ranks(np.ones((1, 2), np.float32), np.ones((3, 2), np.float32), np.array([[True, False, False]]))
    assert found.tolist() == [2]


def test_ranks_are_the_same_in_blocks_of_any_size():
    dice = np.random.default_rng(0)
    queries, catalog = dice.normal(size=(7, 4)).astype(np.float32), dice.normal(size=(11, 4)).astype(np.float32)
    relevant = dice.random((7, 11)) < 0.3
    whole, split = ranks(queries, catalog, relevant), ranks(queries, catalog, relevant, block=2)
    assert [row.tolist() for row in whole] == [row.tolist() for row in split]


@pytest.mark.parametrize(("k", "expected"), [(1, 1 / 4), (5, 2 / 4), (10, 3 / 4), (20, 3 / 4)])
def test_recall_is_the_share_of_queries_answered_among_the_first_k(k, expected):
    measure = recall_at(places([0, 3], [4], [9], []), k)
    assert (measure.value, measure.n) == (expected, 4)


def test_average_precision_is_the_mean_of_the_precision_at_each_relevant_answer():
    assert mean_average_precision(places([0, 2])).value == pytest.approx((1 + 2 / 3) / 2)
    assert mean_average_precision(places([1], [])).value == pytest.approx(0.25)


def test_the_interval_holds_the_value_and_narrows_with_n():
    few, many = recall_at(places(*[[0], [5]] * 10), 1), recall_at(places(*[[0], [5]] * 500), 1)
    assert few.low < few.value < few.high
    assert many.high - many.low < (few.high - few.low) / 3


def test_no_queries_give_measures_of_nothing():
    assert {measure.n for measure in retrieval([]).values()} == {0}
