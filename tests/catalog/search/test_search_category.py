"""Which category a search is narrowed to, and what it says of it."""

from typing import Any

import pytest

from catalog.bands import Band
from catalog.indexing.points import VECTOR
from catalog.search.questions import Filters, Question
from catalog.search.search import search
from embeddings import vector_store
from embeddings.types import Hit, Where
from tests.fakes import picture


@pytest.fixture
def unsure(shelf, settings):
    """A detector that takes everything for shoes, but not surely."""
    settings.DETECTOR = {"BACKEND": "tests.fakes.FakeDetector", "OPTIONS": {"confidence": 0.05}}


def counted_queries(monkeypatch) -> list[Where | None]:
    """Returns a list that fills with what the store is asked of embeddings from now on."""
    asked: list[Where | None] = []
    query = vector_store().query

    def count(*args: Any, using: str, where: Where | None = None, **options: Any) -> list[Hit]:
        if using == VECTOR:
            asked.append(where)
        return query(*args, using=using, where=where, **options)

    monkeypatch.setattr(vector_store(), "query", count)
    return asked


# The fake detector knows shoes alone, so a bag's whole picture is indexed: a box around all of a photo looks the same.
EVERYTHING = (0.0, 0.0, 96.0, 96.0)


def skus(answer) -> list[str]:
    return [result.product.sku for result in answer.results]


def test_neighbors_correct_an_unsure_detector(unsure, shelf):
    for number in range(12):
        shelf.put(f"B-{number}", 3, category="bags")
    for seed in range(30, 32):
        shelf.put(f"S-{seed}", seed, category="shoes")

    answer = search(Question(image=picture(3), box=EVERYTHING))

    assert (answer.selected.category.slug, answer.selected.category.source) == ("bags", "fused")
    assert answer.selected.category_applied
    assert {result.product.category.slug for result in answer.results} == {"bags"}


def test_the_likeliest_categories_are_named_with_their_confidences(unsure, shelf):
    for number in range(12):
        shelf.put(f"B-{number}", 3, category="bags")
    shelf.put("S-30", 30, category="shoes")

    scores = search(Question(image=picture(3), box=EVERYTHING)).selected.category.scores

    assert [slug for slug, _ in scores] == ["bags", "shoes"]
    assert scores[0][1] > scores[1][1] > 0


def test_a_sure_detector_costs_no_question_for_neighbors(shelf, monkeypatch):
    for seed in range(6):
        shelf.put(f"S-{seed}", seed)
    asked = counted_queries(monkeypatch)

    answer = search(Question(image=picture(3)))

    assert answer.selected.category.source == "detector"
    assert len(asked) == 1


def test_an_unsure_one_costs_one_question_more(unsure, shelf, monkeypatch):
    for seed in range(6):
        shelf.put(f"S-{seed}", seed)
    asked = counted_queries(monkeypatch)

    search(Question(image=picture(3)))

    assert len(asked) == 2


def test_the_vote_is_of_the_whole_index_whatever_is_filtered(unsure, shelf):
    for number in range(12):
        shelf.put(f"B-{number}", 3, category="bags", brand="Vale")
    for seed in range(30, 32):
        shelf.put(f"S-{seed}", seed, category="shoes", brand="Linden")

    answer = search(Question(image=picture(3), box=EVERYTHING, filters=Filters(brands=("linden",))))

    assert answer.selected.category.slug == "bags"


def test_a_thing_that_is_not_sold_here_is_not_taken_for_one_that_is(shelf, settings):
    settings.BAND_THRESHOLDS = {"same_photo": 0.9999, "same_product": 0.999, "similar": 0.998}
    for seed in range(6):
        shelf.put(f"H-{seed}", seed, category="hats")

    answer = search(Question(image=picture(40)))

    assert answer.selected.category.slug == "shoes"
    assert not answer.selected.category_applied
    assert (answer.band, answer.reason) == (Band.NOTHING_CLOSE, "category_not_sold")
    assert len(answer.results) == 6


def test_a_category_in_words_is_the_shoppers_choice(shelf):
    for seed in range(6):
        shelf.put(f"S-{seed}", seed)
    shelf.put("B-9", 9, category="bags")

    answer = search(Question(image=picture(1), text="bag like this"))

    assert (answer.selected.category.slug, answer.selected.category.source) == ("bags", "user")
    assert skus(answer) == ["B-9"]


def test_a_category_of_the_request_wins_over_words(shelf):
    shelf.put("S-1", 1)
    shelf.put("B-9", 9, category="bags")

    assert skus(search(Question(image=picture(1), text="bag", category="shoes"))) == ["S-1"]
    assert len(search(Question(image=picture(1), text="bag", category="all")).results) == 2
