"""A shop whose models and store are fakes: import, index and look, in milliseconds."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import embeddings
from catalog.indexing.points import ALIAS
from catalog.models import Merchant, ProductImage
from catalog.uploads.imports import ImportReport, import_feed
from tests.fakes import FakeEncoder, MemoryStore
from tests.feed_folder import FeedFolder


@dataclass
class Shop:
    feed: FeedFolder
    merchant: Merchant
    media: Path

    @property
    def store(self) -> MemoryStore:
        store = embeddings.vector_store()
        assert isinstance(store, MemoryStore)
        return store

    @property
    def encoder(self) -> FakeEncoder:
        encoder = embeddings.encoder()
        assert isinstance(encoder, FakeEncoder)
        return encoder

    def upload(self, **options: Any) -> ImportReport:
        return import_feed(self.feed.write(), merchant=self.merchant, **options)

    def points(self) -> dict[int, dict[str, Any]]:
        """Returns the payloads that searches see, by image id."""
        return {pk: dict(payload) for pk, payload in self.store.scroll(ALIAS)}

    def image(self, sku: str, position: int = 0) -> ProductImage:
        return ProductImage.objects.select_related("product").get(product__sku=sku, position=position)


def use_fakes(settings: Any, *, category: str = "shoes", encoder: str = "1", detector: str = "1") -> None:
    settings.DETECTOR = {
        "BACKEND": "tests.fakes.FakeDetector",
        "OPTIONS": {"category": category, "version": detector},
    }
    settings.ENCODER = {"BACKEND": "tests.fakes.FakeEncoder", "OPTIONS": {"version": encoder}}


def open_shop(settings: Any, folder: Path) -> Shop:
    use_fakes(settings)
    settings.VECTOR_STORE = {"BACKEND": "tests.fakes.MemoryStore", "OPTIONS": {}}
    settings.MEDIA_ROOT = folder / "media"
    merchant = Merchant.objects.create(slug="atelier", name="Atelier")
    return Shop(FeedFolder(folder / "feed"), merchant, folder / "media")
