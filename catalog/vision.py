"""The one road from photo to embedding: decode, detect, choose, crop, encode.

The shopper's photo and the merchant's product picture both take it, so the two sides of the comparison can't drift
apart. They differ in which detection to choose, a function given by the caller, and in that a shopper's photo loses its
grain.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from catalog.taxonomy import taxonomy
from detection import detector
from detection.crops import TWIN_IOU, choose_for_sale, choose_for_shopper, crop, distinct, iou
from detection.images import Photo
from detection.types import Box, Detection
from detection.windows import joined, windows
from embeddings import encoder
from embeddings.grain import without_grain

# A box that a shopper dragged this close to a region's is that region (COCO's strictest matching is .95).
SAME_BOX_IOU = 0.9
# A dragged box takes the category of the region it mostly covers; .5 is the classic PASCAL VOC match.
SAME_OBJECT_IOU = 0.5


@dataclass(frozen=True, slots=True)
class Wish:
    """What is known before looking: the box the shopper drew, the category she chose or the merchant declared."""

    box: Box | None = None  # pixels of the upright original
    category: str | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """Which part of a picture to embed. `region` is None for a box of the shopper's own and for the whole picture."""

    box: Box  # pixels of the upright original
    region: int | None = None
    category: str | None = None
    confidence: float = 0.0
    is_shoppers: bool = False


@dataclass(frozen=True, slots=True)
class Sight:
    """What one picture showed."""

    regions: tuple[Detection, ...]  # pixels of the upright original, by falling confidence
    choice: Choice
    embedding: NDArray[np.float32]  # (dim,), unit length
    detections: tuple[Detection, ...] = ()  # all that the detector said, before regions were told apart


@dataclass(frozen=True, slots=True)
class Look:
    """The sights of one batch, in the order of its photos, and what they cost."""

    sights: tuple[Sight, ...]
    detect_ms: float
    embed_ms: float


Regions = tuple[Detection, ...]
Chooser = Callable[[Regions, Photo, Wish], tuple[Regions, Choice]]


def look(
    photos: Sequence[Photo],
    wishes: Sequence[Wish],
    *,
    choose: Chooser,
    beside: Callable[[Photo, Choice], None] | None = None,
) -> Look:
    """Returns what each photo shows, as one batch through the detector and one through the encoder.

    `beside` is told of each choice before it is encoded; it must return at once.

    Raises ServiceError when a model can't be loaded.
    """
    if not photos:
        return Look(sights=(), detect_ms=0.0, embed_ms=0.0)
    started = perf_counter()
    found = _detect(photos, wishes)
    chosen = [choose(regions, photo, wish) for regions, photo, wish in zip(found, photos, wishes, strict=True)]
    detected = perf_counter()
    if beside is not None:
        for photo, (_, choice) in zip(photos, chosen, strict=True):
            beside(photo, choice)
    embeddings = encoder().encode_images(
        [_crop(photo, choice.box, choice) for photo, (_, choice) in zip(photos, chosen, strict=True)]
    )
    embedded = perf_counter()
    sights = tuple(
        Sight(regions, choice, embedding, detections)
        for (regions, choice), embedding, detections in zip(chosen, embeddings, found, strict=True)
    )
    return Look(sights, detect_ms=(detected - started) * 1000, embed_ms=(embedded - detected) * 1000)


def look_at_all(
    photo: Photo, wish: Wish, *, beside: Callable[[Photo, Choice], None] | None = None
) -> tuple[Look, tuple[NDArray[np.float32], ...]]:
    """Returns what a shopper's photo shows, and the embedding of each of its regions, in their order.

    The chosen part and the regions are one batch through the encoder. `beside` is as for `look`. Raises
    ServiceError when a model can't be loaded.
    """
    started = perf_counter()
    (found,) = _detect([photo], [wish])
    regions, choice = for_shopper(found, photo, wish)
    detected = perf_counter()
    if beside is not None:
        beside(photo, choice)
    boxes = [region.xyxy for region in regions]
    if choice.box not in boxes:
        boxes.append(choice.box)
    embeddings = encoder().encode_images([_crop(photo, box, choice) for box in boxes])
    embedded = perf_counter()
    sight = Sight(regions, choice, embeddings[boxes.index(choice.box)], found)
    took = Look((sight,), detect_ms=(detected - started) * 1000, embed_ms=(embedded - detected) * 1000)
    return took, tuple(embeddings[: len(regions)])


