"""What one could narrow a search by, with counts.

Counted over the nearest products that the filters allow (one block, `finding.BLOCK`), not over the whole shop:
in a search by likeness everything matches a little, and what lies far off is no answer. Where a kind is filtered by
already, it is counted among the nearest without that filter, so that one sees what else there is. Categories without
any other filter tell how much the shop has of each.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from catalog.words.assortment import Assortment
from catalog.words.genders import word_of
from embeddings.types import Payload

# More choices than this are a list to search in, not a row to choose from.
MOST_VALUES = 20


@dataclass(frozen=True, slots=True)
class Count:
    value: str  # what the request's field takes
    label: str
    count: int


@dataclass(frozen=True, slots=True)
class PriceRange:
    """Of the currency that most of the products have; prices of others can't be compared."""

    low: float
    high: float
    currency: str


@dataclass(frozen=True, slots=True)
class Facets:
    category: tuple[Count, ...] = ()
    brand: tuple[Count, ...] = ()
    color: tuple[Count, ...] = ()
    merchant: tuple[Count, ...] = ()
    gender: tuple[Count, ...] = ()
    article_type: tuple[Count, ...] = ()
    pattern: tuple[Count, ...] = ()
    price: PriceRange | None = None
    in_stock: Mapping[str, int] = field(default_factory=lambda: {"true": 0, "false": 0})


# What is counted -> the payload's field.
FIELDS = {
    "category": "category",
    "brand": "brand",
    "color": "colors",
    "merchant": "merchant",
    "gender": "gender",
    "article_type": "article_type",
    "pattern": "pattern",
}


def facets_as_json(facets: Facets) -> dict[str, Any]:
    """Returns the facets as the API shows them."""
    kinds = {
        kind: [{"value": one.value, "label": one.label, "count": one.count} for one in getattr(facets, kind)]
        for kind in FIELDS
    }
    price = facets.price
    return {
        **kinds,
        "price": None if price is None else {"min": price.low, "max": price.high, "currency": price.currency},
        "in_stock": dict(facets.in_stock),
    }


def count_facets(
    nearest: Sequence[Payload],
    *,
    instead: Mapping[str, Sequence[Payload]],
    shop: Assortment,
    has_all_categories: bool,
) -> Facets:
    """Returns the facets of these products' payloads; kinds in `instead` are counted over its payloads.

    `has_all_categories` says that no filter is in use: then categories tell what the whole shop has of each.
    """
    counted = {kind: _count(instead.get(kind, nearest), field) for kind, field in FIELDS.items()}
    if has_all_categories:
        counted["category"] = Counter(shop.category_counts)
    stock = Counter(bool(payload.get("in_stock")) for payload in instead.get("in_stock", nearest))
    return Facets(
        category=_top(counted["category"], shop.category_names),
        brand=_top(counted["brand"], shop.brand_labels),
        color=_top(counted["color"], {}),
        merchant=_top(counted["merchant"], shop.merchant_names),
        gender=_top(counted["gender"], {}),
        article_type=_top(counted["article_type"], {}),
        pattern=_top(counted["pattern"], {}),
        price=_prices(instead.get("price", nearest)),
        in_stock={"true": stock[True], "false": stock[False]},
    )


def _count(payloads: Iterable[Payload], field: str) -> Counter[str]:
    counter: Counter[str] = Counter()
    for payload in payloads:
        held = payload.get(field)
        if isinstance(held, list):
            counter.update(str(one) for one in held)
        elif held:
            counter[str(held)] += 1
    if field != "gender":
        return counter
    words: Counter[str] = Counter()
    for value, count in counter.items():
        words[word_of(value)] += count
    return words


def _top(counter: Counter[str], labels: Mapping[str, str]) -> tuple[Count, ...]:
    ordered = sorted(counter.items(), key=lambda item: (-item[1], item[0]))[:MOST_VALUES]
    return tuple(
        Count(value, labels.get(value, value.replace("-", " ").capitalize()), count) for value, count in ordered
    )


def _prices(payloads: Iterable[Payload]) -> PriceRange | None:
    by_currency: dict[str, list[float]] = {}
    for payload in payloads:
        price = payload.get("price")
        if isinstance(price, int | float) and not isinstance(price, bool):
            by_currency.setdefault(str(payload.get("currency") or ""), []).append(float(price))
    if not by_currency:
        return None
    currency, prices = max(by_currency.items(), key=lambda item: len(item[1]))
    return PriceRange(min(prices), max(prices), currency)
