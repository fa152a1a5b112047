"""What the vector store holds of a product image: names, and the payload that searches filter by.

A collection is named by its encoder's fingerprint, so embeddings of two encoders never meet. Queries go through the
alias, which indexing points at the collection of the current encoder.
"""

import logging

from catalog.models import Product, ProductImage
from embeddings import encoder, vector_store
from embeddings.types import Payload, VectorStore
from shop_search.errors import ServiceError
from shop_search.model_card import ModelCard

log = logging.getLogger(__name__)

ALIAS = "products"
VECTOR = "clip"  # the named vector of the embedding
_PREFIX = f"{ALIAS}-"


def collection_of(encoder: ModelCard) -> str:
    """Returns the name of the collection that holds this encoder's embeddings."""
    return _PREFIX + encoder.fingerprint


def product_collections(store: VectorStore) -> dict[str, int]:
    """Returns the collections of product images, of every encoder so far, with their numbers of points."""
    return {name: points for name, points in store.collections().items() if name.startswith(_PREFIX)}


def payload_of(product: Product) -> Payload:
    """Returns what the store knows of a product, all that a search can filter by. Words are casefolded."""
    return {
        "product": product.pk,
        "merchant": product.merchant.slug,
        "category": product.category.slug,
        "price": None if product.price is None else float(product.price),
        "currency": product.currency,
        "brand": product.brand.casefold(),
        "colors": [color.casefold() for color in product.colors],
        "gender": product.gender.casefold(),
        "in_stock": product.in_stock,
    }


def searched_collection() -> str | None:
    """Returns the collection that this process's encoder can search, or None when nothing was indexed yet.

    Raises ServiceError `index_outdated` when the index was made by another encoder: its scores would mean nothing.
    """
    name, target = collection_of(encoder().card), vector_store().resolve(ALIAS)
    if target is not None and target != name:
        raise ServiceError(
            "index_outdated",
            f"The catalog was indexed by another encoder ({target}) than this one ({name}). Run reindex_catalog.",
        )
    return target


def point_alias() -> None:
    """Points the alias at the current encoder's collection, once no image is left in another's.

    Raises ServiceError when the encoder can't be loaded or the store is down.
    """
    store, card = vector_store(), encoder().card
    name, target = collection_of(card), store.resolve(ALIAS)
    if target == name:
        return
    if target is None or not ProductImage.objects.embedded_by_another(card.fingerprint).exists():
        store.ensure(name, {VECTOR: card.dim})
        store.alias(ALIAS, name)
        log.info("Searches use %s now.", name)
