"""Text laid over a picture: price stickers, banners, captions, watermarks. Told by its strokes, in numpy alone.

    picture, and its half -> strokes that may be letters (glyphs) -> rows of like ones, in any direction
                          -> 20 numbers of each row -> how likely it is lettering -> the likeliest row

What is printed on the product is no fault of the picture, so a row is judged by where it stands, too: by how much of it
lies on the picture's background, how far it is from the middle of the product's box, and how even the ground is. The
weights were learned by `python -m benchmarks.lettering`, which also counts what is told rightly (docs/doctor.md).
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from catalog.doctor.components import Floats
from catalog.doctor.glyphs import Glyphs, Strokes, gray_of, strokes_of
from detection.types import Box

# Letters of a row are alike: in size, width of stroke and contrast none is under this share of its neighbor's.
ALIKE = 0.5
# In sizes of the letters: how far a neighbor's middle is at most, the next of a row, and how far off the row's line.
NEAR, NEXT, OFF_LINE = 1.6, 2.2, 0.3
# Letters of a row, and rows that are judged of each darkness, the longest first.
SHORTEST = 3
ROWS = 12
_PAIRS = 400  # the nearest of a cluttered picture

NAMES = (
    "letters",  # logarithm of their number
    "off",  # share on the picture's background
    "crossing",  # 1 where half of it is on the background, 0 where all or none is
    "unevenness",  # of the ground
    "contrast",
    "stroke",  # width of the strokes in sizes of the letters
    "heights",  # how much they vary: their deviation, in means
    "widths",
    "waver",  # mean distance from the row's line, in sizes
    "place",  # 0 in the middle of the product's box, 1 at its sides
    "size",  # of the letters
    "length",  # of the row, in smaller sides of the picture
    "texture",  # logarithm of how many strokes the picture has
    "crowd",  # other strokes around the row, for each of its letters
    "edge",  # distance from the picture's edge, in its smaller sides
    "fullness",  # how much the letters fill their boxes
    "strokes",  # how much the strokes' widths vary
    "tones",
    "grounds",
    "scale",  # 1 in the half
)


@dataclass(frozen=True, slots=True)
class Lettering:
    """The row of a picture that is the likeliest to be lettering."""

    score: float  # over 0: called lettering
    box: Box  # pixels of the picture


NONE = Lettering(-10.0, (0.0, 0.0, 0.0, 0.0))


@dataclass(frozen=True, slots=True)
class Weights:
    """A network of one small hidden layer, and the output above which a row is called lettering."""

    mean: Floats
    deviation: Floats
    hidden: Floats  # (names, units)
    hidden_bias: Floats
    out: Floats  # (units,)
    limit: float

    def score(self, rows: Floats) -> Floats:
        """Returns (n,) of (n, names)."""
        units = np.tanh((rows - self.mean) / self.deviation @ self.hidden + self.hidden_bias)
        return np.asarray(units @ self.out - self.limit)


def lettering(image: Image.Image, box: Box) -> Lettering:
    """Returns what is the likeliest to be lettering. `box` is where the product is, in pixels of the picture."""
    rows, boxes = rows_of(image, box)
    if not boxes:
        return NONE
    scores = weights().score(rows)
    best = int(scores.argmax())
    return Lettering(max(float(scores[best]), NONE.score), boxes[best])


@cache
def weights() -> Weights:
    learned = json.loads(Path(__file__).with_name("lettering.json").read_text())
    if tuple(learned["names"]) != NAMES:
        raise ValueError(f"lettering.json was learned from {learned['names']}, not from {NAMES}.")
    arrays = {name: np.asarray(learned[name]) for name in ("mean", "deviation", "hidden", "hidden_bias", "out")}
    return Weights(**arrays, limit=learned["limit"])


def rows_of(image: Image.Image, box: Box) -> tuple[Floats, list[Box]]:
    """Returns (n, names) numbers and the boxes of all rows of like strokes."""
    gray = gray_of(image)
    rows: list[list[float]] = []
    boxes: list[Box] = []
    for half, small in enumerate((gray, gray.reduce(2))):
        factor = small.width / image.width
        pixels = np.asarray(small)
        for strokes in strokes_of(pixels):
            for row, where in _judged(strokes, np.asarray(box) * factor, pixels.shape, half):
                rows.append(row)
                boxes.append((where[0] / factor, where[1] / factor, where[2] / factor, where[3] / factor))
    return np.array(rows).reshape(-1, len(NAMES)), boxes


def _judged(strokes: Strokes, box: Floats, shape: tuple[int, ...], half: int) -> Iterator[tuple[list[float], Box]]:
    used = np.zeros(len(strokes.glyphs), bool)
    kept = 0
    for members, direction, across, along in _chains(strokes.glyphs):
        if used[members].mean() > 0.5:
            continue
        used[members] = True
        kept += 1
        if kept > ROWS:
            return
        letters = strokes.glyphs[members]
        where = (letters.x.min(), letters.y.min(), letters.x.max(), letters.y.max())
        yield _numbers(strokes, letters, direction, across, along, box, shape, half), where


_Chain = tuple[NDArray[np.int64], tuple[float, float], Floats, Floats]


def _chains(glyphs: Glyphs) -> list[_Chain]:
    """Returns rows of like glyphs, the longest first: which, the direction, and how far off and along it they lie."""
    if len(glyphs) < SHORTEST:
        return []
    size = glyphs.size
    dx, dy = (at[None] - at[:, None] for at in (glyphs.x, glyphs.y))
    distance = np.hypot(dx, dy)
    alike = _alike(size) & _alike(glyphs.stroke) & _alike(glyphs.contrast)
    pairs = alike & (distance < NEAR * np.maximum(size[None], size[:, None])) & (distance > 0)
    first, second = np.nonzero(np.triu(pairs))
    if len(first) > _PAIRS:
        nearest = np.argsort(distance[first, second])[:_PAIRS]
        first, second = first[nearest], second[nearest]
    if not len(first):
        return []
    apart = distance[first, second]
    ux, uy = dx[first, second] / apart, dy[first, second] / apart
    along = dx[first] * ux[:, None] + dy[first] * uy[:, None]
    across = np.abs(dx[first] * uy[:, None] - dy[first] * ux[:, None])
    reach = (size[first] + size[second]) / 2
    is_member = (across < OFF_LINE * reach[:, None]) & alike[first]
    pair = np.arange(len(first))
    is_member[pair, first] = is_member[pair, second] = True
    position = np.where(is_member, along, np.inf)
    order = np.argsort(position, 1)
    ranked = np.take_along_axis(position, order, 1)
    is_next = np.diff(np.where(np.isfinite(ranked), ranked, 1e9), axis=1) < NEXT * reach[:, None]
    start = (ranked < -1e-9).sum(1)  # where the pair's first one stands
    found = []
    for one in range(len(first)):
        low = high = int(start[one])
        while low > 0 and is_next[one, low - 1]:
            low -= 1
        while high < is_next.shape[1] and is_next[one, high]:
            high += 1
        if high - low + 1 >= SHORTEST:
            found.append((high - low + 1, one, low, high))
    found.sort(reverse=True)
    chains = []
    for _, one, low, high in found:
        members = order[one, low : high + 1]
        chains.append((members, (float(ux[one]), float(uy[one])), across[one][members], along[one][members]))
    return chains


def _alike(values: Floats) -> NDArray[np.bool_]:
    return np.minimum(values[None], values[:, None]) > ALIKE * np.maximum(values[None], values[:, None])


def _numbers(
    strokes: Strokes,
    letters: Glyphs,
    direction: tuple[float, float],
    across: Floats,
    along: Floats,
    box: Floats,
    shape: tuple[int, ...],
    half: int,
) -> list[float]:
    """Returns what NAMES says."""
    x, y, size = letters.x, letters.y, float(np.median(letters.size))
    ux, uy = map(abs, direction)
    heights, widths = letters.height * ux + letters.width * uy, letters.height * uy + letters.width * ux
    place = np.maximum(
        np.abs(x - (box[0] + box[2]) / 2) / max((box[2] - box[0]) / 2, 1),
        np.abs(y - (box[1] + box[3]) / 2) / max((box[3] - box[1]) / 2, 1),
    )
    near = (strokes.specks_x > x.min() - 2 * size) & (strokes.specks_x < x.max() + 2 * size)
    near &= (strokes.specks_y > y.min() - 2 * size) & (strokes.specks_y < y.max() + 2 * size)
    off = letters.off.mean()
    edge = min(x.min(), shape[1] - x.max(), y.min(), shape[0] - y.max())
    numbers = (
        np.log(len(letters)),
        off,
        4 * off * (1 - off),
        letters.unevenness.mean(),
        letters.contrast.mean(),
        (letters.stroke / letters.size).mean(),
        heights.std() / heights.mean(),
        widths.std() / widths.mean(),
        across.mean() / size,
        place.mean(),
        size * (1 + half),
        (along.max() - along.min()) / min(shape),
        np.log1p(len(strokes.specks_x)),
        (near.sum() - len(letters)) / len(letters),
        edge / min(shape),
        (letters.area / (letters.width * letters.height)).mean(),
        letters.stroke.std() / letters.stroke.mean(),
        letters.tone.std(),
        letters.ground.std(),
        half,
    )
    return [float(one) for one in numbers]
