"""Very tall and very wide pictures are looked at in windows: fitted whole into the detector's square, a screenshot of a
whole page is a stripe of a few pixels. Pure geometry.
"""

from collections.abc import Sequence

from detection.crops import area
from detection.types import Box, Detection

# Street photos and packshots are up to 2:1; a full-page screenshot is 5:1 and more.
TALL = 2.5
_LENGTH = 1.5  # of a window, in short sides
_STEP = 1.0  # from one window to the next: what one cuts, the next has whole
MOST = 12  # windows; of longer pictures they are longer
# A detection that lies in a surer one of its category by this share is the same thing, cut by a window's end.
_WITHIN = 0.6


def windows(size: tuple[int, int]) -> list[Box]:
    """Returns the windows of a picture of (width, height), along its long side; one where it isn't long."""
    width, height = size
    short, long = min(size), max(size)
    if long <= TALL * short:
        return [(0.0, 0.0, float(width), float(height))]
    count = min(MOST, -(-(long - round(_LENGTH * short)) // round(_STEP * short)) + 1)
    length = max(_LENGTH * short, 1.5 * long / (count + 0.5))
    starts = [number * (long - length) / (count - 1) for number in range(count)]
    if height > width:
        return [(0.0, start, float(width), start + length) for start in starts]
    return [(start, 0.0, start + length, float(height)) for start in starts]


def joined(found: Sequence[tuple[Box, Sequence[Detection]]]) -> list[Detection]:
    """Returns the detections of all windows, in pixels of the picture, each thing once, by falling confidence."""
    moved = [
        Detection(
            (one.xyxy[0] + box[0], one.xyxy[1] + box[1], one.xyxy[2] + box[0], one.xyxy[3] + box[1]),
            one.category,
            one.confidence,
        )
        for box, detections in found
        for one in detections
    ]
    kept: list[Detection] = []
    for one in sorted(moved, key=lambda detection: -detection.confidence):
        if not any(other.category == one.category and _is_within(one.xyxy, other.xyxy) for other in kept):
            kept.append(one)
    return kept


def _is_within(first: Box, second: Box) -> bool:
    """Says whether most of the smaller of two boxes lies in the other."""
    x1, y1, x2, y2 = first
    overlap = area((max(x1, second[0]), max(y1, second[1]), min(x2, second[2]), min(y2, second[3])))
    smaller = min(area(first), area(second))
    return smaller > 0 and overlap >= _WITHIN * smaller
