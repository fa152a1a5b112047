from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.models import Category
from catalog.search.prepared import Prepared

pytestmark = pytest.mark.django_db


@pytest.fixture
def ids() -> list[int]:
    return [Category.objects.create(slug=f"c-{number}", name=f"C {number}").pk for number in range(40)]


def by_ids(ids):
    return Category.objects.filter(pk__in=ids).order_by("pk").values_list("pk", "slug")


@pytest.mark.parametrize("count", [1, 2, 15, 16, 17, 31, 33, 40])
def test_it_finds_what_the_query_itself_finds_however_many_are_asked_for(ids, count):
    assert Prepared(by_ids).rows(ids[:count]) == list(by_ids(ids[:count]))


def test_other_ids_get_other_rows_from_the_same_statement(ids):
    prepared = Prepared(by_ids)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        first, second = prepared.rows(ids[:3]), prepared.rows(ids[3:6])
    assert [pk for pk, _ in [*first, *second]] == ids[:6]
    assert len(asked) == 2


def test_no_ids_ask_nothing_and_an_unknown_one_finds_nothing(ids, django_assert_num_queries):
    prepared = Prepared(by_ids)
    with django_assert_num_queries(0):
        assert prepared.rows([]) == []
    assert prepared.rows([max(ids) + 1]) == []


def test_columns_come_in_the_types_that_a_model_gives(django_user_model):
    joined = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
    pk = django_user_model.objects.create(username="ada", date_joined=joined, is_staff=True).pk

    def of_users(ids):
        return django_user_model.objects.filter(pk__in=ids).values_list("username", "date_joined", "is_staff")

    assert Prepared(of_users).rows([pk]) == [("ada", joined, True)]


def test_what_the_query_depends_on_is_heeded(ids):
    hidden: list[str] = []
    prepared = Prepared(lambda wanted: by_ids(wanted).exclude(slug__in=hidden), depends_on=lambda: tuple(hidden))
    assert len(prepared.rows(ids)) == 40
    hidden.append("c-7")
    assert len(prepared.rows(ids)) == 39


def test_a_query_that_does_not_name_each_id_once_is_refused(ids):
    with pytest.raises(RuntimeError):
        Prepared(lambda wanted: by_ids(wanted[:3])).rows(ids)
