import pytest

from catalog.ranking import Band, band, rank, vote
from embeddings.types import Hit


def hit(image: int, score: float, *, product: int = 1, category: str = "shoes") -> Hit:
    return Hit(image, score, {"product": product, "category": category})


def test_no_hits_rank_to_no_products():
    assert rank([]) == []


def test_a_product_with_several_images_appears_once_by_its_best():
    ranked = rank([hit(10, 0.7, product=1), hit(11, 0.9, product=1), hit(20, 0.8, product=2)])

    assert [(one.product_id, one.image_id) for one in ranked] == [(1, 11), (2, 20)]


def test_equal_scores_keep_the_stores_order():
    ranked = rank([hit(10, 0.5, product=7), hit(20, 0.5, product=3)])

    assert [one.product_id for one in ranked] == [7, 3]


@pytest.mark.parametrize(
    ("score", "expected"),
    [
        (1.0, Band.SAME_PHOTO),
        (0.9, Band.SAME_PHOTO),
        (0.89, Band.SAME_PRODUCT),
        (0.5, Band.SIMILAR),
        (0.49, Band.NOTHING_CLOSE),
        (-1.0, Band.NOTHING_CLOSE),
    ],
)
def test_a_score_falls_into_the_best_band_it_reaches(settings, score, expected):
    settings.BAND_THRESHOLDS = {"same_photo": 0.9, "same_product": 0.8, "similar": 0.5}

    assert band(score) is expected


def test_scores_of_words_are_never_called_the_same_photo():
    assert rank([hit(1, 1.0)], banded=False)[0].band is Band.SIMILAR


def test_without_neighbors_nobody_votes():
    assert vote([]) is None


def test_near_neighbors_outvote_many_far_ones():
    near = [hit(1, 0.95, category="watches")] * 2
    far = [hit(2, 0.5, category="belts")] * 10

    won = vote(near + far)

    assert won is not None
    assert won.category == "watches"
    assert won.confidence > 0.9


def test_neighbors_that_point_away_have_no_vote():
    assert vote([hit(1, -0.9)]) is None
