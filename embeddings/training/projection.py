"""The image tower's projection, learned in closed form from features of the frozen trunk.

A pretrained trunk spends most of its variance on what all fashion pictures share, and much of the rest on what differs
between two pictures of one product: side, framing, light, background. `whitening` evens out the first (Jégou and Chum,
"Negative evidences and co-occurrences in image retrieval", 2012); `discriminant` also divides by the second, learned
from pairs (Mikolajczyk and Matas, "Improving descriptors for fast tree matching by optimal linear projection", 2007).
Neither can forget what the trunk knows, which is what a short training of everything does.
"""

from collections.abc import Sequence
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
    return _scaled(weight, data - mean, mean)


def within(groups: NDArray[np.floating]) -> NDArray[np.float64]:
    """Returns the covariance (features, features) within groups, of (n, pictures, features): n times the same thing."""
    data = groups.astype(np.float32)
    centered = (data - data.mean(axis=1, keepdims=True)).reshape(-1, data.shape[-1])
    return np.asarray(centered.T @ centered / len(centered), np.float64)


def discriminant(
    features: NDArray[np.floating],
    noises: Sequence[tuple[float, NDArray[np.float64]]],
    *,
    dim: int,
    total: float,
    ridge: float,
) -> Projection:
    """Returns the directions that tell products apart best for how much pictures of one product differ in them.

    `features` (n, features) is the catalog; `noises` are weights and covariances `within` groups. The noise is their
    sum plus `total` times the covariance of the catalog plus `ridge` times the identity, all scaled to trace 1: what
    few pairs can't say is left as whitening and as the trunk have it.
    """
    data = features.astype(np.float64)
    mean = data.mean(axis=0)
    spread = np.cov((data - mean).T)
    noise = total * spread / np.trace(spread) + ridge * np.eye(len(spread)) / len(spread)
    for weight, covariance in noises:
        noise += weight * covariance / np.trace(covariance)
    sizes, directions = np.linalg.eigh(noise)
    even = (directions / np.sqrt(sizes)).T
    _, best = np.linalg.eigh(even @ spread @ even.T)
    return _scaled(best[:, ::-1][:, :dim].T @ even, data - mean, mean)


def _scaled(weight: NDArray[np.float64], centered: NDArray[np.float64], mean: NDArray[np.float64]) -> Projection:
    """Makes embeddings of about unit length before they are normalized, so that FP16 weights lose nothing."""
    weight = weight / np.linalg.norm(centered @ weight.T, axis=1).mean()
    return Projection(weight.astype(np.float32), (-weight @ mean).astype(np.float32))
