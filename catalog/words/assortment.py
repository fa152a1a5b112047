"""What this shop sells in sum: its brands, genders, currencies, merchants, and how much there is of each category.

Read from the database at most once in `FRESH_S` seconds, because a search must not wait for a scan of all products.
"""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Count

from catalog.models import Category, Merchant, Product
from catalog.taxonomy import taxonomy
from catalog.words.category_vocabulary import SLUG_OF
from catalog.words.category_words import OTHER, singular
from catalog.words.genders import word_of

# Distinct brands of 50,000 products take 20 ms; a new brand may wait a minute to be understood in a query.
FRESH_S = 60.0


@dataclass(frozen=True, slots=True)
class Assortment:
    """The shop's own words."""

    brands: frozenset[str]  # as the feeds spell them
    brand_labels: Mapping[str, str]  # casefolded, as the index has them -> as a feed spells them
    genders: frozenset[str]  # of genders.GENDERS
    currencies: frozenset[str]  # ISO 4217
    category_words: Mapping[str, str]  # singular words of the shop's own categories -> slug
    category_names: Mapping[str, str]  # slug -> name, of all categories
    category_counts: Mapping[str, int]  # slug -> products, of those in which something is sold
    merchant_names: Mapping[str, str]  # slug -> name

    def category_of(self, phrase: str) -> str | None:
        """Returns the slug that a lower-case phrase names, sold here or not, or None for no category."""
        word, names = singular(phrase), taxonomy()
        slug = names.words.get(word) or self.category_words.get(word) or SLUG_OF.get(word) or SLUG_OF.get(phrase)
        return None if slug is None or slug == OTHER else names.slug_of(slug)


def assortment() -> Assortment:
    """Returns what the shop sells, at most `FRESH_S` seconds old."""
    with _lock:
        if _kept and time.monotonic() < _kept[0][0]:
            return _kept[0][1]
    read = _read()
    with _lock:
        _kept[:] = [(time.monotonic() + FRESH_S, read)]
    return read


def forget() -> None:
    """Makes the next call read the database again."""
    with _lock:
        _kept.clear()


_lock = threading.Lock()
_kept: list[tuple[float, Assortment]] = []


def _read() -> Assortment:
    shown = Product.objects.shown().order_by()
    brands = frozenset(shown.exclude(brand="").values_list("brand", flat=True).distinct())
    genders = shown.exclude(gender="").values_list("gender", flat=True).distinct()
    names = dict(Category.objects.values_list("slug", "name"))
    return Assortment(
        brands=brands,
        brand_labels={brand.casefold(): brand for brand in sorted(brands, reverse=True)},
        genders=frozenset(word_of(gender) for gender in genders),
        currencies=frozenset(shown.exclude(currency="").values_list("currency", flat=True).distinct()),
        category_words={singular(word): slug for slug, name in names.items() for word in (_words(slug), _words(name))},
        category_names=names,
        category_counts=dict(shown.values_list("category__slug").annotate(count=Count("pk"))),
        merchant_names=dict(Merchant.objects.values_list("slug", "name")),
    )


def _words(text: str) -> str:
    return " ".join(text.replace("-", " ").casefold().split())
