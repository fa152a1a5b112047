"""A version's own collection is filled beside the live one, while searches and uploads go on.

    pictures that it lacks -> the road of indexing, with the version's models -> points, side points

What it has is kept in the database (SidePoint), a batch at a time: a build that died goes on where it was, two at once
do no harm, and a picture that changed or came in meanwhile is one that it lacks.
"""

from collections.abc import Callable, Mapping, Sequence
from time import monotonic

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from catalog.indexing.embedding import Embedded, Embedder, EmbeddingBatch, Found
from catalog.indexing.index import BATCH
from catalog.indexing.points import collection_of, payload_of, point_alias, vectors_of
from catalog.models import ProductImage, SidePoint, Switch, Version
from catalog.models.querysets import ProductImageQuerySet
from catalog.serving import InForce, Serving, pinned, read
from detection import detector
from embeddings import encoder, vector_store
from embeddings.types import Payload, Point
from shop_search.errors import InputError

Progress = Callable[[int, int, str], object]

# Looking reads the index of all pictures of a version.
STANDBY_EVERY_S = 5.0
_nothing_lacked_at: float | None = None

_COLUMNS = (
    *("sha256", "category", "state", "error_code", "error", "box", "detected_category", "detected_confidence"),
    *("detector", "encoder", "palette", "seen_colors", "seen_attributes", "index_format", "indexed_at"),
)


def serving_with(version: Version) -> Serving:
    """Returns what would answer if this version were live today."""
    return read().with_version(InForce.of(version))


def collection_with(version: Version) -> str:
    """Returns the name of the collection that searches would ask if this version were live today.

    Raises ServiceError when its model can't be loaded.
    """
    with pinned(serving_with(version)):
        return collection_of(encoder().card)


def lacking(collection: str) -> ProductImageQuerySet:
    """Returns the pictures that shoppers may find and that this collection doesn't have as they are now."""
    kept = SidePoint.objects.filter(
        collection=collection,
        image=OuterRef("pk"),
        sha256=OuterRef("sha256"),
        category=OuterRef("product__category__slug"),
        index_format=ProductImage.INDEX_FORMAT,
    )
    return ProductImage.objects.indexable().exclude(Exists(kept))


def build(
    version: Version,
    progress: Progress = lambda done, total, what: None,
    *,
    is_stopped: Callable[[], bool] = lambda: False,
    batch: int = BATCH,
) -> int:
    """Gives the version's collection all that it lacks and returns how many pictures that were; then it is ready.

    Stopped, it goes on when it is called again. Raises InputError for a version that has no index, is live or retired;
    ServiceError when a model, the store or the disk fails.
    """
    version.refresh_from_db()
    if not version.has_index:
        raise InputError("nothing_to_build", f"A version of the {version.kind} has no index: it is ready.")
    if version.state in (Version.State.LIVE, Version.State.RETIRED):
        raise InputError("version_not_buildable", f"{version.name} is {version.state}.")
    Version.objects.filter(pk=version.pk, state=Version.State.DRAFT).update(state=Version.State.BUILDING)
    done = 0
    with pinned(serving_with(version)):
        card = encoder().card
        collection = collection_of(card)
        vector_store().ensure(collection, vectors_of(card))
        total = lacking(collection).count()
        progress(0, total, "Embedding pictures")
        while not is_stopped():

            def told(now: int, before: int = done, of: int = total) -> None:
                progress(before + now, of, "Embedding pictures")

            recorded = _fill_once(collection, batch, is_stopped, told)
            done += recorded
            total = done + lacking(collection).count()
            if recorded == 0 or total == done:
                break
        progress(done, total, "Done" if total == done else "Stopped")
        if total > done:
            return done
    Version.objects.filter(pk=version.pk, state=Version.State.BUILDING).update(state=Version.State.READY)
    return done


def fill(version: Version, *, limit: int = BATCH) -> int:
    """Gives a built version's collection at most `limit` of the pictures that it lacks; returns how many."""
    with pinned(serving_with(version)):
        card = encoder().card
        collection = collection_of(card)
        images = list(_with_product(lacking(collection)).order_by("pk")[:limit])
        if not images:
            return 0
        vector_store().ensure(collection, vectors_of(card))
        with Embedder() as embedder:
            return _write(embedder.start(images, vector_store(), collection), collection)


