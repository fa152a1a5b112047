"""How alike one palette and many others look, at once: `embeddings.color.color_similarity` for a page of candidates."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from embeddings.lab import difference

Palette = tuple[tuple[float, float, float, float], ...]  # L, a, b and share of each dominant color

# CIEDE2000 from which two colors have nothing in common, as in `embeddings.color`.
_UNLIKE = 40.0


def likeness(palette: Palette, others: Sequence[Palette]) -> NDArray[np.float64]:
    """Returns (n,) how alike the palette and each other one look, in [0, 1]; NaN where either is empty.

    Shares are matched to shares, nearest colors first, as `color_similarity` does for two.
    """
    result = np.full(len(others), np.nan)
    rows = [row for row, other in enumerate(others) if other]
    if not palette or not rows:
        return result
    width = max(len(others[row]) for row in rows)
    colors = np.zeros((len(rows), width, 4))
    for place, row in enumerate(rows):
        colors[place, : len(others[row])] = others[row]
    own = np.array(palette, dtype=np.float64)
    far = difference(own[:, :3], colors[..., :3].reshape(-1, 3)).reshape(len(own), len(rows), width)
    gaps = np.minimum(far.transpose(1, 0, 2) / _UNLIKE, 1.0).reshape(len(rows), -1)
    left = np.tile(own[:, 3] / own[:, 3].sum(), (len(rows), 1))
    right = colors[..., 3] / np.maximum(colors[..., 3].sum(axis=1, keepdims=True), 1e-9)
    at = np.arange(len(rows))
    distance = np.zeros(len(rows))
    for pair in np.argsort(gaps, axis=1, kind="stable").T:
        i, j = np.divmod(pair, width)
        moved = np.minimum(left[at, i], right[at, j])
        left[at, i] -= moved
        right[at, j] -= moved
        distance += moved * gaps[at, pair]
    result[rows] = np.clip(1.0 - distance, 0.0, 1.0)
    return result
