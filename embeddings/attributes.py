"""What an embedding says of its product: gender, article type, colors and pattern, each with a calibrated confidence.

Linear heads on the finished embedding, in numpy alone: they cost microseconds and no second look at the picture, and
whatever has been indexed already can be told apart without embedding it again. They lie in the folder `attributes`
beside the encoder's card, with a card of their own, so that the encoder's fingerprint doesn't change with them.
`embeddings.training.attributes` trains them.
"""

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embeddings import encoder
from shop_search.errors import ServiceError
from shop_search.model_card import ModelCard

CARD = Path("attributes") / "card.json"  # beside the encoder's own card
OTHER = "other"  # what the article type head calls the types it has seen too little of
LEAST_CONFIDENCE = 0.5  # confidences are calibrated: from here on, a guess is more often right than wrong
LEAST_COLOR = 0.25  # a product has several colors, and their confidences share the one
MOST_COLORS = 3


@dataclass(frozen=True, slots=True)
class Guess:
    """A value, and how likely it is right, in [0, 1]."""

    value: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Attributes:
    """What is known of one product. None, and no colors, where nothing is sure enough."""

    gender: Guess | None = None  # men, women, boys, girls, unisex
    article_type: Guess | None = None  # finer than a category: "casual shoes", "handbags"
    colors: tuple[Guess, ...] = ()  # of embeddings.color_names.NAMES, by falling confidence
    pattern: Guess | None = None  # plain, striped, checked, printed; of clothes only


@dataclass(frozen=True, slots=True)
class Head:
    """One attribute's linear map. Its temperature is already in the numbers."""

    values: tuple[str, ...]
    weight: NDArray[np.float32]  # (values, dim)
    bias: NDArray[np.float32]  # (values,)

    def __call__(self, embeddings: NDArray[np.floating]) -> NDArray[np.float32]:
        """Returns (n, values) confidences; rows sum to 1."""
        logits = embeddings.astype(np.float32) @ self.weight.T + self.bias
        made = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(made / made.sum(axis=1, keepdims=True), np.float32)


@dataclass(frozen=True, slots=True)
class Heads:
    """All heads of one encoder."""

    gender: Head
    article_type: Head
    color: Head
    pattern: Head
    patterned: frozenset[str]  # the article types whose pattern can be told

    def __call__(self, embeddings: NDArray[np.floating]) -> list[Attributes]:
        """Returns one row's attributes each, of (n, dim) unit rows."""
        if not len(embeddings):
            return []
        types = _surest(self.article_type, embeddings)
        rows = zip(
            _surest(self.gender, embeddings), types, _colors(self.color, embeddings), _surest(self.pattern, embeddings),
            strict=True,
        )  # fmt: skip
        return [
            Attributes(
                gender=gender,
                article_type=None if kind is None or kind.value == OTHER else kind,
                colors=colors,
                pattern=pattern if kind is not None and kind.value in self.patterned else None,
            )
            for gender, kind, colors, pattern in rows
        ]


def attributes(embeddings: NDArray[np.floating]) -> list[Attributes]:
    """Returns what the configured encoder's (n, dim) unit rows say, in their order.

    With an encoder that has no heads nothing is known of any row. Raises ServiceError when its heads can't be read.
    """
    heads = heads_of(encoder().card)
    return [Attributes()] * len(embeddings) if heads is None else heads(embeddings)


def article_types() -> tuple[str, ...]:
    """Returns the article types that the configured encoder's heads tell apart; none where it has no heads.

    Raises ServiceError when they can't be read.
    """
    heads = heads_of(encoder().card)
    return () if heads is None else tuple(value for value in heads.article_type.values if value != OTHER)


def heads_of(card: ModelCard) -> Heads | None:
    """Returns the heads beside an encoder's card, None where there are none.

    Raises ServiceError when they are damaged, or were trained on another encoder's embeddings.
    """
    path = card.folder / CARD
    return _load(path, card.fingerprint, card.dim) if path.is_file() else None


@lru_cache(maxsize=4)
def _load(path: Path, fingerprint: str, dim: int) -> Heads:
    card = ModelCard.load(path)
    facts = card.preprocessing
    if card.kind != "attributes" or facts.get("encoder") != fingerprint:
        raise ServiceError(
            "attributes_of_another_encoder",
            f"{path} is of the encoder {facts.get('encoder')}, not {fingerprint}. Run train_attributes, or remove it.",
        )
    try:
        with np.load(card.path("heads"), allow_pickle=False) as arrays:
            heads = {name: _head(name, facts["values"][name], arrays, dim) for name in facts["values"]}
        return Heads(**heads, patterned=frozenset(facts["patterned"]))
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise ServiceError("attributes_unreadable", f"Can't read the heads of {path}: {error!r}") from error


def _head(name: str, values: Sequence[str], arrays: Mapping[str, NDArray[np.floating]], dim: int) -> Head:
    weight = np.asarray(arrays[f"{name}.weight"], np.float32)
    bias = np.asarray(arrays[f"{name}.bias"], np.float32)
    if weight.shape != (len(values), dim) or bias.shape != (len(values),):
        raise ValueError(f"{name} has {weight.shape} and {bias.shape}, not {(len(values), dim)} and {(len(values),)}")
    return Head(tuple(values), weight, bias)


def _surest(head: Head, embeddings: NDArray[np.floating]) -> list[Guess | None]:
    made = head(embeddings)
    return [
        Guess(head.values[best], float(row[best])) if row[best] >= LEAST_CONFIDENCE else None
        for row, best in zip(made, made.argmax(axis=1), strict=True)
    ]


def _colors(head: Head, embeddings: NDArray[np.floating]) -> list[tuple[Guess, ...]]:
    made = head(embeddings)
    return [
        tuple(Guess(head.values[i], float(row[i])) for i in np.argsort(-row)[:MOST_COLORS] if row[i] >= LEAST_COLOR)
        for row in made
    ]
