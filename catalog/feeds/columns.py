"""The columns of a feed: Google Merchant's names, the names others give them, and which header was taken for which."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shop_search.errors import InputError

REQUIRED = ("id", "title", "image_link")

# Our column -> other names for it, in order of preference. Our own name always comes first.
_ALIASES: dict[str, str] = {
    "id": "sku offer_id product_id item_id article_id article_number item_number product_code",
    "title": "name product_name product_title item_name",
    "description": "body_html body desc long_description product_description",
    "link": "url product_url product_link permalink",
    "image_link": "image image_url image_src image_file picture photo img main_image filename",
    "additional_image_link": "additional_image_links additional_images extra_images more_images",
    "price": "regular_price unit_price amount",
    "sale_price": "special_price discount_price",
    "currency": "currency_code price_currency",
    "availability": "stock_status in_stock stock quantity inventory",
    "brand": "vendor manufacturer designer",
    "color": "colour colors colours",
    "gender": "sex",
    "product_type": "product_types category categories product_category type department",
    "google_product_category": "google_category google_taxonomy",
    "gtin": "ean barcode upc",
    "item_group_id": "item_group group_id parent_id parent_sku",
}
COLUMNS = tuple(_ALIASES)


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """Which header was taken for which of our columns."""

    header: tuple[str, ...]
    places: Mapping[str, tuple[int, ...]]  # our column -> where its cells are; an additional image may have several
    unknown: tuple[str, ...]  # headers that nothing was taken from
    late: frozenset[str] = frozenset()  # columns that no row has shown yet but a later one may

    def name(self, column: str) -> str:
        """Returns what the feed calls our column."""
        return self.header[self.places[column][0]] if column in self.places else column

    @property
    def used(self) -> dict[str, str]:
        """Returns our column -> the feed's header, for people to check."""
        return {column: self.name(column) for column in COLUMNS if column in self.places and column not in self.late}

    def pick(self, cells: Sequence[str]) -> dict[str, str]:
        """Returns a record's cells by our columns; several cells of one column are joined by commas."""
        return {
            column: cells[places[0]] if len(places) == 1 else ",".join(cells[place] for place in places)
            for column, places in self.places.items()
        }


def map_columns(header: Sequence[str], wanted: Mapping[str, str] | None = None) -> ColumnMap:
    """Returns which header is taken for which column: `wanted` (ours -> the feed's) first, then names, then aliases.

    Raises InputError `column_unknown`, `column_missing` or `columns_missing`; each says what the feed has.
    """
    found = match_columns(header, wanted)
    missing = [column for column in REQUIRED if column not in found.places]
    if missing:
        raise InputError(
            "columns_missing",
            f"No column of the feed was taken for {' and '.join(missing)}; it has: {listed_columns(header)}. "
            f"Say which to use, like {missing[0]}=<column> (on the command line: --column {missing[0]}=<column>).",
        )
    return found


def match_columns(header: Sequence[str], wanted: Mapping[str, str] | None = None) -> ColumnMap:
    """Returns the same, whether or not all that is needed is there. Raises `column_unknown` or `column_missing`."""
    names = [normal_name(name) for name in header]
    places: dict[str, tuple[int, ...]] = {}
    for ours, theirs in (wanted or {}).items():
        if ours not in COLUMNS:
            raise InputError("column_unknown", f"{ours!r} is none of our columns, which are: {', '.join(COLUMNS)}.")
        found = _find(names, normal_name(theirs))
        if not found:
            raise InputError("column_missing", f"The feed has no column {theirs!r}; it has: {listed_columns(header)}.")
        places[ours] = found
    taken = {place for found in places.values() for place in found}
    for rank in range(max(len(_candidates(column)) for column in COLUMNS)):
        for column in COLUMNS:
            candidates = _candidates(column)
            if column in places or rank >= len(candidates):
                continue
            found = tuple(place for place in _find(names, candidates[rank]) if place not in taken)
            if found:
                places[column] = found if column == "additional_image_link" else found[:1]
                taken.update(places[column])
    unknown = tuple(name.strip() for place, name in enumerate(header) if place not in taken and name.strip())
    return ColumnMap(tuple(name.strip() for name in header), places, unknown)


def count_known(header: Sequence[str]) -> int:
    """Returns how many headers are names or aliases of ours: tells a right delimiter from a wrong one."""
    known = {name for column in COLUMNS for name in _candidates(column)}
    return sum(normal_name(name) in known for name in header)


def _candidates(column: str) -> list[str]:
    return [column, *_ALIASES[column].split()]


def normal_name(name: str) -> str:
    """Returns a header as names are compared: `Variant SKU` is `variant_sku`, Google's `g:id` is `id`."""
    return re.sub(r"[^\w]+", "_", name.strip().casefold()).strip("_").removeprefix("g_")  # Google's XML says g:id


def _find(names: Sequence[str], name: str) -> tuple[int, ...]:
    return tuple(place for place, other in enumerate(names) if other == name)


def listed_columns(header: Sequence[str]) -> str:
    """Returns the header for a message, cut where it is long."""
    shown = [name.strip()[:40] for name in header if name.strip()]
    return ", ".join(shown[:40]) + (", …" if len(shown) > 40 else "") if shown else "no named columns"
