"""Two reviewers who err at known rates agree as often as these rates say."""

import numpy as np
import pytest

from catalog.review.numbers import kappa
from catalog.simulation.clicks import GRADES
from catalog.simulation.reviewers import ERRORS, expected_agreement, hired, on_duty, said

RESULTS = 6000


def test_measured_kappa_is_that_of_their_error_rates():
    dice = np.random.default_rng(2)
    first, second = ERRORS.values()
    grades = [GRADES[int(dice.integers(len(GRADES)))] for _ in range(RESULTS)]
    pairs = [(said(one, first, dice), said(one, second, dice)) for one in grades]
    agreed = expected_agreement(first, second)

    found = kappa(pairs)
    assert found is not None
    assert found.low <= (agreed - 0.2) / 0.8 <= found.high  # five grades alike: by chance one in five


def test_some_searches_are_reviewed_by_both(db):
    reviewers = hired()
    dice = np.random.default_rng(3)
    crowds = [len(on_duty(reviewers, dice)) for _ in range(2000)]
    assert crowds.count(2) / 2000 == pytest.approx(0.15, abs=0.03)
    assert crowds.count(0) / 2000 == pytest.approx(0.5, abs=0.04)


def test_nobody_signs_in_as_a_simulated_reviewer(db, client):
    for reviewer in hired():
        assert not reviewer.user.is_active
        assert not reviewer.user.has_usable_password()
    assert [one.user.pk for one in hired()] == [one.user.pk for one in hired()]
