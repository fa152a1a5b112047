from datetime import timedelta

import numpy as np
import pytest
from django.utils import timezone
from PIL import Image

from catalog.indexing.embedding import EmbeddingBatch
from catalog.indexing.index import IndexReport, index_all, index_due, reindex
from catalog.indexing.points import ALIAS, COPY, VECTOR, point_alias
from catalog.models import DroppedPoint, Product, ProductImage
from embeddings.fingerprint import as_bits, fingerprint
from shop_search.errors import ServiceError
from tests.catalog.shop import Shop, open_shop, use_fakes
from tests.fakes import FakeDetector, FakeEncoder, MemoryStore, picture

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(settings, tmp_path) -> Shop:
    return open_shop(settings, tmp_path)


def states() -> list[str]:
    return list(ProductImage.objects.order_by("pk").values_list("state", flat=True))


def claimed() -> int:
    return ProductImage.objects.exclude(claimed_until=None).count()


def test_a_pending_picture_becomes_a_point_with_all_that_searches_filter_by(shop):
    shop.feed.add("S-1", brand="Linden", color="White/RED", gender="women", price="12.50 EUR")
    shop.upload()

    assert index_due() == IndexReport(indexed=1)

    image = shop.image("S-1")
    assert shop.points() == {
        image.pk: {
            "product": image.product.pk,
            "merchant": "atelier",
            "category": "shoes",
            "price": 12.5,
            "currency": "EUR",
            "brand": "linden",
            "colors": list(dict.fromkeys(["white", "red", *image.seen_colors])),
            "palette": image.palette,
            "gender": "female",
            "article_type": "",
            "pattern": "",
            "in_stock": True,
        }
    }


def test_an_indexed_picture_says_what_was_found_and_by_whom(shop):
    shop.feed.add("S-1")
    shop.upload()

    index_due()

    image = shop.image("S-1")
    assert image.state == "indexed"
    assert (image.detected_category, image.detected_confidence) == ("shoes", 0.9)
    assert (image.encoder, image.detector) == (FakeEncoder().card.fingerprint, FakeDetector().card.fingerprint)
    assert image.box[0] > 0
    assert image.box[2] < image.width
    assert (image.claimed_until, image.payload_due) == (None, None)
    assert image.indexed_at is not None


def test_a_picture_is_filed_under_the_colors_of_its_crop(shop):
    shop.feed.add("S-1", color="Tangerine")
    pen = Image.new("RGB", (90, 90), "white")
    pen.paste((210, 30, 40), (10, 10, 60, 60))
    pen.save(shop.feed.root / "S-1.png")
    shop.upload()

    index_due()

    image = shop.image("S-1")
    assert image.seen_colors == ["red"]
    ((lightness, a, b, share),) = image.palette
    assert (a > 50, share) == (True, 1.0)
    assert shop.points()[image.pk]["colors"] == ["orange", "red"]
    assert shop.points()[image.pk]["palette"] == [[lightness, a, b, share]]


def test_a_point_has_the_fingerprint_of_the_whole_picture(shop):
    shop.feed.add("S-1")
    shop.upload()

    index_due()

    image = shop.image("S-1")
    stored = shop.store.retrieve(ALIAS, [image.pk], using=COPY)[image.pk]
    assert np.array_equal(as_bits(stored), fingerprint(Image.open(image.file)).bits)
    assert np.linalg.norm(stored) == pytest.approx(1)


def test_an_even_picture_has_no_fingerprint(shop):
    shop.feed.add("S-1")
    Image.new("RGB", (90, 90), (200, 30, 30)).save(shop.feed.root / "S-1.png")
    shop.upload()

    index_due()

    image = shop.image("S-1")
    assert shop.store.retrieve(ALIAS, [image.pk], using=COPY) == {}
    assert list(shop.store.retrieve(ALIAS, [image.pk], using=VECTOR)) == [image.pk]


def test_a_reused_embedding_brings_fingerprint_and_colors_along(shop):
    for sku in ("S-1", "S-2"):
        shop.feed.add(sku, seed=4)
    shop.upload()

    index_all(batch=1)

    first, second = shop.image("S-1"), shop.image("S-2")
    assert shop.encoder.encoded == 1
    assert second.palette == first.palette != []
    assert second.seen_colors == first.seen_colors != []
    found = shop.store.retrieve(ALIAS, [first.pk, second.pk], using=COPY)
    assert np.array_equal(found[first.pk], found[second.pk])


