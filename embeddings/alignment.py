"""Lays one picture over another, to tell a copy from a look-alike, whatever was cropped off or put around it.

Fingerprints and embeddings only suggest copies: two shoes photographed alike differ in a few bits, a crop in a hundred.
Laid over each other, copies have edges that run alike nearly everywhere, nearly one fingerprint and nearly one tint.

Steps: lay the smaller over the larger at 19 sizes and find the best place of each (normalized cross-correlation by
FFT), both ways round; keep the places whose edges agree best; move and resize those in small steps while that helps;
compare the parts that lie over each other.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from embeddings.fingerprint import AS_IS, BITS, MIRRORED, fingerprint, turned
from embeddings.lab import to_lab

Box = tuple[float, float, float, float]  # x1, y1, x2, y2
_Place = tuple[float, float, float, float]  # x, y, width, height, as shares of the larger picture's sides

# Likeness from which one picture is a copy of the other: the loosest at which .999 of the matches of 25 pictures are
# right, each edited in 23 ways and searched among 5,000. Of 25 others .967 are found, and none of 556 matches is wrong.
COPY_LIKENESS = 0.87
# By logistic regression on the copies and look-alikes that the first 25 were laid over (`benchmarks/copies.py --fit`).
WEIGHTS = (2.854, 1.61, -1.213, -3.269)  # of nothing (the bias), edges, bits and tint

# Tint above which a copy has other colors. In the drawn catalog, products of one cut in two colors differ by .5 to 1.2
# and in nothing else; of real copies, hardly any but those whose hues were turned reach it.
MOST_TINT = 0.4
# Agreement below which two pictures were not laid where they show the same thing.
MISPLACED = 0.5

_LONGEST_SIDE = 256  # more pixels change nothing but the time
_COARSE = 64  # longest side, in pixels, at which places are looked for ...
_GLANCE = 32  # ... after a glance at this size, which tells most strangers
# Least correlation at that glance. Of 120 crops, frames and screenshots none is below .92; of 200 look-alikes of street
# photos, one in ten is above .75.
_PROMISING = 0.85
# As shares of what just fits, down to half: a crop that keeps a quarter of the area.
_SIZES = 1.04 ** -np.arange(19.0)
_SMALLEST = 6  # pixels of the coarse picture
_CUT = 192  # side of the parts that are compared at last, in pixels
_FINE = (32, 96)  # side of the patches whose edges are compared: as many pixels as the smaller has, within these
_TRIED = 3  # places of each way round whose edges are compared
_REFINED = 2
_STEPS = (0.012, 0.006, 0.003, 0.0015)  # of the patch's side
_MOVES = ((1, 0, 0, 0), (-1, 0, 0, 0), (0, 1, 0, 0), (0, -1, 0, 0), (-0.5, -0.5, 1, 1), (0.5, 0.5, -1, -1))
_HOPELESS = 0.25  # edges that agree less than this before refining belong to different pictures
_BLOCKS = 8  # a patch is judged in 8 x 8 blocks ...
_FORGIVEN = 6  # ... of which the worst six may hold a caption or a price tag
_LIVELY = 0.02  # share of the liveliest block's edges with which a block says something
_TINTS = 16  # parts are compared in color on a 16 x 16 grid
_GRAY = 0.1  # chroma that rounding leaves in a picture without colors; a photo of a gray thing has more
_COLORLESS = 1.0  # chroma that JPEG's noise may have


@dataclass(frozen=True, slots=True)
class Alignment:
    """How two pictures lie over each other.

    Measured where they overlap: `agreement` in [-1, 1] is the correlation of their edges, but for the few blocks of 64
    that disagree most, and `typical` that of the median block; `distance` is the number of bits in which the
    fingerprints differ; `tint` in [0, 2] how much of what color there is differs, NaN where one has none. The boxes
    show the same thing, in pixels of each picture as given; `turn` (of `embeddings.fingerprint.TURNS`) turns the first
    like the second.
    """

    agreement: float
    typical: float
    distance: int
    tint: float
    turn: int
    first_box: Box
    second_box: Box

    @property
    def evidence(self) -> tuple[float, float, float]:
        """What speaks for and against a copy, each in proportion to how much it says."""
        typical = -math.log(1.003 - max(-1.0, min(1.0, self.typical)))
        return (typical, math.sqrt(self.distance), 0.0 if math.isnan(self.tint) else self.tint)

    @property
    def likeness(self) -> float:
        """How sure it is that one is a copy of the other, in [0, 1]; 0 when they show nothing alike where they lie."""
        return self.likeness_by(WEIGHTS)

    def likeness_by(self, weights: Sequence[float]) -> float:
        """Returns the likeness by other weights."""
        if self.agreement < MISPLACED:
            return 0.0
        logit = sum(weight * one for weight, one in zip(weights, (1.0, *self.evidence), strict=True))
        return 1 / (1 + math.exp(-max(-60.0, min(60.0, logit))))

    @property
    def is_copy(self) -> bool:
        return self.likeness >= COPY_LIKENESS

    @property
    def is_recolored(self) -> bool:
        """Whether it may as well be the same thing in another color, photographed or drawn alike."""
        return not self.tint <= MOST_TINT


@dataclass(frozen=True, slots=True)
class _Fit:
    """The smaller picture at a place in the larger."""

    larger: Image.Image
    smaller: Image.Image
    place: _Place
    turn: int
    is_first_larger: bool


def align(
    first: Image.Image, second: Image.Image, *, turns: Iterable[int] = (AS_IS, MIRRORED), is_whole: bool = False
) -> Alignment:
    """Returns the best alignment of two pictures, with the first turned in any of the given ways.

    With `is_whole`, only that of all of the first over (nearly) all of the second: 3 ms for each turn instead of 10.
    Strangers are mostly told at a glance, in 2 ms for each turn.
    Handles crops down to half a side, and borders, bars and frames up to twice the picture's side; not both at once,
    and no perspective. Pictures may have any size; a few hundred pixels are enough.
    """
    left_color, right_color = _reduced(first), _reduced(second)
    left, right = left_color.convert("L"), right_color.convert("L")
    fits: list[_Fit] = []
    for turn in turns:
        other = turned(left, turn)
        fits.append(_Fit(right, other, (0.0, 0.0, 1.0, 1.0), turn, is_first_larger=False))  # also if squeezed
        for larger, smaller, is_first_larger in () if is_whole else ((right, other, False), (other, right, True)):
            glance = _places(larger, smaller, _GLANCE)
            if not glance or glance[0][0] < _PROMISING:
                continue
            places = _places(larger, smaller, _COARSE)[:_TRIED]
            fits += [_Fit(larger, smaller, place, turn, is_first_larger) for _, place in places]
    judged = sorted(((_Judge(fit).agreement(fit.place), fit) for fit in fits), key=lambda pair: -pair[0])
    refined = [(*_Judge(fit).refine(fit.place, start), fit) for start, fit in judged[:_REFINED]]
    agreement, place, fit = max(refined, key=lambda one: one[0])
    x, y, width, height = place
    inside, whole = (x, y, x + width, y + height), (0.0, 0.0, 1.0, 1.0)
    first_share, second_share = (inside, whole) if fit.is_first_larger else (whole, inside)
    first_box = _scaled(_turned_back(first_share, fit.turn), first.size)
    second_box = _scaled(second_share, second.size)
    if agreement < MISPLACED:  # nothing to compare
        return Alignment(agreement, 0.0, BITS, 0.0, fit.turn, first_box, second_box)
    here = _part(turned(left_color, fit.turn), first_share)
    there = _part(right_color, second_share)
    distance = int((fingerprint(here).bits != fingerprint(there).bits).sum())
    return Alignment(agreement, _typical(here, there), distance, _tint(here, there), fit.turn, first_box, second_box)


def _part(image: Image.Image, share: Box) -> Image.Image:
    """Returns a part of the picture, cut out to a fraction of a pixel."""
    return image.resize((_CUT, _CUT), Image.Resampling.BILINEAR, box=_scaled(share, image.size))


def _typical(first: Image.Image, second: Image.Image) -> float:
    """Returns the correlation of the edges of two parts in the median block of those that have some."""
    both, here, there, kept = _blocks(
        *(_edges(np.asarray(part.convert("L").reduce(2), np.float32)) for part in (first, second))
    )
    strength = here + there
    lively = kept & (strength > _LIVELY * strength[kept].max())
    if not lively.any():
        return 0.0
    return float(np.median(both[lively] / (np.sqrt(here[lively] * there[lively]) + 1e-3)))


def _tint(first: Image.Image, second: Image.Image) -> float:
    """Returns how much the a* and b* of two parts differ, as a share of how colorful they are; NaN if one is gray."""
    size = (_TINTS, _TINTS)
    one, other = (to_lab(np.asarray(part.resize(size, Image.Resampling.BOX)))[..., 1:] for part in (first, second))
    chromas = [float(np.linalg.norm(colors, axis=-1).mean()) for colors in (one, other)]
    if min(chromas) < _GRAY:
        return 0.0 if max(chromas) < _GRAY else math.nan
    return float(np.abs(one - other).mean()) / (sum(chromas) / 2 + _COLORLESS)


def _reduced(image: Image.Image) -> Image.Image:
    small = image.convert("RGB")
    small.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE), Image.Resampling.BOX, reducing_gap=2.0)
    return small


def _turned_back(box: Box, turn: int) -> Box:
    """Returns a box of the turned picture, in shares of its sides, as a box of the picture before it was turned."""
    x1, y1, x2, y2 = box
    if turn >= 4:  # these swap the sides; undone, they are a swap followed by one of the first four
        x1, y1, x2, y2 = y1, x1, y2, x2
    is_mirrored = turn in (1, 3, 5, 7)
    is_upside_down = turn in (2, 3, 6, 7)
    if is_mirrored:
        x1, x2 = 1 - x2, 1 - x1
    if is_upside_down:
        y1, y2 = 1 - y2, 1 - y1
    return (x1, y1, x2, y2)


def _scaled(box: Box, size: tuple[int, int]) -> Box:
    width, height = size
    x1, y1, x2, y2 = (min(max(value, 0.0), 1.0) for value in box)
    return (x1 * width, y1 * height, x2 * width, y2 * height)


def _places(larger: Image.Image, smaller: Image.Image, side: int) -> list[tuple[float, _Place]]:
    """Returns the best place of the smaller picture in the larger for each of its sizes, best first.

    `side` is the longest, in pixels, at which they are looked for. Each with its correlation.
    """
    scale = side / max(larger.size)
    width, height = (max(_SMALLEST, round(side * scale)) for side in larger.size)
    ground = np.asarray(larger.resize((width, height), Image.Resampling.BOX), dtype=np.float32)
    ground = ground - ground.mean()
    fit = min(width / smaller.width, height / smaller.height)
    sizes = [(round(smaller.width * fit * size), round(smaller.height * fit * size)) for size in _SIZES]
    sizes = [size for size in dict.fromkeys(sizes) if min(size) >= _SMALLEST]
    if not sizes:
        return []
    patches = _patches(smaller, sizes, (height, width))
    products = np.fft.irfft2(np.fft.rfft2(ground) * np.conj(np.fft.rfft2(patches)), (height, width))
    sums, squares = _integral(ground), _integral(ground.astype(np.float64) ** 2)
    strengths = np.sqrt((patches**2).reshape(len(sizes), -1).sum(axis=1)) + 1e-3
    found: list[tuple[float, _Place]] = []
    for strength, product, (w, h) in zip(strengths, products, sizes, strict=True):
        total, energy = _window_sums(sums, w, h), _window_sums(squares, w, h)
        spread = np.sqrt(np.maximum(energy - total**2 / (w * h), 1.0)) * strength
        correlation = product[: height - h + 1, : width - w + 1] / spread
        y, x = divmod(int(correlation.argmax()), correlation.shape[1])
        found.append((float(correlation[y, x]), (x / width, y / height, w / width, h / height)))
    return sorted(found, reverse=True)


def _patches(image: Image.Image, sizes: Sequence[tuple[int, int]], shape: tuple[int, int]) -> NDArray[np.float32]:
    """Returns (n, *shape) float32: the picture in each size (width, height), without its mean, and zeros around it.

    All sizes are drawn on one sheet: handing a picture from Pillow to NumPy takes longer than resizing it.
    """
    height, width = shape
    sheet = Image.new("L", (width, height * len(sizes)))
    for place, size in enumerate(sizes):
        sheet.paste(image.resize(size, Image.Resampling.BOX), (0, place * height))
    pixels = np.asarray(sheet, dtype=np.float32).reshape(len(sizes), height, width)
    widths, heights = np.array(sizes).T[:, :, None]
    means = pixels.reshape(len(sizes), -1).sum(axis=1) / (widths * heights)[:, 0].astype(np.float32)
    is_inside = (np.arange(height) < heights)[:, :, None] & (np.arange(width) < widths)[:, None, :]
    patches: NDArray[np.float32] = (pixels - means[:, None, None]) * is_inside
    return patches


def _integral(values: NDArray[np.floating]) -> NDArray[np.float64]:
    table = np.zeros((values.shape[0] + 1, values.shape[1] + 1))
    table[1:, 1:] = values.cumsum(axis=0).cumsum(axis=1)
    return table


def _window_sums(table: NDArray[np.float64], width: int, height: int) -> NDArray[np.float64]:
    return table[height:, width:] - table[:-height, width:] - table[height:, :-width] + table[:-height, :-width]


class _Judge:
    """Compares the edges of the smaller picture with those at a place in the larger."""

    def __init__(self, fit: _Fit) -> None:
        self._larger = fit.larger
        shown = (*fit.smaller.size, fit.larger.width * fit.place[2], fit.larger.height * fit.place[3])
        side = round(min(max(min(shown), _FINE[0]), _FINE[1]))
        self._side = side - side % _BLOCKS
        small = fit.smaller.resize((self._side, self._side), Image.Resampling.BILINEAR)
        self._edges = _edges(np.asarray(small, dtype=np.float32))

    def agreement(self, place: _Place) -> float:
        """Returns the correlation of all edges."""
        edges = self._edges_at(place)
        return _correlation(edges * self._edges, edges**2, self._edges**2)

    def refine(self, place: _Place, agreement: float) -> tuple[float, _Place]:
        """Returns the agreement, forgiving of overlays, at the best place nearby, and that place."""
        if agreement < _HOPELESS:
            return agreement, place
        for step in _STEPS:
            agreement, place = self._climb(place, agreement, step)
        return self._forgiving(place), place

    def _climb(self, place: _Place, agreement: float, step: float) -> tuple[float, _Place]:
        is_better = True
        while is_better:
            is_better = False
            for move in _MOVES:
                x, y, width, height = place
                dx, dy, dw, dh = (part * step for part in move)
                moved = (x + dx * width, y + dy * height, width * (1 + dw), height * (1 + dh))
                if not _is_inside(moved):
                    continue
                score = self.agreement(moved)
                if score > agreement + 1e-4:
                    agreement, place, is_better = score, moved, True
        return agreement, place

    def _forgiving(self, place: _Place) -> float:
        """Returns the correlation without the blocks that disagree most: what was written or stuck on a copy."""
        both, here, there, kept = _blocks(self._edges_at(place), self._edges)
        return _correlation(both[kept], here[kept], there[kept])

    def _edges_at(self, place: _Place) -> NDArray[np.float32]:
        x, y, width, height = place
        w, h = self._larger.size
        box = (max(x * w, 0), max(y * h, 0), min((x + width) * w, w), min((y + height) * h, h))
        patch = self._larger.resize((self._side, self._side), Image.Resampling.BILINEAR, box=box)
        return _edges(np.asarray(patch, dtype=np.float32))


def _blocks(
    first: NDArray[np.float32], second: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]:
    """Returns by block, (64,) each, the product of two pictures' edges, their energies, and which blocks to keep.

    The first's edges are scaled to be as strong as the second's in all.
    """
    both, here, there = (_by_block(one) for one in (first * second, first**2, second**2))
    scale = np.sqrt(there.sum() / (here.sum() + 1e-6))
    both, here = both * scale, here * scale**2
    kept = np.ones(_BLOCKS**2, dtype=bool)
    kept[np.argsort(here + there - 2 * both)[-_FORGIVEN:]] = False
    return both, here, there, kept


def _by_block(edges: NDArray[np.float32]) -> NDArray[np.float32]:
    block = edges.shape[1] // _BLOCKS
    summed: NDArray[np.float32] = edges.sum(axis=0).reshape(_BLOCKS, block, _BLOCKS, block).sum(axis=(1, 3)).ravel()
    return summed


def _correlation(both: NDArray[np.float32], here: NDArray[np.float32], there: NDArray[np.float32]) -> float:
    return float(both.sum() / (np.sqrt(here.sum() * there.sum()) + 1e-3))


def _is_inside(place: _Place) -> bool:
    x, y, width, height = place
    slack = _STEPS[-1]
    return min(x, y) > -slack and max(x + width, y + height) < 1 + slack and min(width, height) > 0.2


def _edges(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns (2, side, side): how the picture brightens downward and to the right."""
    down, right = np.gradient(pixels)
    return np.stack([down, right])
