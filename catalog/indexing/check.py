"""Compares the database, which is the truth, with the vector store, and mends the difference.

Both sides are read once, by rising image id, a chunk at a time: memory does not grow with the catalog. Mending only
notes what is due and deletes what is stale; indexing then does the rest, the images of another encoder (`outdated`)
included. Safe while workers run.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from django.utils import timezone

from catalog.indexing.points import (
    ALIAS,
    VECTOR,
    collection_of,
    payload_of,
    point_alias,
    product_collections,
    was_switched,
)
from catalog.models import ProductImage, Version
from catalog.serving import as_one
from embeddings import encoder, vector_store
from embeddings.types import Payload
from shop_search.errors import InputError

_CHUNK = 1000


@dataclass(frozen=True, slots=True)
class IndexCheck:
    """What was compared and how it differed, in images or points."""

    images: int = 0  # that shoppers may find
    pending: int = 0
    failed: int = 0
    points: int = 0  # in the current encoder's collection
    missing: int = 0  # images marked as indexed, without a point
    stale: int = 0  # points without an image that shoppers may find
    outdated: int = 0  # images whose point another encoder made, or an earlier version of ours
    drifted: int = 0  # points whose payload isn't what the product is, and of which no worker knows
    collection: str = ""
    is_searched: bool = False  # the alias points at the collection
    others: Mapping[str, int] | None = None  # collections of other encoders and formats, and their points

    @property
    def agrees(self) -> bool:
        """Whether every image marked as indexed is found as it is, and nothing else is."""
        return not (self.missing or self.stale or self.outdated or self.drifted) and (
            self.is_searched or not self.images
        )


@as_one
def check_index(*, repair: bool = False, progress: Callable[[int], object] = lambda done: None) -> IndexCheck:
    """Returns how database and store differ, or with `repair` differed. Raises ServiceError when the store is down.

    `progress` is given the number of pictures that were compared.
    """
    store, card = vector_store(), encoder().card
    name = collection_of(card)
    collections = product_collections(store)
    shown = ProductImage.objects.indexable()
    points = store.scroll(name) if name in collections else iter([])
    missing = stale = drifted = compared = 0
    for images, payloads in _side_by_side(card.fingerprint, points):
        now = _Difference.of(images, payloads)
        if now.missing and name in collections:  # a worker may have been at it since the points were read
            found = store.retrieve(name, now.missing, using=VECTOR)
            now = replace(now, missing=[pk for pk in now.missing if pk not in found])
        missing, stale, drifted = missing + len(now.missing), stale + len(now.stale), drifted + len(now.drifted)
        if repair:
            _repair(now, name)
        compared += len(images)
        progress(compared)
    check = IndexCheck(
        images=shown.count(),
        pending=shown.filter(state=ProductImage.State.PENDING).count(),
        failed=shown.filter(state=ProductImage.State.FAILED).count(),
        points=collections.get(name, 0),
        missing=missing,
        stale=stale,
        outdated=shown.embedded_by_another(card.fingerprint).count(),
        drifted=drifted,
        collection=name,
        is_searched=store.resolve(ALIAS) == name,
        others={other: count for other, count in collections.items() if other != name},
    )
    if repair:
        point_alias()
    return check


def drop_other_collections() -> list[str]:
    """Deletes the collections of other encoders and returns their names; those of versions go when they are retired.

    Raises InputError `index_in_use` while searches or images still need one of them.
    """
    store, card = vector_store(), encoder().card
    if (
        store.resolve(ALIAS) != collection_of(card)
        or ProductImage.objects.embedded_by_another(card.fingerprint).exists()
    ):
        raise InputError("index_in_use", "Searches still use another encoder's collection. Run reindex_catalog first.")
    of_versions = Version.objects.exclude(fingerprint="").exclude(state=Version.State.RETIRED)
    kept = set(of_versions.values_list("fingerprint", flat=True))
    others = [
        name
        for name in product_collections(store)
        if name != collection_of(card) and not kept & set(name.split("-")) and not was_switched(name)
    ]
    for name in others:
        store.drop(name)
    return others


@dataclass(frozen=True, slots=True)
class _Difference:
    """Of one chunk, in image ids."""

    missing: Sequence[int]
    stale: Sequence[int]
    drifted: Sequence[int]

    @classmethod
    def of(cls, images: Mapping[int, ProductImage], payloads: Mapping[int, Payload]) -> "_Difference":
        """Compares rows of one range of ids with the points of the same range.

        A pending image may have a point: an old one that is about to be replaced, or a new one about to be marked.
        """
        indexed = {pk for pk, image in images.items() if _has_point(image)}
        return cls(
            missing=sorted(indexed - payloads.keys()),
            stale=sorted(pk for pk in payloads if pk not in images or not _may_have_point(images[pk])),
            drifted=sorted(
                pk
                for pk in indexed & payloads.keys()
                if images[pk].payload_due is None and _said(payloads[pk]) != _said(_payload(images[pk]))
            ),
        )


def _payload(image: ProductImage) -> Payload:
    return payload_of(
        image.product,
        palette=image.palette,
        seen_colors=image.seen_colors,
        seen_attributes=image.seen_attributes,
    )


def _has_point(image: ProductImage) -> bool:
    return image.state == ProductImage.State.INDEXED and image.product.is_shown


def _may_have_point(image: ProductImage) -> bool:
    return image.state != ProductImage.State.FAILED and image.product.is_shown


def _said(payload: Payload) -> dict[str, object]:
    """Returns the payload without what it leaves open: stores differ in whether they keep a null."""
    return {key: value for key, value in payload.items() if value not in (None, [], "")}


def _side_by_side(
    encoder_fingerprint: str, points: Iterator[tuple[int, Payload]]
) -> Iterator[tuple[dict[int, ProductImage], dict[int, Payload]]]:
    """Yields rows and points of one range of ids after another, to the end of both.

    Images of another encoder or format have no business in this collection, and their state says nothing of it.
    """
    rows = ProductImage.objects.select_related("product__merchant", "product__category").order_by("pk")
    after = 0
    while True:
        payloads = dict(islice(points, _CHUNK))
        # With points left, the range ends at the last one; without, at as many rows as fit.
        window = rows.filter(pk__gt=after, pk__lte=max(payloads)) if payloads else rows.filter(pk__gt=after)[:_CHUNK]
        found = list(window)
        if not payloads and not found:
            return
        after = max([*payloads, *(image.pk for image in found)])
        yield {image.pk: image for image in found if _is_ours(image, encoder_fingerprint)}, payloads


def _is_ours(image: ProductImage, encoder_fingerprint: str) -> bool:
    return image.state != ProductImage.State.INDEXED or (
        image.encoder == encoder_fingerprint and image.index_format == ProductImage.INDEX_FORMAT
    )


def _repair(difference: _Difference, collection: str) -> None:
    now = timezone.now()
    indexed = ProductImage.objects.filter(state=ProductImage.State.INDEXED)
    indexed.filter(pk__in=difference.missing).update(state=ProductImage.State.PENDING, payload_due=now)
    indexed.filter(pk__in=difference.drifted).update(payload_due=now)
    if difference.stale:
        vector_store().delete(collection, difference.stale)
        indexed.filter(pk__in=difference.stale).update(state=ProductImage.State.PENDING, payload_due=None)
