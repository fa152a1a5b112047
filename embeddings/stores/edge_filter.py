"""Our filter in Qdrant Edge's words."""

from __future__ import annotations  # edge.ConditionType is in the type stub only

from collections.abc import Sequence

import numpy as np
import qdrant_edge as edge

from embeddings.types import Scalar, Where


def edge_filter(where: Where | None) -> edge.Filter | None:
    """Returns the filter, or None when it has no condition. An empty `match` matches nothing."""
    if where is None:
        return None
    must: list[edge.ConditionType] = [_any_of(field, values) for field, values in where.match.items()]
    must += [
        edge.FieldCondition(key=field, range=edge.RangeFloat(gte=low, lte=high))
        for field, (low, high) in where.within.items()
        if low is not None or high is not None
    ]
    must_not: list[edge.ConditionType] = [_any_of(field, values) for field, values in where.reject.items() if values]
    if where.exclude:
        must_not.append(edge.HasIdCondition(set(where.exclude)))
    return edge.Filter(must=must, must_not=must_not) if must or must_not else None


def _any_of(field: str, values: Sequence[Scalar]) -> edge.ConditionType:
    words = [value for value in values if isinstance(value, str)]
    numbers = [value for value in values if isinstance(value, int) and not isinstance(value, bool)]
    conditions: list[edge.ConditionType] = [edge.FieldCondition(key=field, match=edge.MatchAny(words))]
    if numbers:
        conditions.append(edge.FieldCondition(key=field, match=edge.MatchAny(numbers)))
    for value in values:
        if isinstance(value, bool):
            # qdrant-edge-py 0.9.0 takes Python's True for the integer 1, which no boolean equals. NumPy's it knows.
            match = edge.MatchValue(np.bool_(value))  # type: ignore[arg-type]
            conditions.append(edge.FieldCondition(key=field, match=match))
        elif isinstance(value, float):
            conditions.append(edge.FieldCondition(key=field, range=edge.RangeFloat(gte=value, lte=value)))
    return conditions[0] if len(conditions) == 1 else edge.Filter(should=conditions)
