"""With clicks that are biased by rank, learning finds the better weights where it minds the bias, and only there.

The world of benchmarks.learned_ranking: right weights, today's weights and the shoppers' attention are all known.
"""

import numpy as np
import pytest

from benchmarks.learned_ranking import RIGHT, TODAY, known_attention, one_run, shown, world
from catalog.learning.attention import EVEN, attention
from catalog.learning.learn import learn
from catalog.models import LearningRun

SEARCHES = 1600


@pytest.fixture(scope="module")
def biased():
    """One world in which better weights than today's can be learned."""
    return one_run(5, SEARCHES)


def test_the_unbiased_learner_finds_weights_nearly_as_good_as_the_right_ones(biased):
    could_gain = biased["right"]["ndcg"] - biased["today"]["ndcg"]

    assert could_gain > 0.2
    assert biased["unbiased"]["ndcg"] - biased["today"]["ndcg"] > 0.9 * could_gain
    assert biased["unbiased"]["is_proposed"]


def test_the_naive_learner_does_not(biased):
    could_gain = biased["right"]["ndcg"] - biased["today"]["ndcg"]

    assert biased["naive"]["ndcg"] - biased["today"]["ndcg"] < 0.75 * could_gain
    off = {way: sum(abs(biased[way]["weights"][part] - RIGHT[part]) for part in RIGHT) for way in ("unbiased", "naive")}
    assert off["unbiased"] < off["naive"] / 2


def test_estimated_attention_teaches_as_well_as_known_attention(biased):
    assert biased["unbiased"]["ndcg"] == pytest.approx(biased["attention known"]["ndcg"], abs=0.03)


@pytest.mark.parametrize("decay", [0.0, 0.5, 1.0])
def test_attention_is_estimated_from_clicks_alone(decay):
    dice = np.random.default_rng(11)
    found = attention(shown(world(SEARCHES, dice), dice, decay=decay))

    assert found.decay == pytest.approx(decay, abs=0.2)
    assert found.low <= found.decay <= found.high


def test_where_todays_weights_are_right_nothing_is_proposed():
    for seed in range(3):
        dice = np.random.default_rng(seed)
        learned = learn(shown(world(800, dice, right=TODAY), dice), TODAY)
        assert not learned.is_better, learned.why
        assert learned.outcome == LearningRun.Outcome.NO_BETTER


def test_clicks_that_say_nothing_propose_nothing():
    for seed in range(3):
        dice = np.random.default_rng(seed)
        made = world(800, dice)
        made.grades[:] = dice.permuted(made.grades, axis=1)  # how good a result is has nothing to do with its parts
        learned = learn(shown(made, dice), TODAY)
        assert not learned.is_better, learned.why


def test_few_clicks_are_too_few():
    dice = np.random.default_rng(1)
    learned = learn(shown(world(60, dice), dice), TODAY)

    assert (learned.outcome, learned.is_better) == (LearningRun.Outcome.TOO_LITTLE, False)
    assert learned.after == TODAY


def test_nothing_is_known_of_attention_without_clicks():
    assert attention([]) == EVEN
    dice = np.random.default_rng(1)
    lists = shown(world(50, dice), dice)
    for one in lists:
        one.clicked[:] = False
    assert attention(lists) == EVEN


def test_known_attention_is_that_of_the_simulator():
    assert known_attention().at(np.array([1, 2, 4, 100])) == pytest.approx([1, 0.5, 0.25, 0.04])
