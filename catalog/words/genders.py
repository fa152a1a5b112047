"""Who a product is for: the words of queries and facets, and the values that the index has.

Feeds follow Google's `male`, `female` and `unisex` (catalog.feeds.cleaning); shoppers say "men" and "for my son".
"""

from collections.abc import Iterable

# What a shopper means -> what may be shown. Unisex things are for anyone; toddlers have no shelf of their own.
GENDERS: dict[str, tuple[str, ...]] = {
    "men": ("male", "unisex"),
    "women": ("female", "unisex"),
    "boys": ("boys", "kids"),
    "girls": ("girls", "kids"),
    "kids": ("kids", "boys", "girls"),
    "unisex": ("unisex",),
}
_WORDS = {"male": "men", "female": "women"}


def word_of(value: str) -> str:
    """Returns the word that stands for one of the index's values: `men` for `male`; words nobody listed stay."""
    return _WORDS.get(value.casefold(), value.casefold())


def values_of(words: Iterable[str]) -> tuple[str, ...]:
    """Returns the index's values that any of these words allows, each once; a feed's own value stands for itself."""
    values: dict[str, None] = {}
    for word in words:
        known = GENDERS.get(word_of(word))
        values.update(dict.fromkeys(known or (word.casefold(),)))
    return tuple(values)
