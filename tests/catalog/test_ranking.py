from catalog.bands import Band, Bands
from catalog.ranking import rank, vote
from embeddings.types import Hit

BANDS = Bands({Band.SIMILAR: 0.5, Band.SAME_PRODUCT: 0.8}, {"bags": {Band.SAME_PRODUCT: 0.6}})


def hit(image: int, score: float, *, product: int = 1, category: str = "shoes") -> Hit:
    return Hit(image, score, {"product": product, "category": category})


def test_no_hits_rank_to_no_products():
    assert rank([], bands=BANDS) == []


def test_a_product_with_several_images_appears_once_by_its_best():
    ranked = rank([hit(10, 0.7, product=1), hit(11, 0.9, product=1), hit(20, 0.8, product=2)], bands=BANDS)

    assert [(one.product_id, one.image_id) for one in ranked] == [(1, 11), (2, 20)]


def test_equal_scores_keep_the_stores_order():
    ranked = rank([hit(10, 0.5, product=7), hit(20, 0.5, product=3)], bands=BANDS)

    assert [one.product_id for one in ranked] == [7, 3]


def test_each_product_is_banded_by_its_own_category():
    ranked = rank([hit(1, 0.7, product=1, category="bags"), hit(2, 0.7, product=2)], bands=BANDS)

    assert [one.band for one in ranked] == [Band.SAME_PRODUCT, Band.SIMILAR]


def test_scores_of_words_are_never_called_the_same_photo():
    assert rank([hit(1, 1.0)], bands=None)[0].band is Band.SIMILAR


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
