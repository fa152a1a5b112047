import pytest

from catalog.search.fusion import fuse, seen, share_of, vote
from detection.types import Detection
from embeddings.types import Hit

BOX = (0.0, 0.0, 100.0, 100.0)


def hit(score: float, category: str = "shoes", **payload) -> Hit:
    return Hit(1, score, {"product": 1, "category": category, **payload})


def test_without_neighbors_nobody_votes():
    assert vote([]) == {}


def test_near_neighbors_outvote_many_far_ones(settings):
    settings.CATEGORY_FUSION = {**settings.CATEGORY_FUSION, "power": 8}

    shares = vote([hit(0.95, "watches")] * 2 + [hit(0.5, "belts")] * 10)

    assert shares["watches"] > 0.9
    assert sum(shares.values()) == pytest.approx(1)


def test_neighbors_that_point_away_have_no_vote():
    assert vote([hit(-0.9)]) == {}


def test_only_the_nearest_vote(settings):
    settings.CATEGORY_FUSION = {**settings.CATEGORY_FUSION, "neighbors": 2}

    assert vote([hit(0.9, "bags"), hit(0.9, "bags"), hit(0.9, "shoes")]) == {"bags": 1.0}


def test_hits_without_a_value_do_not_vote_for_one():
    assert share_of([hit(0.9, gender="male"), hit(0.9, gender="")], "gender") == {"male": 1.0}


def test_the_detector_speaks_only_of_the_part_that_is_searched():
    detections = [Detection(BOX, "shoes", 0.8), Detection((500.0, 500.0, 600.0, 600.0), "bags", 0.9)]

    assert seen(detections, BOX) == {"shoes": 0.8}


def test_one_thing_seen_as_two_categories_is_not_twice_as_sure():
    detections = [Detection(BOX, "jackets", 0.9), Detection((0.0, 0.0, 100.0, 95.0), "tops", 0.6)]

    assert seen(detections, BOX) == pytest.approx({"jackets": 0.6, "tops": 0.4})


def test_nothing_known_is_no_guess():
    assert fuse({}, {}) is None


@pytest.mark.parametrize(
    ("detector", "neighbors", "slug", "source"),
    [
        ({"shoes": 0.4}, {}, "shoes", "detector"),
        ({}, {"watches": 0.7, "belts": 0.3}, "watches", "neighbors"),
        ({"shoes": 0.9}, {"shoes": 0.6, "bags": 0.4}, "shoes", "fused"),
        ({"shoes": 0.3}, {"watches": 0.9, "belts": 0.1}, "watches", "fused"),
    ],
)
def test_the_likelier_category_wins_and_says_who_named_it(settings, detector, neighbors, slug, source):
    settings.CATEGORY_FUSION = {**settings.CATEGORY_FUSION, "detector": 0.5}

    guess = fuse(detector, neighbors)

    assert (guess.slug, guess.source) == (slug, source)
    assert guess.confidence == max(guess.confidences.values())
    assert 0 < guess.confidence <= 1


def test_a_rare_category_outvotes_one_of_which_there_is_much_of_anything(settings):
    settings.CATEGORY_FUSION = {**settings.CATEGORY_FUSION, "balance": 0.5}
    hits = [hit(0.9, "tops"), hit(0.9, "tops"), hit(0.9, "ties")]

    assert max(vote(hits).items(), key=lambda item: item[1])[0] == "tops"
    assert max(vote(hits, {"tops": 1000, "ties": 10}).items(), key=lambda item: item[1])[0] == "ties"
