"""Why nothing is close, the cause that the shopper can do most about first."""

import numpy as np
from PIL import Image, ImageStat

from catalog.search.questions import Question
from catalog.search.understanding import Query
from detection.crops import crop

# A crop with a smaller side than this, in pixels of the original, has lost what tells products apart.
SMALL_CROP = 48
# Mean luminance, of 255, under which a photo is called too dark.
DARK_PHOTO = 32
# Sharpness is told at one size: a phone's photo and its thumbnail are equally sharp to the encoder.
SHARPNESS_SIDE = 256
# Sharpness under which a crop is called blurred. Chosen on one half of 517 photos (street, at home, on models,
# packshots, groceries), counted on the other 258: none that is sharp lies under it, all that are blurred by 2 px at
# that size do, and of those that are blurred by a motion of 8, 14 and 22 px, 75, 97 and 100 %.
BLURRED = 16.0
# Standard deviation of luminance under which there is nothing in a picture that could be blurred.
EVEN = 6.0


def reason_of(question: Question, query: Query, *, is_empty: bool, is_sold: bool) -> str:
    """Returns the code of why nothing is close."""
    if query.photo is not None and query.sight is not None:
        if np.asarray(query.photo.image.convert("L")).mean() < DARK_PHOTO:
            return "too_dark"
        x1, y1, x2, y2 = query.sight.choice.box
        if min(x2 - x1, y2 - y1) < SMALL_CROP:
            return "too_small"
        if is_blurred(crop(query.photo.image, query.photo.to_image(query.sight.choice.box))):
            return "blurred"
        if not query.sight.regions and question.box is None:
            return "nothing_detected"
    if is_empty:
        return "nothing_matches_filters"
    return "no_similar_product" if is_sold else "category_not_sold"


def nothing_to_see(question: Question, query: Query) -> str | None:
    """Returns why a photo shows nothing at all: black, or of one shade all over, and nothing was detected in it."""
    if query.photo is None or query.sight is None or query.sight.regions or question.box is not None:
        return None
    gray = ImageStat.Stat(query.photo.image.convert("L"))
    if gray.mean[0] < DARK_PHOTO:
        return "too_dark"
    return "nothing_detected" if gray.stddev[0] < EVEN else None


def is_blurred(image: Image.Image) -> bool:
    """Returns whether the picture shows something, but without an edge."""
    return sharpness(image) < BLURRED and ImageStat.Stat(image.convert("L")).stddev[0] >= EVEN


def sharpness(image: Image.Image) -> float:
    """Returns the least variance of the second derivative, over four directions, of the picture reduced to 256 px.

    It is low where no edge runs across one of them. A camera that moved leaves the edges along its way as they were,
    so the variance of the Laplacian, which sees all directions at once, takes a half of such photos for sharp.
    Source of that: Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy", ICPR 2000.
    """
    gray = image.convert("L")
    gray.thumbnail((SHARPNESS_SIDE, SHARPNESS_SIDE), Image.Resampling.BOX)
    pixels = np.asarray(gray, dtype=np.float32)
    if min(pixels.shape) < 3:
        return 0.0
    middle = 2 * pixels[1:-1, 1:-1]
    across = pixels[1:-1, :-2] + pixels[1:-1, 2:] - middle
    along = pixels[:-2, 1:-1] + pixels[2:, 1:-1] - middle
    falling = pixels[:-2, :-2] + pixels[2:, 2:] - middle
    rising = pixels[:-2, 2:] + pixels[2:, :-2] - middle
    straight = min(float(across.var()), float(along.var()))
    return min(straight, float(falling.var()) / 2, float(rising.var()) / 2)  # diagonal steps are longer