def test_without_a_detection_of_its_category_the_whole_picture_is_embedded(shop):
    shop.feed.add("W-1", product_type="watch")
    shop.feed.add("B-1", product_type="bag")
    shop.upload()

    index_due()

    for sku in ("W-1", "B-1"):
        image = shop.image(sku)
        assert (image.box, image.detected_category, image.detected_confidence) == ([0, 0, 96, 96], "", None)


def test_the_embedding_is_that_of_the_crop(shop):
    shop.feed.add("S-1")
    shop.feed.add("W-1", seed=0, product_type="watch")
    shop.upload()
    index_due()

    crop, whole = shop.store.retrieve(ALIAS, [shop.image("S-1").pk, shop.image("W-1").pk], using=VECTOR).values()

    assert np.allclose(np.linalg.norm([crop, whole], axis=1), 1)
    assert crop @ whole < 0.99


def test_no_more_than_the_limit_is_done_at_once(shop):
    shop.feed.add_many(5)
    shop.upload()

    assert [index_due(limit=2).indexed for _ in range(4)] == [2, 2, 1, 0]


def test_with_nothing_due_nothing_is_done_and_no_model_is_loaded(shop, settings):
    settings.ENCODER = {"BACKEND": "nowhere.Encoder"}

    assert index_due().is_empty


@pytest.mark.parametrize("batch", [1, 2, 32])
def test_everything_due_is_done_in_batches_and_told(shop, batch):
    shop.feed.add_many(5)
    shop.upload()
    seen: list[IndexReport] = []

    total = index_all(batch=batch, progress=seen.append)

    assert total == IndexReport(indexed=5)
    assert sum(seen, IndexReport()) == total
    assert states() == ["indexed"] * 5
    assert shop.store.count(ALIAS) == 5


def test_when_stopped_what_was_begun_is_finished_and_no_claim_is_left(shop):
    shop.feed.add_many(6)
    shop.upload()
    done: list[IndexReport] = []

    index_all(batch=2, progress=done.append, is_stopped=lambda: len(done) >= 1)

    assert states().count("indexed") == 4  # one batch, and the one that was being read meanwhile
    assert claimed() == 0


def test_a_bad_picture_fails_alone(shop):
    shop.feed.add_many(3)
    shop.upload()
    (shop.media / shop.image("P-0001").file.name).write_bytes(b"rotten")

    assert index_due() == IndexReport(indexed=2, failed=1)

    image = shop.image("P-0001")
    assert (image.state, image.error_code, image.claimed_until) == ("failed", "image_unreadable", None)
    assert "image" in image.error
    assert len(shop.points()) == 2


def test_a_lost_file_fails_alone_and_says_so(shop):
    shop.feed.add_many(2)
    shop.upload()
    (shop.media / shop.image("P-0001").file.name).unlink()

    index_due()

    assert states() == ["indexed", "failed"]
    assert shop.image("P-0001").error_code == "image_file_missing"


def test_a_media_folder_that_is_not_there_fails_no_picture(shop):
    shop.feed.add_many(2)
    shop.upload()
    (shop.media / "products").rename(shop.media / "elsewhere")

    with pytest.raises(ServiceError) as caught:
        index_due()

    assert caught.value.code == "media_unavailable"
    assert (states(), claimed()) == (["pending"] * 2, 0)
    (shop.media / "elsewhere").rename(shop.media / "products")
    assert index_due().indexed == 2


def test_a_store_that_is_down_loses_nothing(shop):
    shop.feed.add_many(3)
    shop.upload()
    shop.store.failing = True

    with pytest.raises(ServiceError):
        index_all(batch=1)

    assert (states(), claimed()) == (["pending"] * 3, 0)
    shop.store.failing = False
    assert index_all().indexed == 3


def test_a_model_that_is_missing_loses_nothing(shop, monkeypatch):
    shop.feed.add_many(3)
    shop.upload()

    def fail(self, images):
        raise ServiceError("model_file_missing", "The weights are gone.")

    with monkeypatch.context() as patch:
        patch.setattr(FakeEncoder, "encode_images", fail)
        with pytest.raises(ServiceError):
            index_all(batch=2)

    assert (states(), claimed()) == (["pending"] * 3, 0)
    assert index_all().indexed == 3


