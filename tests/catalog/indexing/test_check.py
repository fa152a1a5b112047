import pytest
from django.utils import timezone

from catalog.indexing.check import check_index, drop_other_collections
from catalog.indexing.index import index_all, reindex
from catalog.indexing.points import ALIAS, VECTOR
from catalog.models import Merchant, Product, ProductImage
from embeddings.types import Point
from shop_search.errors import InputError
from tests.catalog.shop import Shop, open_shop, use_fakes

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(settings, tmp_path) -> Shop:
    shop = open_shop(settings, tmp_path)
    shop.feed.add_many(4)
    shop.upload()
    index_all()
    return shop


def test_what_indexing_leaves_behind_agrees(shop):
    check = check_index()

    assert check.agrees
    assert (check.images, check.points, check.pending, check.failed) == (4, 4, 0, 0)
    assert check.is_searched


def test_an_empty_shop_agrees(settings, tmp_path):
    open_shop(settings, tmp_path)

    assert check_index().agrees


def lose_points(shop: Shop) -> None:
    shop.store.delete(ALIAS, [shop.image("P-0001").pk, shop.image("P-0003").pk])


def leave_a_stray_point(shop: Shop) -> None:
    like = shop.image("P-0000").pk
    vector = shop.store.retrieve(ALIAS, [like], using=VECTOR)[like]
    shop.store.upsert(ALIAS, [Point(9999, {VECTOR: vector}, {"product": 1})])


def delete_rows_behind_our_back(shop: Shop) -> None:
    ProductImage.objects.filter(pk=shop.image("P-0002").pk).delete()


def withdraw_behind_our_back(shop: Shop) -> None:
    Product.objects.filter(sku="P-0002").update(withdrawn_at=timezone.now())


def change_a_price_behind_our_back(shop: Shop) -> None:
    Product.objects.filter(sku="P-0002").update(price=77)


def rename_the_merchant_behind_our_back(shop: Shop) -> None:
    Merchant.objects.update(slug="renamed")


def fail_an_image_behind_our_back(shop: Shop) -> None:
    ProductImage.objects.filter(product__sku="P-0002").update(state="failed")


def lose_the_alias(shop: Shop) -> None:
    shop.store._aliases.clear()


def lose_everything(shop: Shop) -> None:
    shop.store.drop(shop.store.resolve(ALIAS) or "")
    shop.store._aliases.clear()


@pytest.mark.parametrize(
    ("damage", "counted"),
    [
        (lose_points, {"missing": 2}),
        (leave_a_stray_point, {"stale": 1}),
        (delete_rows_behind_our_back, {"stale": 1}),
        (withdraw_behind_our_back, {"stale": 1}),
        (fail_an_image_behind_our_back, {"stale": 1}),
        (change_a_price_behind_our_back, {"drifted": 1}),
        (rename_the_merchant_behind_our_back, {"drifted": 4}),
        (lose_the_alias, {}),
        (lose_everything, {"missing": 4}),
    ],
)
def test_every_difference_is_counted_and_mended(shop, damage, counted):
    damage(shop)

    check = check_index(repair=True)

    assert not check.agrees
    assert {
        name: getattr(check, name) for name in ("missing", "stale", "outdated", "drifted") if getattr(check, name)
    } == counted
    index_all()
    assert check_index().agrees
    found = set(ProductImage.objects.indexable().filter(state="indexed").values_list("pk", flat=True))
    assert set(shop.points()) == found


def test_looking_alone_changes_nothing(shop):
    lose_points(shop)
    change_a_price_behind_our_back(shop)
    before = list(ProductImage.objects.values())

    assert check_index() == check_index()

    assert list(ProductImage.objects.values()) == before
    assert len(shop.points()) == 2


def test_a_payload_that_is_due_is_no_difference(shop):
    shop.feed.edit("P-0001", {"price": "5 EUR"})
    shop.upload()

    assert check_index().agrees


def test_pending_pictures_are_no_difference(shop):
    shop.feed.add("NEW")
    shop.feed.draw("P-0001.png", seed=77)
    shop.upload()

    check = check_index()

    assert check.agrees
    assert (check.images, check.pending, check.points) == (5, 2, 4)


def test_images_of_another_encoder_are_counted_and_left_to_reindexing(shop, settings):
    old = shop.store.resolve(ALIAS)
    use_fakes(settings, encoder="2")

    check = check_index(repair=True)

    assert (check.outdated, check.points, check.others) == (4, 0, {old: 4})
    assert shop.store.resolve(ALIAS) == old  # searches stay with the full collection meanwhile
    index_all(is_reindexing=True)
    after = check_index()
    assert after.agrees
    assert (after.points, after.others) == (4, {old: 4})


def test_many_images_are_compared_in_chunks(shop, monkeypatch):
    monkeypatch.setattr("catalog.indexing.check._CHUNK", 2)
    shop.feed.add("MORE")
    shop.upload()
    index_all()
    lose_points(shop)
    leave_a_stray_point(shop)
    withdraw_behind_our_back(shop)

    check = check_index(repair=True)

    assert (check.missing, check.stale) == (2, 2)
    index_all()
    assert check_index().agrees


def test_old_collections_are_dropped_only_when_nobody_needs_them(shop, settings):
    old = shop.store.resolve(ALIAS)
    use_fakes(settings, encoder="2")
    with pytest.raises(InputError) as caught:
        drop_other_collections()
    assert caught.value.code == "index_in_use"
    reindex()

    assert drop_other_collections() == [old]

    assert list(shop.store.collections()) == [shop.store.resolve(ALIAS)]
    assert check_index().agrees
