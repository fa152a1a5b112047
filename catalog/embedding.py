"""One batch of product images -> their embeddings. Reads files and models, writes nothing.

    images -> twins (the same content, embedded before) | read, decode (threads) -> catalog.vision -> embeddings

A picture that can't be used costs itself, never its batch.
"""

import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace

import numpy as np
from django.core.files.storage import default_storage
from numpy.typing import NDArray

from catalog.models import ProductImage
from catalog.points import VECTOR
from catalog.vision import Sight, Wish, for_sale, look
from detection import detector
from detection.images import Photo, decode
from detection.types import Box
from embeddings import encoder
from embeddings.types import VectorStore
from shop_search.errors import InputError, ServiceError

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Embedded:
    """What indexing found in one image."""

    embedding: NDArray[np.float32]  # (dim,), unit length
    box: Box  # pixels of the upright image: the part that was embedded
    category: str = ""  # what the detector saw there; empty when the whole picture was embedded
    confidence: float | None = None
    is_reused: bool = False  # from an image of the same content


@dataclass(frozen=True, slots=True)
class Content:
    """What decides an image's embedding: its bytes, and the category that chooses what is cropped."""

    sha256: str
    category: str

    @classmethod
    def of(cls, image: ProductImage) -> "Content":
        return cls(image.sha256, image.product.category.slug)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A batch whose files are being read."""

    images: Sequence[ProductImage]
    twins: Mapping[Content, ProductImage]
    photos: Mapping[Content, "Future[Photo]"]


def prepare(images: Sequence[ProductImage], pool: Executor) -> Prepared:
    """Starts reading the files of the images, each content once, and of none that was embedded before."""
    twins = _twins(images)
    contents = {Content.of(image): image for image in images}
    photos = {
        content: pool.submit(read_photo, str(image.file.name))
        for content, image in contents.items()
        if content not in twins
    }
    return Prepared(images, twins, photos)


def embed(prepared: Prepared, store: VectorStore, collection: str) -> dict[int, Embedded | InputError]:
    """Returns, by image id, the embedding or why there is none.

    Raises ServiceError when a model, the store or the media storage fails.
    """
    found: dict[Content, Embedded | InputError] = dict(_reuse(prepared.twins, store, collection))
    photos: dict[Content, Photo] = {}
    for image in prepared.images:
        content = Content.of(image)
        if content in found or content in photos:
            continue
        try:
            reading = prepared.photos.get(content)
            photos[content] = reading.result() if reading else read_photo(str(image.file.name))
        except InputError as error:
            found[content] = error
    found.update(_look(photos))
    results: dict[int, Embedded | InputError] = {}
    for image in prepared.images:
        content = Content.of(image)
        one = found[content]
        results[image.pk] = one
        if isinstance(one, Embedded):
            found[content] = replace(one, is_reused=True)
    return results


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
    )
    twins = {Content.of(image): image for image in indexed.select_related("product__category")}
    return {content: image for content, image in twins.items() if content in wanted}


def _reuse(twins: Mapping[Content, ProductImage], store: VectorStore, collection: str) -> dict[Content, Embedded]:
    """Returns the twins' embeddings, of those whose point is there and has not changed its content since."""
    if not twins:
        return {}
    ids = [image.pk for image in twins.values()]
    vectors = store.retrieve(collection, ids, using=VECTOR)
    indexed = ProductImage.objects.filter(pk__in=ids, state=ProductImage.State.INDEXED)
    unchanged = dict(indexed.values_list("pk", "sha256"))
    return {
        content: Embedded(
            vectors[image.pk], tuple(image.box), image.detected_category, image.detected_confidence, is_reused=True
        )
        for content, image in twins.items()
        if image.pk in vectors and image.box and unchanged.get(image.pk) == content.sha256
    }


def _look(photos: Mapping[Content, Photo]) -> dict[Content, Embedded | InputError]:
    if not photos:
        return {}
    try:
        wishes = [Wish(category=content.category) for content in photos]
        sights = look(list(photos.values()), wishes, choose=for_sale).sights
        return {content: _embedded(sight) for content, sight in zip(photos, sights, strict=True)}
    except ServiceError:
        raise
    except Exception as error:  # whatever a model's library raises: find out which picture it was
        if len(photos) == 1:
            log.exception("A picture could not be embedded.")
            return dict.fromkeys(photos, _unusable(error))
        log.warning("A batch could not be embedded (%r); taking its pictures one by one.", error)
        one_by_one: dict[Content, Embedded | InputError] = {}
        for content, photo in photos.items():
            one_by_one.update(_look({content: photo}))
        if all(isinstance(one, InputError) for one in one_by_one.values()):  # then it was none of them
            raise ServiceError("indexing_failed", f"No picture can be embedded: {error!r}.") from error
        return one_by_one


def _embedded(sight: Sight) -> Embedded:
    choice = sight.choice
    if choice.category is None:
        return Embedded(sight.embedding, choice.box)
    return Embedded(sight.embedding, choice.box, choice.category, choice.confidence)


def _unusable(error: Exception) -> InputError:
    if isinstance(error, InputError):
        return error
    return InputError("image_not_embeddable", "The picture can't be embedded. Upload another one.")