def test_a_picture_that_a_library_chokes_on_fails_alone(shop, monkeypatch):
    shop.feed.add_many(3)
    shop.upload()
    encode = FakeEncoder.encode_images

    def choke(self, images):
        if any(image.width == 96 for image in images):  # only the watch is embedded whole
            raise RuntimeError("bad tensor")
        return encode(self, images)

    shop.feed.add("W-1", product_type="watch")
    shop.upload()
    monkeypatch.setattr(FakeEncoder, "encode_images", choke)

    assert index_due() == IndexReport(indexed=3, failed=1)
    assert shop.image("W-1").error_code == "image_not_embeddable"


def test_when_a_library_chokes_on_every_picture_none_is_to_blame(shop, monkeypatch):
    shop.feed.add_many(3)
    shop.upload()

    def choke(self, images):
        raise RuntimeError("no driver")

    monkeypatch.setattr(FakeEncoder, "encode_images", choke)

    with pytest.raises(ServiceError) as caught:
        index_due()

    assert caught.value.code == "indexing_failed"
    assert states() == ["pending"] * 3


def test_two_workers_never_take_the_same_picture(shop):
    shop.feed.add_many(5)
    shop.upload()

    first = ProductImage.objects.due().claim(3)
    second = ProductImage.objects.due().claim(3)

    assert len(first) == 3
    assert len(second) == 2
    assert not {image.pk for image in first} & {image.pk for image in second}


def test_the_work_of_a_dead_worker_is_taken_over(shop):
    shop.feed.add_many(2)
    shop.upload()
    ProductImage.objects.due().claim(2)
    assert index_due().is_empty

    ProductImage.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))

    assert index_due().indexed == 2


def test_the_same_content_is_embedded_once_across_products_and_uploads(shop):
    shop.feed.add("S-1", seed=7)
    shop.feed.add("S-2", seed=7)
    shop.upload()
    assert index_due() == IndexReport(indexed=2, reused=1)
    shop.feed.add("S-3", seed=7)
    shop.upload()

    assert index_due() == IndexReport(indexed=1, reused=1)

    assert shop.encoder.encoded == 1
    vectors = list(shop.store.retrieve(ALIAS, [shop.image(f"S-{n}").pk for n in (1, 2, 3)], using=VECTOR).values())
    assert np.array_equal(vectors[0], vectors[1])
    assert np.array_equal(vectors[0], vectors[2])
    assert shop.image("S-3").box == shop.image("S-1").box


def test_the_same_content_is_embedded_once_even_in_batches_that_follow_each_other_closely(shop):
    for n in range(6):
        shop.feed.add(f"S-{n}", seed=7)
    shop.feed.add("BAD", seed=9)
    shop.feed.add("BAD-2", seed=9)
    shop.upload()
    (shop.media / shop.image("BAD").file.name).write_bytes(b"rotten")

    assert index_all(batch=1) == IndexReport(indexed=6, reused=5, failed=2)

    assert shop.encoder.encoded == 1
    assert len(shop.points()) == 6


def test_the_same_content_sold_as_something_else_is_cropped_anew(shop):
    shop.feed.add("S-1", seed=7)
    shop.feed.add("B-1", seed=7, product_type="bag")
    shop.upload()

    assert index_due() == IndexReport(indexed=2)
    assert shop.image("S-1").box != shop.image("B-1").box


def test_a_new_detector_does_not_reuse_the_crops_of_the_old_one(shop, settings):
    shop.feed.add("S-1", seed=7)
    shop.upload()
    index_due()
    use_fakes(settings, category="bags", detector="2")
    shop.feed.add("S-2", seed=7)
    shop.upload()

    assert index_due() == IndexReport(indexed=1)
    assert shop.image("S-2").box == [0, 0, 96, 96]


def test_a_twin_whose_point_is_gone_is_no_twin(shop):
    shop.feed.add("S-1", seed=7)
    shop.upload()
    index_due()
    shop.store.delete(ALIAS, [shop.image("S-1").pk])
    shop.feed.add("S-2", seed=7)
    shop.upload()

    assert index_due() == IndexReport(indexed=1)
    assert shop.image("S-2").pk in shop.points()


@pytest.mark.parametrize(
    ("cells", "field", "value"),
    [
        ({"price": "99.00 EUR"}, "price", 99.0),
        ({"price": ""}, "price", None),
        ({"availability": "sold out"}, "in_stock", False),
        ({"brand": "NEW"}, "brand", "new"),
        ({"gender": "men"}, "gender", "male"),
    ],
)
def test_an_edit_reaches_the_point_without_embedding(shop, cells, field, value):
    shop.feed.add_many(2)
    shop.upload()
    index_all()
    shop.feed.edit("P-0001", cells)
    shop.upload()

    assert index_all() == IndexReport(retold=1)

    assert shop.points()[shop.image("P-0001").pk][field] == value
    assert shop.encoder.encoded == 2
    assert ProductImage.objects.with_payload_due().count() == 0


