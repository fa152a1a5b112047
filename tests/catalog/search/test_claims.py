import pytest

from catalog.bands import Band, Bands
from catalog.search import claims
from catalog.search.claims import Claims, scoring_the_same
from catalog.search.ranking import Candidate

BANDS = Bands({Band.SAME_PHOTO: 0.95, Band.SAME_PRODUCT: 0.8, Band.SIMILAR: 0.5})


def candidate(product: int, asked_score: float, *, score: float = 0.6) -> Candidate:
    return Candidate(product, product * 10, score, asked_score, BANDS.band(asked_score, crowd=None))


@pytest.fixture
def asked(monkeypatch) -> list[int]:
    """The images whose crowd was asked for; it is .4 for every one, but .9 around image 90."""
    images: list[int] = []

    def crowd_of(collection: str, image: int) -> float:
        images.append(image)
        return 0.9 if image == 90 else 0.4

    monkeypatch.setattr(claims, "crowd_of", crowd_of)
    return images


def bands_of(*found: Candidate) -> list[Band]:
    return [one.band for one in Claims(BANDS, "shop").made(found)]


def test_only_the_product_most_like_the_photo_is_called_the_same(asked):
    assert bands_of(candidate(1, 0.85), candidate(2, 0.9)) == [Band.SIMILAR, Band.SAME_PRODUCT]
    assert asked == [20]


def test_a_product_among_many_look_alikes_is_similar_at_the_same_score(asked):
    assert bands_of(candidate(9, 0.9)) == [Band.SIMILAR]
    assert bands_of(candidate(1, 0.9)) == [Band.SAME_PRODUCT]


def test_the_index_is_not_asked_where_no_lead_would_be_enough(asked):
    assert bands_of(candidate(1, 0.55)) == [Band.SIMILAR]
    assert bands_of() == []
    assert asked == []


def test_a_copys_score_stays_what_it_is(asked):
    assert bands_of(candidate(1, 0.97)) == [Band.SAME_PHOTO]
    assert asked == []


def test_a_product_that_may_not_be_shown_gives_way_to_the_next(asked):
    of_one_query = Claims(BANDS, "shop")
    of_one_query.begin([candidate(1, 0.9), candidate(2, 0.85)])

    assert [one.band for one in of_one_query.made([candidate(2, 0.85)])] == [Band.SAME_PRODUCT]
    assert asked == [10, 20]


def test_the_same_product_is_asked_about_once(asked):
    of_one_query = Claims(BANDS, "shop")
    of_one_query.begin([candidate(1, 0.9)])
    of_one_query.made([candidate(1, 0.9)])
    of_one_query.made([candidate(1, 0.9), candidate(2, 0.7)])

    assert asked == [10]


def test_the_photo_tells_and_not_where_words_and_likes_moved_the_query(asked):
    assert bands_of(candidate(1, 0.6, score=0.99), candidate(2, 0.9, score=0.7)) == [Band.SIMILAR, Band.SAME_PRODUCT]


def test_several_products_may_score_like_the_same_one_and_none_by_a_moved_score():
    found = [candidate(1, 0.9), candidate(2, 0.85), candidate(3, 0.97), candidate(4, 0.6, score=0.99)]

    assert scoring_the_same(found, BANDS) == {1, 2, 3}
