"""End to end on drawn pictures, whose truth is known: feed, bundled models, Qdrant Edge, search."""

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings
from django.db import transaction
from django.test import override_settings

from catalog.indexing.index import index_all
from catalog.models import Merchant
from catalog.search.answers import SearchAnswer
from catalog.search.questions import Question
from catalog.search.search import search
from catalog.uploads.imports import import_feed
from detection.crops import iou
from embeddings.stores.edge import EdgeStore
from fixtures import Scene, demo_products, draw_product, draw_scene
from fixtures.demo import COLUMNS, DEMO_SCENES, DEMO_STRENGTH, feed_row, image_link

SHOWN = [DEMO_SCENES[number - 1] for number in (1, 3, 5, 9)]


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return [draw_scene(shot.seed, size=shot.size, kind=shot.kind, strength=DEMO_STRENGTH) for shot in SHOWN]


@pytest.fixture(scope="module")
def feed(scenes, tmp_path_factory) -> Path:
    """Every bag, everything in the scenes, and an eighth of the rest; one view each."""
    wanted = {item.sku for scene in scenes for item in scene.items}
    products = [
        product
        for number, product in enumerate(demo_products())
        if product.category == "bags" or product.sku in wanted or number % 8 == 0
    ]
    return _write_feed(tmp_path_factory.mktemp("feed"), products)


@pytest.fixture(scope="module")
def shop(feed, django_db_setup, django_db_blocker, tmp_path_factory) -> Iterator[None]:
    """The feed, imported and indexed as any is, once for all: nobody changes it."""
    home = tmp_path_factory.mktemp("drawn-shop")
    store = {**settings.VECTOR_STORE, "OPTIONS": {"path": home / "vectors"}}
    with django_db_blocker.unblock(), override_settings(VECTOR_STORE=store, MEDIA_ROOT=home / "media"), nothing_kept():
        merchant = Merchant.objects.create(slug="drawn", name="Drawn")
        report = import_feed(feed, merchant=merchant, images_dir=feed.parent)
        assert index_all().indexed == report.added > 100
        yield
        EdgeStore(home / "vectors").stop()


@contextmanager
def nothing_kept() -> Iterator[None]:
    """Takes back what was written to the database meanwhile; tests within see it."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def _write_feed(folder: Path, products) -> Path:
    (folder / "images").mkdir()
    with (folder / "catalog.csv").open("w", newline="", encoding="utf-8") as stream:
        rows = csv.DictWriter(stream, COLUMNS)
        rows.writeheader()
        for product in products:
            rows.writerow({**feed_row(product), "additional_image_link": ""})
            draw_product(product, view=0, size=320).save(folder / image_link(product, 0), quality=90)
    return folder / "catalog.csv"


def _ask(scene: Scene, sku: str) -> SearchAnswer:
    """Taps the region that lies on the item, or draws the item's own box where nothing was found."""
    stream = io.BytesIO()
    scene.image.save(stream, "JPEG", quality=88)
    item = next(item for item in scene.items if item.sku == sku)
    regions = search(Question(image=stream.getvalue())).regions
    tapped = max((region.xyxy for region in regions), key=lambda box: iou(box, item.xyxy), default=item.xyxy)
    return search(Question(image=stream.getvalue(), box=tapped if iou(tapped, item.xyxy) > 0.5 else item.xyxy))


def test_the_bag_in_the_scene_is_b_0042_and_comes_first(shop, db, scenes):
    scene = next(scene for scene in scenes if any(item.sku == "B-0042" for item in scene.items))

    answer = _ask(scene, "B-0042")

    assert answer.results[0].product.sku == "B-0042"
    assert answer.selected.category.slug == "bags"


def test_most_of_what_people_wear_in_the_scenes_comes_first(shop, db, scenes):
    items = [(scene, item.sku) for scene in scenes for item in scene.items]

    first = [sku for scene, sku in items if _ask(scene, sku).results[0].product.sku == sku]

    assert len(first) / len(items) >= 0.75, f"only {sorted(first)} of {len(items)} came first"


def test_words_find_the_category_they_name(shop, db):
    answer = search(Question(text="handbag", limit=5))

    assert [result.product.category.slug for result in answer.results].count("bags") >= 3
