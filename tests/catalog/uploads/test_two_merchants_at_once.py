"""Two merchants' uploads come in at once and name the same new categories and pictures, in opposite orders."""

import threading
from pathlib import Path

import pytest
from django.db import connection, connections

from catalog.models import Category, Merchant, Product, RemotePicture
from catalog.uploads.imports import import_feed
from tests.feed_folder import FeedFolder

KINDS = [f"kind {n}" for n in range(40)]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("image_link", ["", "https://pictures.example/{kind}.png"], ids=["files", "addresses"])
def test_neither_waits_for_the_other_forever(settings, tmp_path: Path, image_link: str):
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer at a time.")
    settings.MEDIA_ROOT = tmp_path / "media"
    together = threading.Barrier(2)
    troubles: list[BaseException] = []

    def upload(slug: str, kinds: list[str]) -> None:
        merchant = Merchant.objects.create(slug=slug, name=slug)
        feed = FeedFolder(tmp_path / slug)
        for kind in kinds:
            row = feed.add(kind.replace(" ", "-"), product_type=kind, seed=1)
            if image_link:
                row["image_link"] = image_link.format(kind=kind.replace(" ", "-"))
        path = feed.write()
        try:
            together.wait(timeout=30)
            import_feed(path, merchant=merchant)
        except BaseException as error:
            troubles.append(error)
        finally:
            connections.close_all()

    threads = [
        threading.Thread(target=upload, args=("linden", KINDS)),
        threading.Thread(target=upload, args=("maison", KINDS[::-1])),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert troubles == []
    assert Category.objects.filter(slug__startswith="kind").count() == len(KINDS)
    assert Product.objects.count() == 2 * len(KINDS)
    assert RemotePicture.objects.count() == (len(KINDS) if image_link else 0)
