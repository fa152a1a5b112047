"""A small shop for tests: products with embedded pictures, in the database and in a store of this process."""

import hashlib
from decimal import Decimal
from typing import Any

from django.core.files.base import ContentFile

from catalog.indexing.embedding import found_in
from catalog.indexing.points import ALIAS, SeenAttributes, collection_of, payload_of, vectors_of
from catalog.models import Category, Merchant, Product, ProductImage
from catalog.vision import Wish, for_sale, look
from catalog.words.assortment import forget
from detection.images import decode
from embeddings import encoder, vector_store
from embeddings.types import Point
from tests.fakes import MemoryStore, picture


class Shelf:
    """Puts products on sale. Each `seed` is one picture (tests.fakes.picture); the same seed looks the same.

    `seen` is what indexing saw of the product's attributes: {"pattern": ["striped", 0.9]}.
    """

    def __init__(self) -> None:
        forget()
        self.collection = collection_of(encoder().card)
        vector_store().ensure(self.collection, vectors_of(encoder().card))
        vector_store().alias(ALIAS, self.collection)

    def put(self, sku: str, *seeds: int, category: str = "shoes", merchant: str = "atelier", **fields: Any) -> Product:
        seller, _ = Merchant.objects.get_or_create(slug=merchant, defaults={"name": merchant.title()})
        seen = fields.pop("seen", {})
        kind, _ = Category.objects.get_or_create(slug=category, defaults={"name": category.title()})
        fields = {"title": f"Product {sku}", "price": Decimal("19.90"), "currency": "EUR", **fields}
        product = Product.objects.create(merchant=seller, sku=sku, category=kind, **fields)
        forget()
        for position, seed in enumerate(seeds):
            self._index(product, position, picture(seed), seen)
        return product

    def put_picture(self, sku: str, data: bytes, **fields: Any) -> Product:
        """Puts a product on sale with a picture given as a file's bytes."""
        product = self.put(sku, **fields)
        self._index(product, 0, data)
        return product

    def _index(self, product: Product, position: int, data: bytes, seen: SeenAttributes | None = None) -> None:
        photo = decode(data)
        (sight,) = look([photo], [Wish(category=product.category.slug)], choose=for_sale).sights
        found = found_in(photo, sight)
        image = ProductImage.objects.create(
            product=product,
            position=position,
            source=f"{product.sku}.png",
            file=ContentFile(data, name=f"{product.sku}-{position}.png"),
            sha256=hashlib.sha256(data).hexdigest(),
            state=ProductImage.State.INDEXED,
            index_format=ProductImage.INDEX_FORMAT,
            encoder=encoder().card.fingerprint,
            palette=found.palette,
            seen_colors=found.seen_colors,
            seen_attributes=seen or {},
        )
        payload = payload_of(product, palette=found.palette, seen_colors=found.seen_colors, seen_attributes=seen)
        vector_store().upsert(self.collection, [Point(image.pk, found.vectors, payload)])

    def break_store(self) -> None:
        """From now on every call to the store fails, as when it is down."""
        store = vector_store()
        assert isinstance(store, MemoryStore)
        store.failing = True
