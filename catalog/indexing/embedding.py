"""Batches of product images -> their embeddings, fingerprints and colors. Reads files and models, writes nothing.

    images -> twins (the same content, embedded before) | read, decode -> catalog.vision -> embeddings, colors

A picture that can't be used costs itself, never its batch.
"""

import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
from django.core.files.storage import default_storage
from numpy.typing import NDArray

from catalog.indexing.points import COPY, VECTOR, SeenAttributes, attributes_as_json
from catalog.models import ProductImage
from catalog.serving import Serving, carried, serving
from catalog.taxonomy import held
from catalog.vision import Sight, Wish, for_sale, look
from detection import detector
from detection.crops import crop
from detection.images import Photo, decode
from detection.types import Box
from embeddings import encoder
from embeddings.attributes import attributes
from embeddings.color import color_names, dominant_colors
from embeddings.fingerprint import fingerprint
from embeddings.types import VectorStore
from shop_search.errors import InputError, ServiceError

log = logging.getLogger(__name__)

_READERS = 2
# One batch's colors and fingerprints keep one core busy, in Python, while the models are at the next.
_LOOKERS = 2

Palette = tuple[tuple[float, float, float, float], ...]  # L, a, b and share of each color, by falling share


@dataclass(frozen=True, slots=True)
class Embedded:
    """What indexing found in one image."""

    embedding: NDArray[np.float32]  # (dim,), unit length
    box: Box  # pixels of the upright image: the part that was embedded
    category: str = ""  # what the detector saw there; empty when the whole picture was embedded
    confidence: float | None = None
    copy: NDArray[np.float32] | None = None  # the whole picture's fingerprint, (256,), unit length; None if it is even
    palette: Palette = ()  # of the crop
    seen_colors: tuple[str, ...] = ()
    is_reused: bool = False  # from an image of the same content

    @property
    def vectors(self) -> dict[str, NDArray[np.float32]]:
        """The point's named vectors."""
        return {VECTOR: self.embedding} if self.copy is None else {VECTOR: self.embedding, COPY: self.copy}

    @property
    def seen_attributes(self) -> SeenAttributes:
        """What the embedding says of gender, article type and pattern: microseconds, so it isn't kept."""
        return attributes_as_json(attributes(self.embedding[np.newaxis])[0])


@dataclass(frozen=True, slots=True)
class Content:
    """What decides an image's embedding: its bytes, and the category that chooses what is cropped."""

    sha256: str
    category: str

    @classmethod
    def of(cls, image: ProductImage) -> "Content":
        return cls(image.sha256, image.product.category.slug)


Found = Embedded | InputError


@dataclass(frozen=True, slots=True)
class EmbeddingBatch:
    """Images on their way to embeddings."""

    images: Sequence[ProductImage]
    known: Mapping[Content, Embedded]  # from twins
    looking: Future[dict[Content, Found]]  # at the others
    served: Serving = field(default_factory=serving)  # by which it was begun, and is to be finished

    def results(self) -> dict[int, Found]:
        """Returns, by image id, the embedding or why there is none, once the models are done.

        Raises ServiceError when a model or the media storage failed.
        """
        found = {**self.looking.result(), **self.known}
        results: dict[int, Found] = {}
        for image in self.images:
            content = Content.of(image)
            results[image.pk] = one = found[content]
            if isinstance(one, Embedded):
                found[content] = replace(one, is_reused=True)
        return results


class Embedder:
    """Reads files in threads, and looks at the pictures in others; the caller's thread is free for the database.

    On two cores this keeps both busy: one batch is read, and the models begin with it, while the colors of the one
    before are named, and the one before that is written.
    """

    def __init__(self) -> None:
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="read")
        self._looker = ThreadPoolExecutor(_LOOKERS, thread_name_prefix="look")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._readers.shutdown(cancel_futures=True)
        self._looker.shutdown(cancel_futures=True)

    def start(
        self,
        images: Sequence[ProductImage],
        store: VectorStore,
        collection: str,
        *,
        before: EmbeddingBatch | None = None,
    ) -> EmbeddingBatch:
        """Begins a batch. Each content is embedded once: twins in the index and in the batch `before` are not again.

        Raises ServiceError when a model can't be loaded or the store fails.
        """
        known = _reuse(_twins(images), store, collection)
        files = {Content.of(image): str(image.file.name) for image in images}
        under_way = {Content.of(image) for image in before.images} if before else set[Content]()
        reading = {
            content: self._readers.submit(read_photo, name)
            for content, name in files.items()
            if content not in known and content not in under_way
        }
        shared = {content for content in files if content in under_way and content not in known}
        with held():  # the looker's thread has no database
            looking = self._looker.submit(carried(_look_at), reading, before, shared)
        return EmbeddingBatch(images, known, looking)


