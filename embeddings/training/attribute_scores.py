"""How good the heads are on products that they never saw, as numbers for the card."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embeddings.attributes import LEAST_CONFIDENCE, OTHER, Head
from embeddings.measures import mean
from embeddings.training.attribute_heads import Fitted, calibration_error

Rows = NDArray[np.float32]
Told = tuple[Rows, NDArray[np.intp]]  # embeddings and the indices of their values


def score(head: Head, told: Told) -> dict[str, Any]:
    """Returns accuracy with its interval, precision and recall of what is served, per value, and calibration error.

    Served is what is sure enough and not `OTHER`; recall is of all that isn't `OTHER`.
    """
    rows, truth = told
    confidences = head(rows)
    said = confidences.argmax(axis=1)
    named = np.array([value != OTHER for value in head.values])
    served = (confidences.max(axis=1) >= LEAST_CONFIDENCE) & named[said]
    hits = served & (said == truth)
    accuracy = mean([float(one) for one in said == truth])
    values = {
        value: {
            "n": int((truth == index).sum()),
            "precision": _share(hits & (said == index), served & (said == index)),
            "recall": _share(hits & (truth == index), truth == index),
        }
        for index, value in enumerate(head.values)
        if named[index] and (truth == index).any()
    }
    return {
        "n": len(truth),
        "accuracy": {"value": rounded(accuracy.value), "low": rounded(accuracy.low), "high": rounded(accuracy.high)},
        "served": {
            "confidence": LEAST_CONFIDENCE,
            "share": _share(served, np.ones(len(truth), bool)),
            "precision": _share(hits, served),
            "recall": _share(hits, named[truth]),
        },
        "calibration_error": rounded(calibration_error(confidences, truth)),
        "values": values,
    }


def measure(heads: Mapping[str, Fitted], held_out: Mapping[str, Mapping[str, Told]]) -> dict[str, Any]:
    """Returns each attribute's scores by what was photographed: `held_out` is by attribute, then by that."""
    return {
        name: {where: score(fitted.head, told) for where, told in held_out[name].items()}
        for name, fitted in heads.items()
    }


def _share(part: NDArray[np.bool_], whole: NDArray[np.bool_]) -> float | None:
    return rounded(part.sum() / whole.sum()) if whole.any() else None


def rounded(value: float) -> float:
    """Returns the number as cards have it."""
    return round(float(value), 4)
