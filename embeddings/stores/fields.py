"""Payload fields that every store indexes, so that a filtered query reads no payload from disk."""

from typing import Final, Literal

FieldKind = Literal["keyword", "float", "bool"]

# A filter on any other field works too, but reads every payload: 44 ms for 50,000 points instead of about 1.
INDEXED_FIELDS: Final[dict[str, FieldKind]] = {
    "category": "keyword",
    "merchant": "keyword",
    "brand": "keyword",
    "colors": "keyword",
    "gender": "keyword",
    "article_type": "keyword",
    "pattern": "keyword",
    "price": "float",
    "in_stock": "bool",
}