def _look_at(
    reading: dict[Content, "Future[Photo]"], before: EmbeddingBatch | None, shared: set[Content]
) -> dict[Content, Found]:
    found: dict[Content, Found] = {}
    photos: dict[Content, Photo] = {}
    while reading:  # letting go of each future frees its picture once it was looked at
        content, photo = reading.popitem()
        try:
            photos[content] = photo.result()
        except InputError as error:
            found[content] = error
    found.update(_look(photos))
    if before is not None and shared:
        # Batches are taken up in their order: the one before is done or under way, and waits for none after it.
        earlier = {**before.looking.result(), **before.known}
        for content in shared:
            one = earlier[content]
            found[content] = replace(one, is_reused=True) if isinstance(one, Embedded) else one
    return found


def read_photo(name: str) -> Photo:
    """Returns the decoded media file.

    Raises InputError `image_file_missing` or as `decode` does; ServiceError `media_unavailable` when files in general
    can't be read.
    """
    try:
        with default_storage.open(name, "rb") as stream:
            data = stream.read()
    except FileNotFoundError as error:
        folder = name.split("/", 1)[0]
        if not default_storage.exists(folder):  # a volume that isn't mounted is no fault of the image
            raise ServiceError("media_unavailable", f"The media folder {folder!r} is not there.") from error
        raise InputError("image_file_missing", f"The stored file {name} is gone. Upload the picture again.") from error
    except OSError as error:
        raise ServiceError("media_unavailable", f"Can't read {name}: {error.strerror}.") from error
    return decode(data)


def _twins(images: Sequence[ProductImage]) -> dict[Content, ProductImage]:
    """Returns an image that has the embedding of each content, by the models of today."""
    wanted = {Content.of(image) for image in images}
    indexed = ProductImage.objects.filter(
        sha256__in={content.sha256 for content in wanted},
        state=ProductImage.State.INDEXED,
        encoder=encoder().card.fingerprint,
        detector=detector().card.fingerprint,
        index_format=ProductImage.INDEX_FORMAT,
    )
    twins = {Content.of(image): image for image in indexed.select_related("product__category")}
    return {content: image for content, image in twins.items() if content in wanted}


def _reuse(twins: Mapping[Content, ProductImage], store: VectorStore, collection: str) -> dict[Content, Embedded]:
    """Returns the twins' embeddings, of those whose point is there and has not changed its content since."""
    if not twins:
        return {}
    ids = [image.pk for image in twins.values()]
    vectors = store.retrieve(collection, ids, using=VECTOR)
    copies = store.retrieve(collection, ids, using=COPY)
    indexed = ProductImage.objects.filter(pk__in=ids, state=ProductImage.State.INDEXED)
    unchanged = dict(indexed.values_list("pk", "sha256"))
    return {
        content: Embedded(
            vectors[image.pk],
            tuple(image.box),
            image.detected_category,
            image.detected_confidence,
            copies.get(image.pk),
            tuple(tuple(color) for color in image.palette),
            tuple(image.seen_colors),
            is_reused=True,
        )
        for content, image in twins.items()
        if image.pk in vectors and image.box and unchanged.get(image.pk) == content.sha256
    }


def _look(photos: Mapping[Content, Photo]) -> dict[Content, Found]:
    if not photos:
        return {}
    try:
        wishes = [Wish(category=content.category) for content in photos]
        sights = look(list(photos.values()), wishes, choose=for_sale).sights
        return {content: found_in(photo, sight) for (content, photo), sight in zip(photos.items(), sights, strict=True)}
    except ServiceError:
        raise
    except Exception as error:  # whatever a model's library raises: find out which picture it was
        if len(photos) == 1:
            log.exception("A picture could not be embedded.")
            return dict.fromkeys(photos, _unusable(error))
        log.warning("A batch could not be embedded (%r); taking its pictures one by one.", error)
        one_by_one: dict[Content, Found] = {}
        for content, photo in photos.items():
            one_by_one.update(_look({content: photo}))
        if all(isinstance(one, InputError) for one in one_by_one.values()):  # then it was none of them
            raise ServiceError("indexing_failed", f"No picture can be embedded: {error!r}.") from error
        return one_by_one


def found_in(photo: Photo, sight: Sight) -> Embedded:
    """Returns what the index keeps of a picture: the crop's embedding and colors, the whole picture's fingerprint."""
    choice = sight.choice
    picture = fingerprint(photo.image)
    colors = dominant_colors(crop(photo.image, photo.to_image(choice.box)))
    return Embedded(
        sight.embedding,
        choice.box,
        choice.category or "",
        None if choice.category is None else choice.confidence,
        picture.vector if picture.is_usable else None,
        tuple((*(round(part, 1) for part in color.lab), round(color.share, 3)) for color in colors),  # type: ignore[misc]
        color_names(colors),
    )


def _unusable(error: Exception) -> InputError:
    if isinstance(error, InputError):
        return error
    return InputError("image_not_embeddable", "The picture can't be embedded. Upload another one.")
