"""Payload fields that every store indexes, so that a filtered query reads no payload from disk."""

from typing import Final, Literal

FieldKind = Literal["keyword", "float", "bool"]

# A filter on any other field works too, but reads every payload.
INDEXED_FIELDS: Final[dict[str, FieldKind]] = {
    "category": "keyword",
    "merchant": "keyword",
    "brand": "keyword",
    "colors": "keyword",
    "price": "float",
    "in_stock": "bool",
}
