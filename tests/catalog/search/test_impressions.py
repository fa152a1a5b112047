import uuid

import pytest

from catalog.models import Impression, Product, SearchRecord
from catalog.search.answers import record
from catalog.search.impressions import note_impressions
from catalog.search.questions import Question
from catalog.search.search import search
from tests.fakes import picture


def test_a_search_notes_what_it_showed_and_at_which_rank(shelf):
    shoe, other = shelf.put("shoe", 1), shelf.put("other", 2)

    answer = search(Question(image=picture(1)))
    record(answer)

    noted = dict(Impression.objects.filter(search=answer.id).values_list("product", "rank"))
    assert noted == {result.product.pk: result.rank for result in answer.results}
    assert noted[shoe.pk] == 1
    assert {one.merchant for one in Impression.objects.all()} == {shoe.merchant}
    assert noted[other.pk] == 2


def test_a_product_shown_twice_by_one_search_counts_once_at_its_best_rank(shelf):
    shoe = shelf.put("shoe", 1)
    record = SearchRecord.objects.create(answer={})

    note_impressions(record.pk, [(shoe, 4), (shoe, 2)])

    assert list(Impression.objects.values_list("product", "rank")) == [(shoe.pk, 2)]


@pytest.mark.django_db(transaction=True)
def test_a_product_that_was_deleted_meanwhile_fails_no_search():
    record = SearchRecord.objects.create(id=uuid.uuid4(), answer={})

    note_impressions(record.pk, [(Product(pk=987654, merchant_id=987654), 1)])

    assert not Impression.objects.exists()
