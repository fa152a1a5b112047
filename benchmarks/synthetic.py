"""A large catalog without pictures: products, image rows and points, written in bulk.

Embeddings lie around centers, a few for each category, as those of real products do; a store that skips far regions
skips them here too.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

CENTERS_PER_CATEGORY = 40
SPREAD = 0.8  # length of the noise around a unit center
BATCH = 2000


def embeddings(count: int, dim: int, *, categories: int, seed: int = 0) -> NDArray[np.float32]:
    """Returns (count, dim) float32, unit rows; row i belongs to category i % categories."""
    dice = np.random.default_rng(seed)
    centers = dice.normal(size=(categories, CENTERS_PER_CATEGORY, dim)).astype(np.float32)
    centers /= np.linalg.norm(centers, axis=-1, keepdims=True)
    category = np.arange(count) % categories
    rows = centers[category, dice.integers(CENTERS_PER_CATEGORY, size=count)]
    rows = rows + dice.normal(0.0, SPREAD / np.sqrt(dim), size=(count, dim)).astype(np.float32)
    unit: NDArray[np.float32] = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit


def fill(count: int) -> None:
    """Fills the current home with `count` products of one image each, all indexed."""
    from django.utils import timezone

    from catalog.indexing.points import ALIAS, COPY, VECTOR, collection_of, payload_of, vectors_of
    from catalog.models import Category, Merchant, Product, ProductImage
    from detection import detector
    from embeddings import encoder, vector_store
    from embeddings.fingerprint import BITS, as_vector
    from embeddings.types import Point

    merchant = Merchant.objects.create(slug="synthetic", name="Synthetic")
    slugs = detector().card.classes
    categories = [
        Category.objects.get_or_create(slug=slug, defaults={"name": slug.capitalize(), "is_detected": True})[0]
        for slug in slugs
    ]
    vectors = embeddings(count, encoder().card.dim, categories=len(categories))
    fingerprints = as_vector(np.random.default_rng(0).random((count, BITS)) < 0.5)
    collection = collection_of(encoder().card)
    store = vector_store()
    store.ensure(collection, vectors_of(encoder().card))
    store.alias(ALIAS, collection)
    for numbers in _batches(count):
        products = Product.objects.bulk_create(
            Product(
                merchant=merchant,
                sku=f"SYN-{number:06d}",
                title=f"Synthetic {slugs[number % len(slugs)]} {number}",
                category=categories[number % len(slugs)],
                brand=f"Brand {number % 97}",
                colors=["black"],
                price=10 + number % 190,
                currency="EUR",
            )
            for number in numbers
        )
        images = ProductImage.objects.bulk_create(
            ProductImage(
                product=product,
                source="synthetic.jpg",
                file="products/synthetic.jpg",
                sha256=f"{product.pk:064x}",
                width=480,
                height=480,
                state=ProductImage.State.INDEXED,
                encoder=encoder().card.fingerprint,
                index_format=ProductImage.INDEX_FORMAT,
                indexed_at=timezone.now(),
            )
            for product in products
        )
        store.upsert(
            collection,
            [
                Point(image.pk, {VECTOR: vectors[number], COPY: fingerprints[number]}, payload_of(product))
                for number, image, product in zip(numbers, images, products, strict=True)
            ],
        )


def _batches(count: int) -> Iterator[range]:
    for start in range(0, count, BATCH):
        yield range(start, min(start + BATCH, count))
