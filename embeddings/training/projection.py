"""The image tower's projection, started so that the model is the pretrained trunk seen through whitened features.

A pretrained trunk spends most of its variance on what all fashion pictures share. Whitening divides each principal
direction by its deviation to the power `alpha`: 0 is plain PCA, 1 is full whitening. Source: Jégou and Chum, "Negative
evidences and co-occurrences in image retrieval", 2012.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Projection:
    """An affine map from features to embeddings, before they are made unit vectors."""

    weight: NDArray[np.float32]  # (dim, features)
    bias: NDArray[np.float32]  # (dim,)

    def __call__(self, features: NDArray[np.floating]) -> NDArray[np.float32]:
        """Returns (..., dim) float32, unit rows, of (..., features)."""
        made = features.astype(np.float32) @ self.weight.T + self.bias
        unit: NDArray[np.float32] = made / np.maximum(np.linalg.norm(made, axis=-1, keepdims=True), 1e-9)
        return unit


def whitening(features: NDArray[np.floating], *, dim: int, alpha: float) -> Projection:
    """Returns the projection learned from (n, features): the first `dim` principal directions, partly whitened."""
    data = features.astype(np.float64)
    mean = data.mean(axis=0)
    variances, directions = np.linalg.eigh(np.cov((data - mean).T))
    order = np.argsort(variances)[::-1][:dim]
    weight = (directions[:, order] / np.maximum(variances[order], 1e-12) ** (alpha / 2)).T
    # Embeddings of about unit length before normalizing, so that FP16 weights lose nothing.
    weight /= np.linalg.norm((data - mean) @ weight.T, axis=1).mean()
    return Projection(weight.astype(np.float32), (-weight @ mean).astype(np.float32))
