import numpy as np
import pytest

from catalog.bands import USUAL_CROWD
from catalog.bands.crowds import crowd_of
from catalog.indexing.points import VECTOR
from embeddings import vector_store
from embeddings.types import Point


@pytest.fixture
def index(settings):
    """Puts pictures at given cosines to picture 1; each is (product, cosine)."""
    settings.VECTOR_STORE = {"BACKEND": "tests.fakes.MemoryStore"}

    def put(*pictures: tuple[int, float]) -> str:
        vector_store().ensure("shop", {VECTOR: 2})
        points = [
            Point(pk, {VECTOR: np.array([cosine, np.sqrt(1 - cosine**2)], np.float32)}, {"product": product})
            for pk, (product, cosine) in enumerate(pictures, 1)
        ]
        vector_store().upsert("shop", points)
        return "shop"

    return put


def test_a_crowd_is_the_mean_of_the_second_to_fifth_nearest_products(index):
    shop = index((1, 1.0), (2, 0.9), (3, 0.8), (4, 0.7), (5, 0.6), (6, 0.5), (7, 0.1))

    assert crowd_of(shop, 1) == pytest.approx(0.65)


def test_the_same_thing_listed_again_with_another_picture_is_no_crowd(index):
    shop = index((1, 1.0), (9, 0.9), (2, 0.3), (3, 0.3))

    assert crowd_of(shop, 1) == pytest.approx(0.3)


def test_five_merchants_with_one_picture_are_no_crowd(index):
    shop = index((1, 1.0), *((seller, 0.999) for seller in range(10, 15)), (2, 0.5), (3, 0.3), (4, 0.1))

    assert crowd_of(shop, 1) == pytest.approx(0.2)


def test_a_products_other_pictures_are_no_crowd_and_a_neighbors_count_once(index):
    shop = index((1, 1.0), (1, 0.93), (2, 0.9), (3, 0.5), (3, 0.45), (3, 0.4))

    assert crowd_of(shop, 1) == pytest.approx(0.5)


def test_what_is_taken_for_absent_is_no_crowd(index):
    shop = index((1, 1.0), (2, 0.9), (3, 0.8), (4, 0.2))

    assert crowd_of(shop, 1, exclude=(2,)) == pytest.approx(0.2)


def test_without_two_other_products_or_the_picture_itself_the_crowd_is_as_usual(index):
    shop = index((1, 1.0), (2, 0.9))

    assert crowd_of(shop, 1) == crowd_of(shop, 77) == USUAL_CROWD
