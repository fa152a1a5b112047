"""PDQ: 256 bits that stay nearly the same when a picture is resized, recompressed, recolored or written on.

Source: "The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing Algorithm", Facebook, 2019. One step differs:
the picture is reduced by Pillow's triangle filter, not by box filters and picking pixels. On catalog pictures of a few
hundred pixels picking aliases, and copies are lost: at equal precision our bits find half as many again
(`benchmarks/copies.py`). So the bits are not for comparing with fingerprints that other programs made.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Bits = NDArray[np.bool_]

BITS = 256
# Below this, a picture is too even for its bits to mean anything. PDQ's authors discard 49 and less; packshots on white
# have less to see than photos: of 517, 7 are below 50, and their copies are as near to them as those of others.
LEAST_QUALITY = 10
_KEPT = 16  # lowest frequencies along each side, without the constant one
_GRID = 64
_SPARE = 4  # pixels of each cell of the grid that are enough for the triangle filter
# The ways to turn a picture, in the order of `dihedral_fingerprints`.
_TURNS = (
    None,
    Image.Transpose.FLIP_LEFT_RIGHT,
    Image.Transpose.FLIP_TOP_BOTTOM,
    Image.Transpose.ROTATE_180,
    Image.Transpose.TRANSPOSE,
    Image.Transpose.ROTATE_90,
    Image.Transpose.ROTATE_270,
    Image.Transpose.TRANSVERSE,
)
TURNS = range(len(_TURNS))
AS_IS, MIRRORED = 0, 1


@dataclass(frozen=True, slots=True, eq=False)
class Fingerprint:
    """One picture's bits. `quality` in [0, 100] says how much there is to see in it."""

    bits: Bits  # (256,)
    quality: int

    @property
    def is_usable(self) -> bool:
        """Says whether the bits tell this picture from others. An even one has bits too, but any noise turns them."""
        return self.quality >= LEAST_QUALITY

    @property
    def vector(self) -> NDArray[np.float32]:
        """(256,) float32 of unit length, for the vector store."""
        return as_vector(self.bits)


def fingerprint(image: Image.Image) -> Fingerprint:
    """Returns the fingerprint of an upright picture."""
    grid = _luma_grid(image)
    return Fingerprint(_bits(_DCT @ grid @ _DCT.T), _quality(grid))


def dihedral_fingerprints(image: Image.Image) -> tuple[Fingerprint, ...]:
    """Returns the fingerprints of the picture turned and mirrored in all 8 ways, by `TURNS`, the picture itself first.

    Searching the store with each finds mirrored and turned copies, so only one needs to be stored. All are had from one
    transform: mirroring negates every other frequency, turning swaps rows and columns.
    """
    grid = _luma_grid(image)
    quality = _quality(grid)
    waves = _DCT @ grid @ _DCT.T
    mirrored = [waves, waves * _FLIP, waves * _FLIP[:, None], waves * _FLIP * _FLIP[:, None]]
    return tuple(Fingerprint(_bits(one), quality) for one in [*mirrored, *(one.T for one in mirrored)])


def turned(image: Image.Image, turn: int) -> Image.Image:
    """Returns the picture turned or mirrored in one of `TURNS` ways."""
    way = _TURNS[turn]
    return image if way is None else image.transpose(way)


def as_vector(bits: Bits) -> NDArray[np.float32]:
    """Returns (..., 256) float32 of +-1/16, unit rows: their dot product tells the Hamming distance."""
    return np.where(bits, 1 / 16, -1 / 16).astype(np.float32)


def as_bits(vector: NDArray[np.floating]) -> Bits:
    """Returns the (..., 256) bits of vectors made by `as_vector`."""
    return np.asarray(vector) > 0


def distance_of(score: float) -> int:
    """Returns the Hamming distance, 0 to 256, that a dot product of two such vectors stands for."""
    return round(BITS / 2 * (1 - score))


def score_of(distance: int) -> float:
    """Returns the dot product, -1 to 1, of two such vectors whose bits differ in `distance` places."""
    return 1 - 2 * distance / BITS


def _luma_grid(image: Image.Image) -> NDArray[np.float32]:
    """Returns (64, 64) float32: the picture's luma, in [0, 255]."""
    gray = image.convert("L")
    factor = min(gray.size) // (_GRID * _SPARE)
    if factor > 1:  # averages blocks, which the triangle filter does a third as fast; hardly a bit turns
        gray = gray.reduce(factor)
    small = gray.convert("F").resize((_GRID, _GRID), Image.Resampling.BILINEAR)
    return np.asarray(small, dtype=np.float32)


def _quality(grid: NDArray[np.float32]) -> int:
    """Returns the reference's heuristic: how many steps of brightness there are between neighbors."""
    steps = [np.abs(np.trunc(np.diff(grid, axis=axis) * 100 / 255)).sum() for axis in (0, 1)]
    return min(100, int(sum(steps)) // 90)


def _bits(waves: NDArray[np.floating]) -> Bits:
    """Returns which frequencies exceed the lower median, from the first row on."""
    flat = waves.ravel()
    bits: Bits = flat > np.partition(flat, BITS // 2 - 1)[BITS // 2 - 1]
    return bits


def _cosines() -> NDArray[np.float32]:
    frequency, at = np.arange(1, _KEPT + 1)[:, None], 2 * np.arange(_GRID) + 1
    cosines: NDArray[np.float32] = (np.sqrt(2 / _GRID) * np.cos(np.pi / (2 * _GRID) * frequency * at)).astype(
        np.float32
    )
    return cosines


_DCT = _cosines()
# Mirroring a line negates its odd frequencies, which are at even places because the constant one is left out.
_FLIP = np.where(np.arange(_KEPT) % 2, 1.0, -1.0).astype(np.float32)
