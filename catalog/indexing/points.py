"""What the vector store holds of a product image: vectors, and the payload that searches filter by.

A collection is named by the format of its points and by its encoder's fingerprint: embeddings of two encoders never
meet, and points of an earlier version of ours are made anew beside the old ones. A detector that was promoted is named
too, because another one crops otherwise. Queries go through the alias, which indexing points at the collection of the
current encoder and format once nothing is left in another; where the database says that another was switched to, it is
right, and the alias follows.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Q

from catalog.models import Product, ProductImage, Switch
from catalog.serving import pinned, read, serving
from catalog.words.genders import values_of
from catalog.words.looks import pattern_in
from embeddings import encoder, vector_store
from embeddings.attributes import Attributes
from embeddings.color_names import normalize_color_word
from embeddings.fingerprint import BITS
from embeddings.types import Payload, VectorStore
from shop_search.errors import ServiceError
from shop_search.model_card import ModelCard

log = logging.getLogger(__name__)

SeenAttributes = Mapping[str, list[Any]]  # name -> value, confidence

ALIAS = "products"
VECTOR = "clip"  # the named vector of the crop's embedding
COPY = "copy"  # of the whole picture's fingerprint; an even picture has none
_PREFIX = f"{ALIAS}-"


def collection_of(encoder: ModelCard) -> str:
    """Returns the name of the collection with this encoder's embeddings of what is cropped, in the format of now."""
    detector = serving().versions.get("detector")
    cropped = "" if detector is None else f"-{detector.fingerprint}"
    return f"{_PREFIX}v{ProductImage.INDEX_FORMAT}-{encoder.fingerprint}{cropped}"


def vectors_of(encoder: ModelCard) -> dict[str, int]:
    """Returns the named vectors of such a collection and their dims."""
    return {VECTOR: encoder.dim, COPY: BITS}


def has_fingerprints(collection: str) -> bool:
    """Says whether copies can be searched in this collection: an index of an earlier version of ours has none."""
    return collection.startswith(f"{_PREFIX}v")


def product_collections(store: VectorStore) -> dict[str, int]:
    """Returns the collections of product images, of every encoder so far, with their numbers of points."""
    return {name: points for name, points in store.collections().items() if name.startswith(_PREFIX)}


# From this confidence on, what a picture says of its product stands where the merchant says nothing. Calibrated.
SURE_ATTRIBUTE = 0.8


def attributes_as_json(found: Attributes) -> SeenAttributes:
    """Returns what is known of a product beside its colors, which are read from the pixels."""
    known = {"gender": found.gender, "article_type": found.article_type, "pattern": found.pattern}
    return {name: [guess.value, round(guess.confidence, 3)] for name, guess in known.items() if guess is not None}


def payload_of(
    product: Product,
    *,
    palette: Sequence[Sequence[float]] = (),
    seen_colors: Sequence[str] = (),
    seen_attributes: SeenAttributes | None = None,
) -> Payload:
    """Returns what the store knows of a product, all that a search can filter by. Words are casefolded.

    `colors` are those that the merchant names, in our names for them, and those that are seen in the picture. The
    merchant's word on gender and pattern stands; without one, what is surely seen. `palette`, `seen_colors` and
    `seen_attributes` are what indexing found in the picture.
    """
    seen = {name: str(value) for name, (value, sure) in (seen_attributes or {}).items() if sure >= SURE_ATTRIBUTE}
    (seen_gender,) = values_of([seen["gender"]])[:1] if "gender" in seen else ("",)
    seen |= {name: str(product.corrected[name]) for name in ("article_type", "pattern") if name in product.corrected}
    named = (normalize_color_word(color) or color.casefold() for color in product.colors)
    return {
        "product": product.pk,
        "merchant": product.merchant.slug,
        "category": product.category.slug,
        "price": None if product.price is None else float(product.price),
        "currency": product.currency,
        "brand": product.brand.casefold(),
        "colors": list(dict.fromkeys([*named, *seen_colors])),
        "palette": [list(color) for color in palette],
        "gender": product.gender.casefold() or seen_gender,
        "article_type": seen.get("article_type", ""),
        "pattern": pattern_in(product.title) or seen.get("pattern", ""),
        "in_stock": product.in_stock,
    }


def searched_collection() -> str | None:
    """Returns the collection that belongs to the encoder in force here, or None when nothing was indexed yet.

    While an index that an earlier version of ours made with this encoder is made anew, searches go on in it. A version
    has its own collection, wherever the alias points meanwhile.
    Raises ServiceError `index_outdated` when the index was made by another encoder: its scores would mean nothing;
    `version_changed` when a version's model was replaced by another.
    """
    card = encoder().card
    version = serving().versions.get("encoder")
    if version is not None and version.fingerprint != card.fingerprint:
        raise ServiceError(
            "version_changed",
            f"The model of {version.name} is another one ({card.fingerprint}) than was promoted "
            f"({version.fingerprint}). Put its files back, or roll back.",
        )
    name, target = collection_of(card), vector_store().resolve(ALIAS)
    if target == name:
        return name
    if {"encoder", "detector"} & serving().versions.keys():
        return name
    if target is not None and target != _PREFIX + card.fingerprint:
        if was_switched(name):  # to another a moment ago, or back to this: what is here was complete
            return name
        raise ServiceError(
            "index_outdated",
            f"The catalog was indexed by another encoder ({target}) than this one ({name}). Run reindex_catalog.",
        )
    return target


def was_switched(collection: str) -> bool:
    """Returns whether this collection was live once, by a switch: it is kept until its version is retired."""
    return Switch.objects.filter(Q(collection_before=collection) | Q(collection_after=collection)).exists()


def point_alias() -> None:
    """Points the alias at the live encoder's collection, once no image is left in another.

    Raises ServiceError when the encoder can't be loaded or the store is down.
    """
    store = vector_store()
    target = store.resolve(ALIAS)
    if target == collection_of(encoder().card):
        return
    with pinned(read()):  # whoever works on with what was live before must not point it back
        _point_alias(store, target)


def _point_alias(store: VectorStore, target: str | None) -> None:
    card = encoder().card
    name = collection_of(card)
    if target == name:
        return
    if target is None or not ProductImage.objects.embedded_by_another(card.fingerprint).exists():
        store.ensure(name, vectors_of(card))
        store.alias(ALIAS, name)
        log.info("Searches use %s now.", name)
