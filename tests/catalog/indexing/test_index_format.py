"""An index that an earlier version of ours made is searched as it is, and made anew beside itself."""

import io

import pytest
from django.core.management import call_command

from catalog.indexing.check import check_index, drop_other_collections
from catalog.indexing.index import IndexReport, index_all, reindex
from catalog.indexing.points import ALIAS, VECTOR, collection_of, has_fingerprints, searched_collection
from catalog.management.commands.worker import work
from catalog.models import ProductImage
from catalog.search.questions import Question
from catalog.search.search import search
from embeddings.types import Point
from shop_search.errors import InputError
from tests.catalog.shop import Shop, open_shop
from tests.fakes import DIM, FakeEncoder, picture

pytestmark = pytest.mark.django_db

EARLIER = f"products-{FakeEncoder().card.fingerprint}"
NOW = collection_of(FakeEncoder().card)


@pytest.fixture
def shop(settings, tmp_path) -> Shop:
    """A shop of four products whose index has no fingerprints and colors."""
    shop = open_shop(settings, tmp_path)
    shop.feed.add_many(4)
    shop.upload()
    index_all()
    vectors = shop.store.retrieve(NOW, list(shop.points()), using=VECTOR)
    shop.store.ensure(EARLIER, {VECTOR: DIM})
    shop.store.upsert(EARLIER, [Point(pk, {VECTOR: vectors[pk]}, payload) for pk, payload in shop.points().items()])
    shop.store.alias(ALIAS, EARLIER)
    shop.store.drop(NOW)
    ProductImage.objects.update(index_format=1, palette=[], seen_colors=[])
    return shop


def test_it_is_searched_until_the_new_one_is_complete(shop):
    assert searched_collection() == EARLIER
    assert not has_fingerprints(EARLIER)

    answer = search(Question(image=picture(2)))

    assert answer.results[0].product.sku == "P-0002"


def test_the_worker_makes_it_anew_by_itself(shop):
    import threading

    done = work(threading.Event(), batch=2, is_burst=True)

    assert done.indexed == 4
    assert shop.store.resolve(ALIAS) == NOW
    assert has_fingerprints(NOW)
    assert all(image.palette and image.index_format == 2 for image in ProductImage.objects.all())
    assert check_index().agrees


def test_searches_switch_only_at_the_end_and_a_stopped_move_goes_on_where_it_stopped(shop):
    done: list[IndexReport] = []
    index_all(batch=1, progress=done.append, is_stopped=lambda: len(done) >= 1)
    moved = sum(report.indexed for report in done)
    assert 0 < moved < 4
    assert shop.store.resolve(ALIAS) == EARLIER

    assert index_all().indexed == 4 - moved

    assert shop.store.resolve(ALIAS) == NOW
    assert shop.store.collections() == {EARLIER: 4, NOW: 4}


def test_reindexing_makes_it_anew_once(shop):
    assert reindex().indexed == 4
    assert index_all().is_empty


def test_checking_tells_and_makes_it_anew(shop):
    check = check_index()
    assert (check.outdated, check.agrees) == (4, False)
    out = io.StringIO()

    call_command("reindex_catalog", "--check", "--prune", stdout=out, stderr=io.StringIO())

    assert "4 made by another encoder or an earlier version" in out.getvalue()
    assert shop.store.collections() == {NOW: 4}


def test_its_collection_is_kept_while_searches_use_it(shop):
    with pytest.raises(InputError, match="reindex_catalog"):
        drop_other_collections()

    assert EARLIER in shop.store.collections()


def test_a_new_price_reaches_it_during_the_move(shop):
    shop.feed.edit("P-0001", {"price": "5 EUR"})
    shop.upload()

    index_all(batch=1)

    pk = shop.image("P-0001").pk
    for collection in (EARLIER, NOW):
        assert dict(shop.store.scroll(collection))[pk]["price"] == 5.0
