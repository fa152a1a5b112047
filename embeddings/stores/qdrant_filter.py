"""Our filter in a Qdrant server's words."""

from collections.abc import Sequence

from qdrant_client import models

from embeddings.types import Scalar, Where


def qdrant_filter(where: Where | None) -> models.Filter | None:
    """Returns the filter, or None when it has no condition. An empty `match` matches nothing."""
    if where is None:
        return None
    must: list[models.Condition] = [_any_of(field, values) for field, values in where.match.items()]
    must += [
        models.FieldCondition(key=field, range=models.Range(gte=low, lte=high))
        for field, (low, high) in where.within.items()
        if low is not None or high is not None
    ]
    must_not: list[models.Condition] = [_any_of(field, values) for field, values in where.reject.items() if values]
    if where.exclude:
        must_not.append(models.HasIdCondition(has_id=list(where.exclude)))
    return models.Filter(must=must, must_not=must_not) if must or must_not else None


def _any_of(field: str, values: Sequence[Scalar]) -> models.Condition:
    words = [value for value in values if isinstance(value, str)]
    numbers = [value for value in values if isinstance(value, int) and not isinstance(value, bool)]
    conditions: list[models.Condition] = [models.FieldCondition(key=field, match=models.MatchAny(any=words))]
    if numbers:
        conditions.append(models.FieldCondition(key=field, match=models.MatchAny(any=numbers)))
    for value in values:
        if isinstance(value, bool):
            conditions.append(models.FieldCondition(key=field, match=models.MatchValue(value=value)))
        elif isinstance(value, float):
            conditions.append(models.FieldCondition(key=field, range=models.Range(gte=value, lte=value)))
    return conditions[0] if len(conditions) == 1 else models.Filter(should=conditions)
