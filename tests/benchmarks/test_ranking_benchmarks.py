import numpy as np
import pytest

from benchmarks.likes import Shopper, average_vector, best_score, reciprocal, rocchio
from benchmarks.ranking_weights import Asked, ends
from benchmarks.ranking_weights import reciprocal as ranked

ROWS = np.eye(4, dtype=np.float32)
TOWARDS_2 = Shopper(query=ROWS[0], liked=ROWS[2], disliked=ROWS[1], wanted=2, left_out=(), is_fitted_on=False)


def test_color_counts_by_its_share():
    asked = Asked(np.array([0.9, 0.8]), np.array([0.1, 0.9]), right=1, is_fitted_on=False)

    assert [asked.rank(share) for share in (0.0, 0.5)] == [2, 1]
    assert ranked([asked], 0.0).tolist() == [0.5]


def test_what_the_store_did_not_find_has_no_rank():
    assert ranked([Asked(np.array([0.9]), np.array([0.1]), right=None, is_fitted_on=False)], 0.1).tolist() == [0]


@pytest.mark.parametrize("way", [rocchio(2.0, 0.0), average_vector, best_score])
def test_each_way_finds_what_was_liked(way):
    assert reciprocal([TOWARDS_2], ROWS, way)[0] >= 0.5


def test_what_was_judged_already_is_in_nobodys_way():
    shopper = Shopper(ROWS[0], ROWS[1], ROWS[3], wanted=2, left_out=(0, 1), is_fitted_on=False)

    assert reciprocal([shopper], ROWS, rocchio(1.0, 0.0)).tolist() == [1.0]


def test_an_interval_holds_the_mean():
    low, high = ends(np.array([0.0, 1.0] * 50)).values()

    assert low < 0.5 < high
