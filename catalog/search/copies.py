"""Copies of a photo among the catalog's pictures: who uses them, how large, and how they lie over the photo.

    photo, crop -> fingerprints -> store's `copy` vector, and what the search found by embedding
                -> suspects -> laid over the photo (embeddings.copies) -> others that use the same picture -> rows

A photo that nobody copied, which is most of them, costs its fingerprint and two queries. They need no model, so a
search begins them before it asks the detector, in a thread of their own.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np
from django.core.files.storage import default_storage
from numpy.typing import NDArray
from PIL import Image

from catalog.bands import Band
from catalog.bands.calibration import current_bands
from catalog.indexing.points import COPY, has_fingerprints, searched_collection
from catalog.models import Product, ProductImage
from catalog.search.ranking import Ranked
from catalog.serving import carried
from detection.images import Photo, decode
from detection.types import Box
from embeddings import vector_store
from embeddings.alignment import align
from embeddings.copies import Candidate, Match, View, matches, place_in_photo, second_look, suspects
from embeddings.fingerprint import AS_IS, as_vector, distance_of
from embeddings.types import VectorStore
from shop_search.errors import InputError

log = logging.getLogger(__name__)

_NEAREST = 16  # hits of each probe
_LOOK_ALIKES = 8  # of the search's own hits: of six edits that move the fingerprint, 96 % are among so many
_TWINS = 32  # pictures near to a copy's own fingerprint
# Pictures this near to a copy are laid over it too, to find who else uses it: the same file saved again is at 0 to 8.
_TWIN_BITS = 24
# A part of the photo that covers more of it than this is no picture within the picture.
_MOST_OF_PHOTO = 0.9
_KEPT_SIDE = 256
_COMPARED = ("file", "width", "height", "box")  # of a picture's row

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Overlay:
    """Where photo and picture show the same thing, in pixels of the upright originals.

    `turn` (of `embeddings.fingerprint.TURNS`) turns the photo's part like the picture's.
    """

    query_box: Box
    image_box: Box
    turn: int
    likeness: float
    is_recolored: bool = False  # then it may be the same thing in another color


@dataclass(frozen=True, slots=True)
class Copy:
    """A product whose picture is a copy of the photo. `distance` in [0, 256] is that of their fingerprints."""

    product: Product
    image: ProductImage
    distance: int
    overlay: Overlay


@dataclass(frozen=True, slots=True)
class Probed:
    """The photo's views, and the ids of the pictures whose fingerprints are nearest to theirs."""

    views: tuple[View, ...]
    nearest: frozenset[int]
    collection: str


_probing = ThreadPoolExecutor(max_workers=4, thread_name_prefix="copies")


def begin_probing(photo: Photo, crop_box: Box | None = None) -> "Future[Probed | None]":
    """Returns at once; the result is for `find_copies`."""
    return _probing.submit(carried(probe), photo, crop_box)


def probe(photo: Photo, crop_box: Box | None = None) -> Probed | None:
    """Returns what fingerprints suggest for the photo, and for the part of it in `crop_box` if there is one.

    Returns None where nothing can be said: the index is empty, or has no fingerprints because an earlier version of
    ours made it. Raises ServiceError when the store is down.
    """
    collection = searched_collection()
    if collection is None or not has_fingerprints(collection):
        return None
    views = [View.of(photo.image)]
    if crop_box is not None and _share(crop_box, photo) < _MOST_OF_PHOTO:
        views.append(View.of(photo.image, photo.to_image(crop_box)))
    nearest: set[int] = set()
    for view in views:
        # The turned forms of a part would be one question too many for what they find.
        for vector in view.probes()[: 2 if view is views[0] else 1]:
            hits = vector_store().query(collection, vector, using=COPY, limit=_NEAREST)
            nearest.update(hit.id for hit in hits)
    return Probed(tuple(views), frozenset(nearest), collection)