def choose_again(photos: Sequence[Photo], wishes: Sequence[Wish], *, choose: Chooser) -> list[Choice]:
    """Returns which part of each photo would be embedded now; embeds nothing. Raises ServiceError as `look` does."""
    if not photos:
        return []
    found = _detect(photos, wishes)
    return [choose(regions, photo, wish)[1] for regions, photo, wish in zip(found, photos, wishes, strict=True)]


def _detect(photos: Sequence[Photo], wishes: Sequence[Wish]) -> list[Regions]:
    """Returns each photo's detections, in pixels of its upright original; a wished category is looked for harder.

    The detector knows its classes; from here on they are the shop's categories. Very long pictures are looked at in
    windows.
    """
    names = taxonomy()
    wished = [names.class_of(wish.category) for wish in wishes]
    boxes = [windows(photo.image.size) for photo in photos]
    parts = [
        photo.image if len(of) == 1 else crop(photo.image, box)
        for photo, of in zip(photos, boxes, strict=True)
        for box in of
    ]
    seen = iter(detector().detect(parts, [wish for wish, of in zip(wished, boxes, strict=True) for _ in of]))
    looked = [[(box, next(seen)) for box in of] for of in boxes]
    found = [of[0][1] if len(of) == 1 else joined(of) for of in looked]
    return [
        tuple(
            Detection(photo.to_original(one.xyxy), names.category_of_class(one.category), one.confidence)
            for one in detections
        )
        for photo, detections in zip(photos, found, strict=True)
    ]


def _crop(photo: Photo, box: Box, choice: Choice) -> Image:
    cropped = crop(photo.image, photo.to_image(box))
    return without_grain(cropped) if choice.is_shoppers else cropped


def for_shopper(regions: Regions, photo: Photo, wish: Wish) -> tuple[Regions, Choice]:
    """The shopper's box if she drew one; else the region of her category, or the one that stands out; else it all.

    One thing is shown as one region, though the detector may have seen it as two categories.
    """
    regions = _shown(regions, wish.category)
    if wish.box is not None:
        return regions, replace(_drawn(regions, wish.box), is_shoppers=True)
    size = (photo.width, photo.height)
    picked = choose_for_sale(regions, wish.category, size) if wish.category else None
    if picked is None:
        picked = choose_for_shopper(regions, size)
    return regions, replace(_whole(photo) if picked is None else _region(regions, picked), is_shoppers=True)


def for_sale(regions: Regions, photo: Photo, wish: Wish) -> tuple[Regions, Choice]:
    """The detection of the product's own category (SK Planet, arXiv:1609.07859); else the whole picture.

    A catalog photo shows more than is for sale: the jeans under the shirt must not be embedded as the shirt.
    """
    picked = choose_for_sale(regions, wish.category, (photo.width, photo.height)) if wish.category else None
    return regions, _whole(photo) if picked is None else _region(regions, picked)


def _shown(regions: Regions, category: str | None) -> Regions:
    """Returns distinct regions; where two categories claim one thing, the shopper's own category wins."""
    meant = [region for region in regions if region.category == category]
    others = [
        region
        for region in distinct([region for region in regions if region.category != category])
        if all(iou(region.xyxy, own.xyxy) <= TWIN_IOU for own in meant)
    ]
    return tuple(sorted([*meant, *others], key=lambda region: -region.confidence))


def _drawn(regions: Sequence[Detection], box: Box) -> Choice:
    overlaps = [iou(region.xyxy, box) for region in regions]
    best = int(np.argmax(overlaps)) if overlaps else None
    if best is None or overlaps[best] < SAME_OBJECT_IOU:
        return Choice(box)
    region = regions[best]
    return Choice(box, best if overlaps[best] >= SAME_BOX_IOU else None, region.category, region.confidence)


def _region(regions: Sequence[Detection], index: int) -> Choice:
    region = regions[index]
    return Choice(region.xyxy, index, region.category, region.confidence)


def _whole(photo: Photo) -> Choice:
    return Choice((0.0, 0.0, float(photo.width), float(photo.height)))
