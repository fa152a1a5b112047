"""Connected components of a mask, run by run, in numpy alone: a few milliseconds for a picture of 400 pixels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Components:
    """(n,) of each: the box's sides (right and bottom are beyond it), pixels, runs; and (m,) of each run its component
    and where it begins and ends among all pixels, row by row."""

    left: Ints
    right: Ints
    top: Ints
    bottom: Ints
    area: Ints
    runs: Ints
    label: Ints
    start: Ints
    end: Ints

    def __len__(self) -> int:
        return len(self.area)

    def mean(self, values: NDArray[np.generic]) -> Floats:
        """Returns (n,): the mean of `values`, an array of the mask's shape, over each component."""
        if not len(self):
            return np.zeros(0)
        length = self.end - self.start
        at = np.cumsum(length) - length
        inside = values.ravel()[np.repeat(self.start - at, length) + np.arange(length.sum())].astype(np.float32)
        return np.asarray(np.bincount(self.label, np.add.reduceat(inside, at), len(self)) / self.area)


def components(mask: NDArray[np.bool_]) -> Components:
    """Returns what hangs together in the mask, corners too, by rising place of its first pixel."""
    height, width = mask.shape
    row_length = width + 2
    padded = np.zeros((height, row_length), np.int8)
    padded[:, 1:-1] = mask
    steps = np.diff(padded.ravel())
    starts, ends = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
    row = starts // row_length
    left = starts - row * row_length
    length = ends - starts
    _, label = np.unique(_roots(starts, ends, row_length), return_inverse=True)
    count = int(label.max()) + 1 if len(label) else 0
    lefts, tops = np.full(count, width), np.full(count, height)
    rights, bottoms = np.zeros(count, np.int64), np.zeros(count, np.int64)
    np.minimum.at(lefts, label, left)
    np.maximum.at(rights, label, left + length)
    np.minimum.at(tops, label, row)
    np.maximum.at(bottoms, label, row + 1)
    start = row * width + left
    return Components(
        left=lefts,
        right=rights,
        top=tops,
        bottom=bottoms,
        area=np.bincount(label, length, count).astype(np.int64),
        runs=np.bincount(label, minlength=count),
        label=label,
        start=start,
        end=start + length,
    )


def _roots(starts: Ints, ends: Ints, row_length: int) -> Ints:
    """Returns (m,): of each run the first run that it hangs together with."""
    first = np.searchsorted(ends, starts + row_length, "left")  # runs of the next row that touch this one
    last = np.searchsorted(starts, ends + row_length, "right")
    count = np.maximum(last - first, 0)
    upper = np.repeat(np.arange(len(starts)), count)
    lower = np.arange(len(upper)) - np.repeat(np.cumsum(count) - count, count) + np.repeat(first, count)
    root = np.arange(len(starts))
    while True:
        pairs = root[upper], root[lower]
        differ = pairs[0] != pairs[1]
        if not differ.any():
            return root
        np.minimum.at(root, np.maximum(*pairs)[differ], np.minimum(*pairs)[differ])
        while not np.array_equal(root, up := root[root]):
            root = up
