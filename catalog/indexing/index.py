"""From pending images to points that searches find.

    claim -> read, look (embedding, in threads) -> upsert points -> mark rows

The database comes last: a crash before the rows are marked leaves them pending, and doing them again writes the same
points. A worker marks nothing that changed while it worked on it. What needs no embedding (new prices, withdrawn
products, dropped pictures) is told to the store before each batch: that costs nearly nothing.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from catalog.indexing.embedding import Embedded, Embedder, EmbeddingBatch, Found
from catalog.indexing.marking import mark
from catalog.indexing.points import (
    collection_of,
    payload_of,
    point_alias,
    product_collections,
    vectors_of,
)
from catalog.models import DroppedPoint, Pause, ProductImage, SidePoint
from catalog.models.pauses import noting_pauses
from catalog.models.querysets import ProductImageQuerySet
from catalog.pictures.blocked import BlockedPhotos, small_picture
from catalog.pictures.taken import take_off
from catalog.serving import pinned, serving
from embeddings import encoder, vector_store
from embeddings.types import Payload, Point, VectorStore
from shop_search.errors import InputError

# Two batches are in memory at once, as pictures of up to 5 MB each: with 16 that is 160 MB at most.
BATCH = 16
# Payloads told to the store at once: a claim lasts minutes, these take a fraction of a second.
_PAYLOADS = 2000

Progress = Callable[["IndexReport"], None]


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What was done, in images."""

    indexed: int = 0
    reused: int = 0  # of the indexed: their content had been embedded before
    failed: int = 0
    retold: int = 0  # points that got a new payload
    deleted: int = 0  # points

    def __add__(self, other: "IndexReport") -> "IndexReport":
        return IndexReport(*(mine + theirs for mine, theirs in zip(astuple(self), astuple(other), strict=True)))

    @property
    def is_empty(self) -> bool:
        return not any(astuple(self))


def index_due(*, limit: int = BATCH) -> IndexReport:
    """Does what is due, up to `limit` images, and returns what was done: nothing when nothing was due.

    Raises ServiceError when a model, the store or the disk fails; any worker may take the images again at once.
    """
    report = _tell_store()
    with Embedder() as embedder:
        batch = _begin(ProductImage.objects.due(), limit, embedder)
        return report + _finish(batch) if batch else report


def index_these(rows: ProductImageQuerySet, *, limit: int = BATCH) -> IndexReport:
    """Indexes those of these images that are due, ahead of all others, and returns what was done.

    Raises ServiceError as `index_due` does.
    """
    with Embedder() as embedder:
        batch = _begin(rows.due(), limit, embedder)
        return _finish(batch) if batch else IndexReport()


def index_all(
    *,
    batch: int = BATCH,
    is_stopped: Callable[[], bool] = lambda: False,
    progress: Progress | None = None,
    is_reindexing: bool = False,
) -> IndexReport:
    """Does what is due until nothing is, or until `is_stopped`: then what was begun is finished. Returns what was done.

    `progress` is given each batch's own report. Reindexing takes in what another encoder embedded.
    Raises ServiceError as `index_due` does; what was reported is done.
    """
    with noting_pauses("indexing"):
        return _index_all(batch, is_stopped, progress, is_reindexing)


def _index_all(
    batch: int, is_stopped: Callable[[], bool], progress: Progress | None, is_reindexing: bool
) -> IndexReport:
    total = IndexReport()
    begun: EmbeddingBatch | None = None
    ahead: EmbeddingBatch | None = None
    with Embedder() as embedder:
        try:
            while True:
                report = IndexReport()
                if not is_stopped():
                    report += _tell_store()
                    rows = ProductImage.objects
                    due = rows.outdated(_fingerprint()) if is_reindexing else rows.due()
                    ahead = _begin(due, batch, embedder, before=begun)
                if begun is not None:
                    report += _finish(begun)
                # A batch can come to nothing when all of it changed meanwhile: then it is due again.
                worked = begun is not None or ahead is not None or not report.is_empty
                begun, ahead = ahead, None
                total += report
                if not report.is_empty:
                    Pause.objects.clear("indexing")
                if progress is not None and not report.is_empty:
                    progress(report)
                if not worked:
                    return total
        except BaseException:
            for unfinished in (begun, ahead):
                _release(unfinished.images if unfinished else [])
            raise


def reindex(*, is_stopped: Callable[[], bool] = lambda: False, progress: Progress | None = None) -> IndexReport:
    """Embeds all images with the current models, those that failed before too, and returns what was done.

    A new encoder's embeddings go into a collection of their own while searches use the old one; the alias switches when
    all are there. Moving to a new encoder goes on where it was interrupted; otherwise each call embeds everything.
    """
    rows = ProductImage.objects.indexable()
    rows.filter(state=ProductImage.State.FAILED).update(state=ProductImage.State.PENDING)
    if not rows.embedded_by_another(_fingerprint()).exists():
        rows.filter(state=ProductImage.State.INDEXED).update(state=ProductImage.State.PENDING)
    total = index_all(is_stopped=is_stopped, progress=progress, is_reindexing=True)
    point_alias()
    return total


