"""Fits one attribute's head: multinomial logistic regression on unit embeddings, then a temperature.

The ridge and the temperature are chosen on products that train nothing, by their log likelihood, so that a confidence
of .8 is right four times out of five. Source: Guo et al., "On Calibration of Modern Neural Networks", 2017.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from embeddings.attributes import Head

RIDGES = (1e-1, 3e-2, 1e-2, 3e-3, 1e-3)  # falling: each starts where the former ended, which saves two steps of three
TEMPERATURES = np.geomspace(0.4, 2.5, 41)
STEPS = 80
BINS = 10

Rows = NDArray[np.float32]
Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Fitted:
    """A head and how it was made."""

    head: Head
    ridge: float
    temperature: float
    error_before: float  # expected calibration error on the calibration rows, without the temperature
    error_after: float


def fit(values: tuple[str, ...], train: tuple[Rows, Indices], calibration: tuple[Rows, Indices]) -> Fitted:
    """Returns the head of (n, dim) rows and their values' indices, all ≥ 0."""
    fitted, start = [], (np.zeros((len(values), train[0].shape[1]), np.float32), np.zeros(len(values), np.float32))
    for ridge in RIDGES:
        start = _regression(*train, start=start, ridge=ridge)
        fitted.append((ridge, start))
    rows, truth = calibration
    ridge, (weight, bias) = min(fitted, key=lambda one: _loss(rows @ one[1][0].T + one[1][1], truth))
    logits = rows @ weight.T + bias
    temperature = float(min(TEMPERATURES, key=lambda t: _loss(logits / t, truth)))
    head = Head(values, weight / np.float32(temperature), bias / np.float32(temperature))
    return Fitted(
        head, ridge, temperature,
        error_before=calibration_error(Head(values, weight, bias)(rows), truth),
        error_after=calibration_error(head(rows), truth),
    )  # fmt: skip


def calibration_error(confidences: NDArray[np.floating], truth: Indices) -> float:
    """Returns the mean distance, over ten bins, between the confidence of the best value and how often it is right."""
    if not len(truth):
        return 0.0
    best = confidences.max(axis=1)
    right = confidences.argmax(axis=1) == truth
    bins = np.minimum((best * BINS).astype(int), BINS - 1)
    parts = [(bins == i).sum() * abs(best[bins == i].mean() - right[bins == i].mean()) for i in np.unique(bins)]
    return float(np.sum(parts) / len(truth))


def _regression(rows: Rows, truth: Indices, *, start: tuple[Rows, Rows], ridge: float) -> tuple[Rows, Rows]:
    """Returns weight (classes, dim) and bias (classes,), for rows as they are."""
    scale = float(np.sqrt(rows.shape[1]))  # unit rows have entries of 1 / sqrt(dim): the ridge is for entries of one
    x, y = torch.from_numpy(rows * np.float32(scale)), torch.from_numpy(truth)
    weight = torch.from_numpy(start[0] / np.float32(scale)).requires_grad_()
    bias = torch.from_numpy(start[1].copy()).requires_grad_()
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=STEPS, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(x @ weight.T + bias, y) + ridge * (weight**2).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    return weight.detach().numpy() * np.float32(scale), bias.detach().numpy()


def _loss(logits: NDArray[np.floating], truth: Indices) -> float:
    """Returns the mean negative log likelihood."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    return float((np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(truth)), truth]).mean())
