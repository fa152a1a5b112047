"""The facets of a found page: which questions they cost the store, and what is counted.

A plain search costs none: the block that was ranked is counted, and what the shop has of each category is known. Each
filter in use costs one question without it, and a category in use beside other filters one more.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from catalog.search.facets import Facets, count_facets
from catalog.search.finding import Finder, Page
from catalog.search.questions import Filters
from catalog.search.ranking import candidates
from catalog.search.understanding import Query
from catalog.words.assortment import assortment
from embeddings.types import Hit, Payload

# What to clear of the filters so that one kind is open again.
_OPENED: dict[str, dict[str, Any]] = {
    "brand": {"brands": (), "excluded_brands": ()},
    "color": {"colors": (), "excluded_colors": ()},
    "merchant": {"merchants": ()},
    "gender": {"genders": ()},
    "pattern": {"patterns": (), "excluded_patterns": ()},
    "article_type": {"article_types": (), "excluded_article_types": ()},
    "price": {"price_min": None, "price_max": None, "currency": None},
    "in_stock": {"in_stock": None},
}


def facets_of(query: Query, finder: Finder, page: Page, *, category: str | None, is_bound: bool = False) -> Facets:
    """Returns what one could narrow this page by. `category` is the one applied.

    `is_bound` says that the search may show no merchants but those it is filtered by: no others are counted.
    """
    filters = query.words.filters
    instead: dict[str, list[Payload]] = {}
    if category is not None and filters != Filters():
        instead["category"] = _products(finder.hits(filters.where(None, query.exclude)))
    for kind, cleared in _OPENED.items():
        opened = filters if is_bound and kind == "merchant" else replace(filters, **cleared)
        if opened != filters:
            instead[kind] = _products(finder.hits(opened.where(category, query.exclude)))
    nearest = [one.payload for one in page.nearest]
    whole = filters == Filters()
    return count_facets(nearest, instead=instead, shop=assortment(), has_all_categories=whole)


def _products(hits: Sequence[Hit]) -> list[Payload]:
    """Returns one payload for each product."""
    return [one.payload for one in candidates(hits, bands=None)]