def _fingerprint() -> str:
    return encoder().card.fingerprint


def _begin(
    rows: ProductImageQuerySet, limit: int, embedder: Embedder, *, before: EmbeddingBatch | None = None
) -> EmbeddingBatch | None:
    images = rows.claim(limit)
    if not images:
        return None
    with _released_on_failure(images), pinned(serving()):
        store, collection = _collection()
        return embedder.start(images, store, collection, before=before)


def _finish(batch: EmbeddingBatch) -> IndexReport:
    """Waits for the embeddings, writes points, marks rows, in this order."""
    with _released_on_failure(batch.images), pinned(batch.served):
        results = batch.results()
        _take_off_blocked(batch.images, results)
        store, collection = _collection()
        seen = {pk: _seen(found) for pk, found in results.items() if isinstance(found, Embedded)}
        points = [
            Point(image.pk, found.vectors, payload_of(image.product, **seen[image.pk]))
            for image in batch.images
            if isinstance(found := results[image.pk], Embedded)
        ]
        store.upsert(collection, points)
        marked = mark(batch.images, results, seen)
        # Points of pictures that failed now and were good before, or that left the catalog while we worked.
        left = results.keys() - set(marked)
        here = set(ProductImage.objects.filter(pk__in=left).values_list("pk", flat=True)) if left else set()
        useless = [pk for pk, found in results.items() if pk in left - here or isinstance(found, InputError)]
        store.delete(collection, useless)
        point_alias()
    done = [results[pk] for pk in marked]
    return IndexReport(
        indexed=sum(isinstance(found, Embedded) for found in done),
        reused=sum(isinstance(found, Embedded) and found.is_reused for found in done),
        failed=sum(isinstance(found, InputError) for found in done),
    )


def _take_off_blocked(images: Sequence[ProductImage], results: Mapping[int, Found]) -> None:
    """Takes pictures off their products that show a blocked photo: their upload had begun before it was blocked."""
    blocked = BlockedPhotos.read()
    if not blocked:
        return
    for image in images:
        photo = blocked.of_file(image.sha256)
        found = results[image.pk]
        if photo is None and isinstance(found, Embedded) and found.copy is not None and blocked.of_vector(found.copy):
            picture = small_picture(str(image.file.name))
            photo = None if picture is None else blocked.of_picture(picture)
        if photo is not None:
            take_off([image], photo)


def _collection() -> tuple[VectorStore, str]:
    """Returns the store and the name of the current encoder's collection, which is there afterwards."""
    store, card = vector_store(), encoder().card
    store.ensure(collection_of(card), vectors_of(card))
    return store, collection_of(card)


def _seen(found: Embedded | ProductImage | SidePoint) -> dict[str, Any]:
    return {"palette": found.palette, "seen_colors": found.seen_colors, "seen_attributes": found.seen_attributes}


def _tell_store() -> IndexReport:
    """Replaces payloads that are out of date and deletes points that shoppers must not find, in every collection."""
    images = ProductImage.objects.with_payload_due().claim(_PAYLOADS)
    dropped = list(DroppedPoint.objects.values_list("point", flat=True)[:_PAYLOADS])
    if not images and not dropped:
        return IndexReport()
    shown = [image for image in images if image.product.is_shown]
    withdrawn = [image.pk for image in images if not image.product.is_shown]
    with _released_on_failure(images):
        store = vector_store()
        for collection in product_collections(store):
            store.set_payload(collection, _payloads_in(collection, shown))
            store.delete(collection, [*withdrawn, *dropped])
        with transaction.atomic():
            DroppedPoint.objects.filter(pk__in=dropped).delete()
            SidePoint.objects.filter(image__in=withdrawn).delete()
            # Without a point, a withdrawn or blocked product's pictures must be embedded again should it come back.
            ProductImage.objects.filter(pk__in=withdrawn).update(
                state=ProductImage.State.PENDING, payload_due=None, claimed_until=None
            )
            by_change: dict[datetime | None, list[int]] = defaultdict(list)
            for image in shown:
                by_change[image.payload_due].append(image.pk)
            for change, ids in by_change.items():
                ProductImage.objects.filter(pk__in=ids, payload_due=change).update(payload_due=None)
            ProductImage.objects.filter(pk__in=[image.pk for image in shown]).release()
    return IndexReport(retold=len(shown), deleted=len(withdrawn) + len(dropped))


def _payloads_in(collection: str, images: Sequence[ProductImage]) -> dict[int, Payload]:
    """Returns the payloads of today, with what was seen by the models of that collection."""
    beside = {row.image_id: row for row in SidePoint.objects.filter(collection=collection, image__in=images)}
    return {image.pk: payload_of(image.product, **_seen(beside.get(image.pk, image))) for image in images}


@contextmanager
def _released_on_failure(images: Sequence[ProductImage]) -> Iterator[None]:
    """Frees claimed images for other workers when their work comes to nothing."""
    try:
        yield
    except BaseException:
        _release(images)
        raise


def _release(images: Sequence[ProductImage]) -> None:
    if images:
        ProductImage.objects.filter(pk__in=[image.pk for image in images]).release()
