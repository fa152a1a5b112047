"""What the index says of a merchant's products: whether shoppers find them, what they look like, who has their picture.

Everything is asked with vectors that the index holds already; nothing is embedded and no picture is opened. Each
product costs a question or two for each of its first pictures.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from catalog.indexing.points import COPY, VECTOR, has_fingerprints, searched_collection
from catalog.models import Product, ProductImage
from embeddings import vector_store
from embeddings.fingerprint import distance_of
from embeddings.types import Hit, VectorStore, Where

# How far down a product is looked for. A shopper sees 24 results at once and 48 after one more page.
LOOKED_THROUGH = 50
# Neighbors that are asked for their category, each of another product.
NEIGHBORS = 10
# A picture saved again is this near to itself, in bits of 256 (catalog.search.copies); others were never so near.
SAME_BITS = 8
# And this alike to the encoder: two plain pictures may have one fingerprint by chance.
SAME_COSINE = 0.95
_NEAREST = 8
# Pictures of a product that are looked up among other products' pictures; its first ones are what shoppers see.
_PICTURES = 4


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one product stands in the index."""

    second: int | None = None  # id of the picture that was searched with; None: there is no second one
    rank: int | None = None  # of the product in its category then; None: not among the first LOOKED_THROUGH
    neighbors: tuple[tuple[str, int], ...] = ()  # category slugs of the nearest other products, the most first
    twins: tuple[tuple[int, int], ...] = ()  # own image id, image id of another product that shows the same picture


@dataclass
class _Vectors:
    embeddings: Mapping[int, NDArray[np.float32]] = field(default_factory=dict)
    prints: Mapping[int, NDArray[np.float32]] = field(default_factory=dict)


def standings(products: Sequence[Product], images: Mapping[int, Sequence[ProductImage]]) -> dict[int, Standing]:
    """Returns the standing of each product that has a picture in the index, by product id.

    `images` are each product's pictures, in their order. Raises ServiceError when the store is down.
    """
    collection = searched_collection()
    if collection is None:
        return {}
    store = vector_store()
    indexed = {
        product.pk: [image for image in images.get(product.pk, ()) if image.state == ProductImage.State.INDEXED]
        for product in products
    }
    ids = [image.pk for own in indexed.values() for image in own[:_PICTURES]]
    if not ids:
        return {}
    vectors = _Vectors(store.retrieve(collection, ids, using=VECTOR))
    if has_fingerprints(collection):
        vectors.prints = store.retrieve(collection, ids, using=COPY)
    found: dict[int, Standing] = {}
    for product in products:
        own = [image for image in indexed[product.pk] if image.pk in vectors.embeddings]
        if own:
            found[product.pk] = _standing(product, own, vectors, store, collection)
    return found


def _standing(
    product: Product, own: Sequence[ProductImage], vectors: _Vectors, store: VectorStore, collection: str
) -> Standing:
    second = own[1] if len(own) > 1 else None
    return Standing(
        second=second.pk if second else None,
        rank=_rank(product, second, vectors.embeddings[second.pk], store, collection) if second else None,
        neighbors=_neighbors(own, vectors.embeddings[own[0].pk], store, collection),
        twins=_twins(product, own[:_PICTURES], vectors, store, collection),
    )


def _rank(
    product: Product, second: ProductImage, embedding: NDArray[np.float32], store: VectorStore, collection: str
) -> int | None:
    """Returns the product's place among products, as a shopper counts cards, when only this picture is taken out."""
    where = Where(match={"category": (product.category.slug,)}, exclude=(second.pk,))
    hits = store.query(collection, embedding, using=VECTOR, limit=LOOKED_THROUGH * 2, where=where)
    products = list(dict.fromkeys(hit.payload.get("product") for hit in hits))[:LOOKED_THROUGH]
    return products.index(product.pk) + 1 if product.pk in products else None


def _neighbors(
    own: Sequence[ProductImage], embedding: NDArray[np.float32], store: VectorStore, collection: str
) -> tuple[tuple[str, int], ...]:
    exclude = tuple(image.pk for image in own)
    hits = store.query(collection, embedding, using=VECTOR, limit=NEIGHBORS * 2, where=Where(exclude=exclude))
    nearest: dict[object, Hit] = {}
    for hit in hits:
        nearest.setdefault(hit.payload.get("product"), hit)
    kinds = Counter(str(hit.payload.get("category") or "") for hit in list(nearest.values())[:NEIGHBORS])
    return tuple(kinds.most_common())


def _twins(
    product: Product, own: Sequence[ProductImage], vectors: _Vectors, store: VectorStore, collection: str
) -> tuple[tuple[int, int], ...]:
    found: list[tuple[int, int]] = []
    for image in own:
        if image.pk not in vectors.prints:
            continue
        where = Where(exclude=tuple(one.pk for one in own))
        hits = store.query(collection, vectors.prints[image.pk], using=COPY, limit=_NEAREST, where=where)
        near = [
            hit.id for hit in hits if distance_of(hit.score) <= SAME_BITS and hit.payload.get("product") != product.pk
        ]
        if near:
            embeddings = store.retrieve(collection, near, using=VECTOR)
            mine = vectors.embeddings[image.pk]
            found += [(image.pk, pk) for pk, other in embeddings.items() if float(mine @ other) >= SAME_COSINE]
    return tuple(found)