def _fill_once(collection: str, size: int, is_stopped: Callable[[], bool], progress: Callable[[int], object]) -> int:
    """Goes once through what the collection lacks, by rising id; returns how many pictures it has now more."""
    after, recorded = 0, 0
    begun: EmbeddingBatch | None = None
    with Embedder() as embedder:
        while True:
            images = [] if is_stopped() else list(_with_product(lacking(collection)).filter(pk__gt=after)[:size])
            ahead = embedder.start(images, vector_store(), collection, before=begun) if images else None
            if begun is not None:
                recorded += _write(begun, collection)
                progress(recorded)
            if ahead is None:
                return recorded
            begun, after = ahead, images[-1].pk


def _with_product(rows: ProductImageQuerySet) -> ProductImageQuerySet:
    return rows.select_related("product__merchant", "product__category").order_by("pk")


def _write(batch: EmbeddingBatch, collection: str) -> int:
    """Writes points, then notes those pictures that are still as they were read; returns how many these are."""
    results = batch.results()
    payloads = {
        image.pk: _payload(image, found) for image in batch.images if isinstance(found := results[image.pk], Embedded)
    }
    store = vector_store()
    store.upsert(collection, [Point(pk, _embedded(results[pk]).vectors, payload) for pk, payload in payloads.items()])
    with transaction.atomic():
        rows = _with_product(ProductImage.objects.filter(pk__in=results)).select_for_update(of=("self",))
        now = {image.pk: image for image in rows}
        unchanged = [image for image in batch.images if _is_unchanged(image, now.get(image.pk), results, payloads)]
        SidePoint.objects.bulk_create(
            [_row(image, results[image.pk], collection) for image in unchanged],
            update_conflicts=True,
            unique_fields=["collection", "image"],
            update_fields=_COLUMNS,
        )
    gone = [pk for pk in results if pk not in now or now[pk].product.withdrawn_at is not None]
    failed = [pk for pk, found in results.items() if isinstance(found, InputError)]
    store.delete(collection, [*gone, *failed])
    return len(unchanged)


def _is_unchanged(
    image: ProductImage, now: ProductImage | None, results: Mapping[int, Found], payloads: Mapping[int, Payload]
) -> bool:
    """Says whether what was written is right: later changes are told to the store by indexing."""
    if now is None or now.product.withdrawn_at is not None or now.sha256 != image.sha256:
        return False
    found = results[image.pk]
    return isinstance(found, InputError) or _payload(now, found) == payloads[image.pk]


def _payload(image: ProductImage, found: Embedded) -> Payload:
    return payload_of(
        image.product,
        palette=found.palette,
        seen_colors=found.seen_colors,
        seen_attributes=found.seen_attributes,
    )


def _embedded(found: Found) -> Embedded:
    assert isinstance(found, Embedded)
    return found


def _row(image: ProductImage, found: Found, collection: str) -> SidePoint:
    row = SidePoint(
        collection=collection,
        image_id=image.pk,
        sha256=image.sha256,
        category=image.product.category.slug,
        index_format=ProductImage.INDEX_FORMAT,
        detector=detector().card.fingerprint,
        encoder=encoder().card.fingerprint,
        indexed_at=timezone.now(),
    )
    if isinstance(found, InputError):
        row.state, row.error_code, row.error = ProductImage.State.FAILED, found.code, found.message[:500]
        return row
    row.state = ProductImage.State.INDEXED
    row.box = [round(side, 1) for side in found.box]
    row.detected_category, row.detected_confidence = found.category, found.confidence
    row.palette, row.seen_colors = found.palette, list(found.seen_colors)
    row.seen_attributes = dict(found.seen_attributes)
    return row


def standby(*, limit: int = BATCH) -> bool:
    """Gives the latest ready versions what came in since they were built; returns whether that was anything.

    So a promote or a rollback finds everything there. Where nothing was lacking, it looks again after some seconds, and
    points the store's alias right where a process died between the switch and the alias.
    """
    global _nothing_lacked_at
    if _nothing_lacked_at is not None and monotonic() - _nothing_lacked_at < STANDBY_EVERY_S:
        return False
    did = _stand_by(limit)
    if not did and Switch.objects.exclude(collection_after="").exists():
        point_alias()
    _nothing_lacked_at = None if did else monotonic()
    return did


def _stand_by(limit: int) -> bool:
    return sum(fill(version, limit=limit) for version in ready_versions()) > 0


def ready_versions(most: int = 2) -> Sequence[Version]:
    """Returns the latest versions with an index that could go live at once."""
    with_index = (Version.Kind.ENCODER, Version.Kind.DETECTOR)
    return list(Version.objects.filter(kind__in=with_index, state=Version.State.READY)[:most])