def test_a_changed_picture_replaces_its_point(shop):
    shop.feed.add("S-1")
    shop.upload()
    index_all()
    image = shop.image("S-1")
    before = shop.store.retrieve(ALIAS, [image.pk], using=VECTOR)[image.pk]
    shop.feed.draw("S-1.png", seed=1234)
    shop.upload()

    assert index_all() == IndexReport(indexed=1)

    assert shop.image("S-1").pk == image.pk
    assert not np.allclose(before, shop.store.retrieve(ALIAS, [image.pk], using=VECTOR)[image.pk])


def test_a_picture_that_turned_bad_takes_its_old_point_with_it(shop):
    shop.feed.add("S-1")
    shop.upload()
    index_all()
    shop.feed.draw("S-1.png", seed=1234)
    shop.upload()
    (shop.media / shop.image("S-1").file.name).write_bytes(b"rotten")

    assert index_all().failed == 1

    assert shop.points() == {}


def test_a_withdrawn_product_loses_its_points_and_gets_them_back(shop):
    shop.feed.add_many(2)
    shop.upload()
    index_all()
    image = shop.image("P-0001")
    assert Product.objects.filter(sku="P-0001").withdraw() == 1

    assert index_all() == IndexReport(deleted=1)

    assert image.pk not in shop.points()
    assert index_all().is_empty
    shop.upload()  # its row is still in the feed
    assert index_all().indexed == 1
    assert image.pk in shop.points()


def test_a_product_withdrawn_with_a_changed_picture_loses_its_old_point_too(shop):
    shop.feed.add("S-1")
    shop.upload()
    index_all()
    shop.feed.draw("S-1.png", seed=1234)
    shop.upload()
    Product.objects.all().withdraw()

    index_all()

    assert shop.points() == {}


def test_a_picture_that_left_the_feed_leaves_the_store(shop):
    shop.feed.draw("more.png", seed=50)
    shop.feed.add("S-1", additional_image_link="more.png")
    shop.upload()
    index_all()
    gone = shop.image("S-1", 1)
    shop.feed.edit("S-1", {"additional_image_link": ""})
    shop.upload()

    assert index_all() == IndexReport(deleted=1)

    assert gone.pk not in shop.points()
    assert not DroppedPoint.objects.exists()


def meanwhile(monkeypatch, action):
    """Does something once, after a batch was embedded and before it is written."""
    results = EmbeddingBatch.results

    def results_and_act(self):
        found = results(self)
        monkeypatch.setattr(EmbeddingBatch, "results", results)
        action()
        return found

    monkeypatch.setattr(EmbeddingBatch, "results", results_and_act)


def test_a_picture_that_changes_while_it_is_embedded_is_done_again(shop, monkeypatch):
    shop.feed.add("S-1")
    shop.upload()
    shop.feed.draw("S-1.png", seed=1234)
    meanwhile(monkeypatch, shop.upload)

    assert index_due().indexed == 0
    assert (states(), claimed()) == (["pending"], 0)
    assert index_due().indexed == 1

    image = shop.image("S-1")
    found = shop.store.retrieve(ALIAS, [image.pk], using=VECTOR)[image.pk]
    photo = Image.open(shop.feed.root / "S-1.png").convert("RGB").crop(tuple(round(side) for side in image.box))
    assert found @ FakeEncoder().encode_images([photo])[0] > 0.99


def test_a_price_that_changes_while_its_picture_is_embedded_is_not_lost(shop, monkeypatch):
    shop.feed.add("S-1", price="1 EUR")
    shop.upload()
    shop.feed.edit("S-1", {"price": "2 EUR"})
    meanwhile(monkeypatch, shop.upload)

    index_all()

    assert [payload["price"] for payload in shop.points().values()] == [2.0]
    assert states() == ["indexed"]


def test_a_picture_deleted_while_it_is_embedded_leaves_no_point(shop, monkeypatch):
    shop.feed.draw("more.png", seed=50)
    shop.feed.add("S-1", additional_image_link="more.png")
    shop.upload()
    shop.feed.edit("S-1", {"additional_image_link": ""})
    meanwhile(monkeypatch, shop.upload)

    index_all()

    assert set(shop.points()) == {shop.image("S-1").pk}