def find_copies(
    photo: Photo,
    crop_box: Box | None = None,
    look_alikes: Mapping[int, float] | None = None,
    *,
    product_box: Box | None = None,
    probing: "Future[Probed | None] | None" = None,
) -> list[Copy] | None:
    """Returns the pictures in the catalog that are copies of the photo or of a part of it, the largest first.

    `crop_box` is a part that may be a picture of its own, as when the photo is a screenshot. `look_alikes` are image
    ids and scores of what the search found by embedding, best first: so is found what was cut off or framed so much
    that no fingerprint tells. `product_box` is where in the photo they were found. `probing` was begun for this photo
    and part. Returns None where nothing can be said, as `probe` does. Raises ServiceError when the store is down.
    """
    probed = probe(photo, crop_box) if probing is None else probing.result()
    if probed is None:
        return None
    views, collection, store = probed.views, probed.collection, vector_store()
    by_embedding = dict(islice((look_alikes or {}).items(), _LOOK_ALIKES))
    suggested = probed.nearest | by_embedding.keys()
    if not suggested:
        return []
    vectors = store.retrieve(collection, sorted(suggested), using=COPY)
    candidates = [Candidate(pk, vectors.get(pk), by_embedding.get(pk, -1.0)) for pk in sorted(suggested)]
    found = suspects(views, candidates, least_cosine=_least_cosine())
    if not found:
        return []
    pictures = _Pictures([one.id for one in found])
    matched = matches(views, found, pictures.small)
    if not matched and by_embedding:
        matched = second_look(photo.image, _places(photo, product_box, pictures), found, pictures.small)
    rows = _shown(match.id for match in matched)
    copies = [_copy(match, rows[match.id], photo, pictures) for match in matched if match.id in rows]
    copies += _others_that_use(copies, pictures, views, store, collection, vectors)
    return sorted(copies, key=lambda copy: (-copy.image.width * copy.image.height, copy.distance, copy.image.pk))


def _places(photo: Photo, product: Box | None, pictures: "_Pictures") -> dict[int, Box]:
    """Returns where in the photo, in pixels of its image, each picture would lie if the product is the same."""
    if product is None:
        return {}
    size, places = (photo.width, photo.height), {}
    for pk, row in pictures.rows.items():
        own = tuple(row.box) if row.box else (0.0, 0.0, float(row.width), float(row.height))
        place = place_in_photo(product, own, (row.width, row.height), size)
        if place is not None:
            places[pk] = photo.to_image(place)
    return places


def marked(cards: Iterable[Ranked], copies: Sequence[Copy]) -> tuple[Ranked, ...]:
    """Returns the cards with those first, as the same photo, whose picture was verified to be a copy, and only those.

    A score alone can't tell the same photo from another of the same product.
    """
    copied = {copy.product.pk for copy in copies if not copy.overlay.is_recolored}
    banded: list[Ranked] = []
    for card in cards:
        if copied.intersection([card.product_id, *card.others]):
            banded.append(replace(card, band=Band.SAME_PHOTO))
        elif card.band is Band.SAME_PHOTO:
            banded.append(replace(card, band=Band.SAME_PRODUCT))
        else:
            banded.append(card)
    return tuple(sorted(banded, key=lambda card: card.band is not Band.SAME_PHOTO))


def _least_cosine() -> float:
    """Returns the score from which a look-alike may be a copy: a third of the way from similar to the same product.

    Of 24 pictures cut to 60 % and shown in an app, nine in ten reach .39 with their own. Of 60 street photos, of which
    the catalog has no copy, 43 % have a picture in it that reaches .28, and 7 % one that reaches .4. By the settings'
    bands it is .36.
    """
    thresholds = current_bands().everywhere
    similar, same = thresholds[Band.SIMILAR], thresholds[Band.SAME_PRODUCT]
    return similar + (same - similar) / 3


def _share(box: Box, photo: Photo) -> float:
    return (box[2] - box[0]) * (box[3] - box[1]) / (photo.width * photo.height)


class _Pictures:
    """Pictures that shoppers may see, read once and small. Of their rows what it takes to compare them: nearly all of
    those that are suspected are no copies, and a product's row takes ten times as long to read."""

    def __init__(self, ids: Iterable[int]) -> None:
        self.rows: dict[int, ProductImage] = {}
        self._photos: dict[int, Photo | None] = {}
        self.add(ids)

    def add(self, ids: Iterable[int]) -> None:
        new = [pk for pk in ids if pk not in self.rows]
        self.rows.update(ProductImage.objects.indexable().only(*_COMPARED).in_bulk(new))

    def small(self, pk: int) -> Image.Image | None:
        photo = self.photo(pk)
        return None if photo is None else photo.image

    def photo(self, pk: int) -> Photo | None:
        if pk not in self._photos:
            row = self.rows.get(pk)
            self._photos[pk] = None if row is None else _read(str(row.file.name))
        return self._photos[pk]


def _shown(ids: Iterable[int]) -> dict[int, ProductImage]:
    rows = ProductImage.objects.indexable().select_related("product__merchant", "product__category")
    return rows.in_bulk(list(ids))


def _read(name: str) -> Photo | None:
    """Returns the stored picture, small, or None: a file that is gone or rotten is compared with nothing."""
    try:
        with default_storage.open(name, "rb") as stream:
            return decode(stream.read(), keep_side=_KEPT_SIDE)
    except (OSError, InputError) as error:
        log.warning("A picture can't be compared with a photo: %s: %s", name, error)
        return None


