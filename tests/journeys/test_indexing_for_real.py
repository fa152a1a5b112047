"""From a feed to a found product with the bundled models and the embedded store: nothing is faked but the merchant."""

import csv
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings as django_settings

from catalog.indexing.check import check_index
from catalog.indexing.index import index_all
from catalog.indexing.points import ALIAS, VECTOR
from catalog.models import Merchant, Product, ProductImage
from catalog.uploads.imports import import_feed
from catalog.vision import Wish, for_sale, look
from detection.images import decode
from embeddings import encoder, vector_store
from embeddings.stores.edge import EdgeStore
from tests.feed_folder import FeedFolder

pytestmark = pytest.mark.django_db

REAL = Path(django_settings.BASE_DIR).parent / "shared" / "data" / "products"
REAL_ROWS = 60


@pytest.fixture
def merchant(settings, tmp_path) -> Iterator[Merchant]:
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.VECTOR_STORE = {"BACKEND": "embeddings.stores.edge.EdgeStore", "OPTIONS": {"path": tmp_path / "vectors"}}
    yield Merchant.objects.create(slug="atelier", name="Atelier")
    EdgeStore(tmp_path / "vectors").stop()


def find(photo: bytes, category: str) -> ProductImage:
    """Returns the nearest product image, looked for as the catalog's own pictures are looked at."""
    sight = look([decode(photo)], [Wish(category=category)], choose=for_sale).sights[0]
    hit = vector_store().query(ALIAS, sight.embedding, using=VECTOR, limit=1)[0]
    return ProductImage.objects.select_related("product").get(pk=hit.id)


def test_every_drawn_product_is_found_by_its_own_picture(merchant, tmp_path):
    feed = FeedFolder(tmp_path / "feed")
    for n, category in enumerate(["shoes", "bags", "dresses", "watches"] * 4):
        feed.draw(f"{n}.png", seed=n, size=(300, 300))
        feed.add(f"P-{n}", image_link=f"{n}.png", product_type=category)
    import_feed(feed.write(), merchant=merchant)

    report = index_all()

    assert (report.indexed, report.failed) == (16, 0)
    assert check_index().agrees
    for row in feed.rows:
        assert find((feed.root / row["image_link"]).read_bytes(), row["product_type"]).product.sku == row["id"]


def test_embeddings_are_stored_as_the_encoder_made_them(merchant, tmp_path):
    feed = FeedFolder(tmp_path / "feed")
    feed.add("W-1", product_type="watches")
    import_feed(feed.write(), merchant=merchant)
    index_all()

    image = ProductImage.objects.get()
    stored = vector_store().retrieve(ALIAS, [image.pk], using=VECTOR)[image.pk]
    made = encoder().encode_images([decode((feed.root / "W-1.png").read_bytes()).image])[0]

    assert stored.shape == (encoder().card.dim,)
    assert image.encoder == encoder().card.fingerprint
    np.testing.assert_allclose(stored, made, atol=1e-3)


@pytest.mark.skipif(not REAL.is_dir(), reason="needs the real product photos beside the repository")
def test_real_product_photos_are_indexed_and_found_by_themselves(merchant, tmp_path):
    with (REAL / "catalogue.csv").open(newline="", encoding="utf-8") as stream:
        lines = list(islice(csv.reader(stream), REAL_ROWS + 1))
    feed = tmp_path / "feed.csv"
    with feed.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows(lines)

    imported = import_feed(feed, merchant=merchant, images_dir=REAL)
    indexed = index_all()

    assert (imported.added, imported.failed) == (REAL_ROWS, 0)
    assert (indexed.indexed, indexed.failed) == (REAL_ROWS, 0)
    assert check_index().agrees
    for product in Product.objects.select_related("category").prefetch_related("images"):
        image = product.images.all()[0]
        found = find((REAL / image.source).read_bytes(), product.category.slug)
        assert found.sha256 == image.sha256, f"{product} was not found by its own picture, but {found.product}"