def test_a_product_withdrawn_while_it_is_embedded_leaves_no_point(shop, monkeypatch):
    shop.feed.add("S-1")
    shop.upload()
    meanwhile(monkeypatch, lambda: Product.objects.all().withdraw())

    index_all()

    assert shop.points() == {}


def test_points_of_a_new_encoder_never_join_those_of_the_old(shop, settings):
    shop.feed.add_many(3)
    shop.upload()
    index_all()
    old = shop.store.resolve(ALIAS)
    use_fakes(settings, encoder="2")
    shop.feed.add("NEW")
    shop.upload()

    index_all()

    counts = shop.store.collections()
    assert counts.pop(old) == 3
    assert list(counts.values()) == [1]
    assert shop.store.resolve(ALIAS) == old  # searches keep the full collection


def test_reindexing_moves_to_a_new_encoder_beside_the_old_and_switches_at_the_end(shop, settings):
    shop.feed.add_many(5)
    shop.upload()
    index_all()
    old = shop.store.resolve(ALIAS)
    use_fakes(settings, encoder="2")
    seen: list[str | None] = []

    report = reindex(progress=lambda _: seen.append(shop.store.resolve(ALIAS)))

    assert report.indexed == 5
    assert shop.store.resolve(ALIAS) not in {old, None}
    assert shop.store.collections() == {old: 5, shop.store.resolve(ALIAS): 5}
    assert {image.encoder for image in ProductImage.objects.all()} == {FakeEncoder("2").card.fingerprint}


def test_an_interrupted_move_to_a_new_encoder_goes_on_where_it_stopped(shop, settings):
    shop.feed.add_many(6)
    shop.upload()
    index_all()
    old = shop.store.resolve(ALIAS)
    use_fakes(settings, encoder="2")
    done: list[IndexReport] = []
    index_all(batch=2, is_reindexing=True, progress=done.append, is_stopped=lambda: len(done) >= 1)
    encoded = shop.encoder.encoded
    assert encoded == 4
    assert shop.store.resolve(ALIAS) == old

    reindex()

    assert shop.encoder.encoded == 6
    assert shop.store.resolve(ALIAS) != old


def test_a_price_edit_during_a_move_reaches_both_collections(shop, settings):
    shop.feed.add("S-1", price="1 EUR")
    shop.upload()
    index_all()
    use_fakes(settings, encoder="2")
    reindex()
    shop.feed.edit("S-1", {"price": "2 EUR"})
    shop.upload()
    index_all()

    for collection in shop.store.collections():
        assert [payload["price"] for _, payload in shop.store.scroll(collection)] == [2.0]


def test_reindexing_with_the_same_models_embeds_everything_again(shop):
    shop.feed.add_many(3)
    shop.feed.add("BAD")
    shop.upload()
    file = shop.media / shop.image("BAD").file.name
    good = file.read_bytes()
    file.write_bytes(b"rotten")
    index_all()
    file.write_bytes(good)
    encoded = shop.encoder.encoded

    assert reindex().indexed == 4

    assert shop.encoder.encoded == encoded + 4
    assert len(shop.points()) == 4


def test_an_empty_shop_has_an_alias_after_reindexing(shop):
    reindex()
    point_alias()

    assert shop.points() == {}


def test_a_fresh_store_fills_up_from_the_database(shop, settings):
    shop.feed.add_many(3)
    shop.upload()
    index_all()
    settings.VECTOR_STORE = {"BACKEND": "tests.fakes.MemoryStore", "OPTIONS": {}}
    assert isinstance(shop.store, MemoryStore)
    assert shop.store.collections() == {}

    reindex()

    assert len(shop.points()) == 3


def test_pictures_of_any_shape_are_indexed(shop):
    shop.feed.add("WIDE", image_link="wide.png")
    (shop.feed.root / "wide.png").write_bytes(picture(3, size=(900, 60)))
    shop.feed.add("TALL", image_link="tall.jpg")
    (shop.feed.root / "tall.jpg").write_bytes(picture(4, size=(900, 2100), format="JPEG"))
    shop.upload()

    assert index_all().indexed == 2

    tall = shop.image("TALL")
    assert (tall.width, tall.height) == (900, 2100)
    assert tall.box[3] > 1280  # in pixels of the original, however small it was decoded