def _copy(match: Match, row: ProductImage, photo: Photo, pictures: _Pictures) -> Copy:
    picture = pictures.photo(match.id)
    assert picture is not None  # it was laid over the photo
    alignment = match.alignment
    overlay = Overlay(
        photo.to_original(alignment.first_box),
        picture.to_original(alignment.second_box),
        alignment.turn,
        alignment.likeness,
        alignment.is_recolored,
    )
    return Copy(row.product, row, match.distance, overlay)


def _others_that_use(
    copies: Sequence[Copy],
    pictures: _Pictures,
    views: Sequence[View],
    store: VectorStore,
    collection: str,
    vectors: Mapping[int, NDArray[np.float32]],
) -> list[Copy]:
    """Returns the rest of the rows that use a picture found to be a copy: the same file, or the same saved again."""
    if not copies:
        return []
    known = {copy.image.pk for copy in copies}
    by_content = {copy.image.sha256: copy for copy in copies if copy.image.sha256}
    same_file = ProductImage.objects.filter(sha256__in=by_content, state=ProductImage.State.INDEXED)
    others = [
        replace(by_content[row.sha256], product=row.product, image=row)
        for row in _shown(same_file.exclude(pk__in=known).values_list("pk", flat=True)[:_TWINS]).values()
    ]
    known.update(copy.image.pk for copy in others)
    best = max(copies, key=lambda copy: copy.overlay.likeness)
    if (own := vectors.get(best.image.pk)) is None:
        return others
    near = store.query(collection, own, using=COPY, limit=_TWINS)
    suspected = [hit.id for hit in near if distance_of(hit.score) <= _TWIN_BITS and hit.id not in known]
    pictures.add(suspected)
    rows = _shown(suspected)
    prints = store.retrieve(collection, suspected, using=COPY) if suspected else {}
    for pk in suspected:
        picture, original = pictures.small(pk), pictures.small(best.image.pk)
        if pk not in rows or pk not in prints or picture is None or original is None:
            continue
        again = align(original, picture, turns=(AS_IS,), is_whole=True)
        if again.is_copy and not again.is_recolored:
            others.append(_seen_through(best, rows[pk], _nearest(views, prints[pk])))
    return others


def _nearest(views: Sequence[View], vector: NDArray[np.float32]) -> int:
    """Returns the distance of the picture of this fingerprint to the nearest turn of a view."""
    turns = as_vector(np.stack([turn.bits for view in views for turn in view.turns]))
    return distance_of(float((turns @ vector).max()))


def _seen_through(copy: Copy, row: ProductImage, distance: int) -> Copy:
    """Returns the copy for another row whose picture is the same but for its size."""
    x, y = row.width / max(copy.image.width, 1), row.height / max(copy.image.height, 1)
    x1, y1, x2, y2 = copy.overlay.image_box
    return Copy(row.product, row, distance, replace(copy.overlay, image_box=(x1 * x, y1 * y, x2 * x, y2 * y)))


def as_json(copy: Copy, base_url: str = "") -> Json:
    """Returns a copy as the API shows it, but for its product."""
    return {
        "distance": copy.distance,
        "image": {
            "url": f"{base_url}{copy.image.file.url}",
            "width": copy.image.width,
            "height": copy.image.height,
        },
        "overlay": _overlay_as_json(copy.overlay),
    }


def _overlay_as_json(overlay: Overlay) -> Json:
    return {
        "query_box": [round(side, 1) for side in overlay.query_box],
        "image_box": [round(side, 1) for side in overlay.image_box],
        "turn": overlay.turn,
        "likeness": round(overlay.likeness, 3),
        "recolored": overlay.is_recolored,
    }


def kept(copies: Iterable[Copy]) -> list[Json]:
    """Returns what a record keeps of copies: no products, which may have changed or gone when it is read."""
    return [
        {"image": copy.image.pk, "distance": copy.distance, "overlay": _overlay_as_json(copy.overlay)}
        for copy in copies
    ]


def recalled(records: Iterable[Json]) -> list[Copy]:
    """Returns kept copies whose products may still be shown, in their order."""
    records = list(records)
    rows = _shown(record["image"] for record in records)
    return [
        Copy(
            rows[record["image"]].product,
            rows[record["image"]],
            record["distance"],
            Overlay(
                tuple(record["overlay"]["query_box"]),
                tuple(record["overlay"]["image_box"]),
                record["overlay"]["turn"],
                record["overlay"]["likeness"],
                record["overlay"].get("recolored", False),
            ),
        )
        for record in records
        if record["image"] in rows
    ]
