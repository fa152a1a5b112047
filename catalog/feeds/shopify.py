"""Shopify's product CSV: several rows a product, which share a handle.

    rows of one handle -> the product's cells (its first row) + its variants + its pictures -> one item a variant

A variant is what has a SKU and a price, so it becomes a product of ours; its handle is the item group. Its own picture
comes first, else the product's first. The other pictures go with the first variant of each main picture: ten sizes of
one shoe would otherwise fill the index with ten copies of each.
"""

import html
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from django.utils.html import strip_tags
from django.utils.text import slugify

from catalog.feeds.columns import COLUMNS, ColumnMap, listed_columns, normal_name
from catalog.feeds.items import Item
from catalog.feeds.records import Grid, Record
from shop_search.errors import InputError

# Our column -> Shopify's names for it: those of the export until 2024, then today's.
_NAMES: dict[str, tuple[str, ...]] = {
    "id": ("variant_sku", "sku"),
    "title": ("title",),
    "description": ("body_html", "description"),
    "image_link": ("image_src", "product_image_url"),
    "price": ("variant_price", "price"),
    "availability": ("variant_inventory_qty", "inventory_quantity"),
    "brand": ("vendor",),
    "gender": ("google_shopping_gender",),
    "product_type": ("type",),
    "google_product_category": ("product_category", "google_shopping_google_product_category"),
    "gtin": ("variant_barcode", "barcode"),
    "item_group_id": ("handle", "url_handle"),
    "currency": ("currency",),
}
_VARIANT_IMAGE = ("variant_image", "variant_image_url")
_TRACKER = ("variant_inventory_tracker", "inventory_tracker")
_POLICY = ("variant_inventory_policy", "continue_selling_when_out_of_stock")
_PUBLISHED = ("published", "published_on_online_store")
_COLOR_OPTIONS = frozenset({"color", "colour", "farbe", "couleur", "colore", "kleur"})
_HANDLE = frozenset({"handle", "url_handle"})
_TELLING = frozenset({"variant_price", "variant_sku", "image_src", "product_image_url", "option1_value"})
# Shopify's own limits are 2,048 variants and 250 pictures a product. A handle that goes on is no export of theirs.
MAX_ROWS_PER_HANDLE = 3000
_MAX_HTML = 40_000  # characters of a description worth freeing from its tags


def is_shopify(header: Sequence[str]) -> bool:
    """Returns whether these are the column names of a Shopify export."""
    names = {normal_name(name) for name in header}
    return bool(names & _HANDLE) and bool(names & _TELLING)


@dataclass(frozen=True, slots=True)
class ShopifyTable:
    """A Shopify export whose columns are understood."""

    lines: Grid
    columns: ColumnMap
    places: Mapping[str, int]  # Shopify's normalized names -> where their cells are

    @property
    def format(self) -> str:
        return "shopify"

    @property
    def most_rows(self) -> int:
        return self.lines.most_rows

    def items(self) -> Iterator[Item]:
        for _, group in groupby(_with_handles(self._rows()), key=lambda pair: pair[0]):
            yield from self._product([row for _, row in group])

    def _rows(self) -> Iterator["_Row"]:
        for record in self.lines.records():
            yield _Row(record, self)

    def _product(self, rows: list["_Row"]) -> Iterator[Item]:
        """Yields the items of one handle's rows, in the file's order."""
        good = [row for row in rows if row.record.problem is None]
        first = good[0] if good else None
        images = list(dict.fromkeys(filter(None, (row.own("image_link") for row in good))))
        shown: set[str] = set()
        for row in rows:
            if row.record.problem is not None:
                yield Item(row.record.row, {}, row.record.problem, row.record.text)
            elif first is not None and (row is first or row.is_variant):
                cells = row.cells(first)
                main = row.get(*_VARIANT_IMAGE) or (images[0] if images else "")
                cells["image_link"] = main
                if main not in shown:
                    cells["additional_image_link"] = ",".join(
                        link.replace(",", "%2C") for link in images if link != main
                    )
                shown.add(main)
                yield Item(row.record.row, cells, first.unpublished(), cells["id"], is_left_out=True)


@dataclass(frozen=True, slots=True)
class _Row:
    record: Record
    table: ShopifyTable = field(repr=False)

    def get(self, *names: str) -> str:
        """Returns the first of Shopify's columns that has something."""
        places = self.table.places
        cells = (self.record.cells[places[name]].strip() for name in names if name in places)
        return next((cell for cell in cells if cell), "")

    def own(self, column: str) -> str:
        """Returns the cell of our column."""
        places = self.table.columns.places.get(column)
        # Shopify writes '0123 so that spreadsheets keep the zero.
        return self.record.cells[places[0]].strip().removeprefix("'") if places else ""

    @property
    def is_variant(self) -> bool:
        return bool(self.own("id") or self.own("price") or self.get("option1_value"))

    def cells(self, first: "_Row") -> dict[str, str]:
        """Returns the variant's cells by our columns; what a product's other rows leave out is in its first."""
        cells = {column: self.own(column) or first.own(column) for column in COLUMNS}
        for column in ("id", "gtin", "availability"):
            cells[column] = self.own(column)
        options = self._options(first)
        handle = cells["item_group_id"]
        cells["id"] = cells["id"] or "-".join(filter(None, [handle, *(slugify(value) for _, value in options)]))
        cells["color"] = next((value for name, value in options if name.casefold() in _COLOR_OPTIONS), cells["color"])
        cells["description"] = _plain(cells["description"])
        cells["availability"] = "in_stock" if self._is_always_sold() else cells["availability"]
        return cells

    def _options(self, first: "_Row") -> list[tuple[str, str]]:
        options = [
            (self.get(f"option{n}_name") or first.get(f"option{n}_name"), self.get(f"option{n}_value"))
            for n in (1, 2, 3)
        ]
        return [(name, value) for name, value in options if value and value != "Default Title"]

    def _is_always_sold(self) -> bool:
        """Returns whether the count of pieces says nothing: none is kept, or the shop sells beyond it."""
        has_tracker = any(name in self.table.places for name in _TRACKER)
        untracked = has_tracker and not self.get(*_TRACKER)
        return untracked or self.get(*_POLICY).casefold() in {"continue", "true"}

    def unpublished(self) -> tuple[str, str] | None:
        status = self.get("status").casefold() or "active"
        if status != "active" or self.get(*_PUBLISHED).casefold() == "false":
            word = status if status != "active" else "not published"
            return "not_published", f"The product is {word[:20]} in your shop, so it was left out."
        return None


def _plain(text: str) -> str:
    return html.unescape(strip_tags(re.sub(r"<(?:br|/p|/li)\b[^>]*>", " ", text[:_MAX_HTML])))


def _with_handles(rows: Iterable[_Row]) -> Iterator[tuple[tuple[str, int], _Row]]:
    """Yields each row with what groups it: its handle, or the one above where it has none or can't be read."""
    handle, count, part = "", 0, 0
    for row in rows:
        own = row.own("item_group_id") if row.record.problem is None else ""
        if own and own != handle:
            handle, count, part = own, 0, 0
        count += 1
        if count > MAX_ROWS_PER_HANDLE:
            count, part = 1, part + 1
        yield (handle, part), row


def open_shopify(lines: Grid, wanted: Mapping[str, str] | None) -> ShopifyTable:
    """Returns the table; `wanted` (ours -> the feed's) goes before Shopify's names.

    Raises InputError `column_unknown`, `column_missing` or `columns_missing`.
    """
    header = tuple(name.strip() for name in lines.header)
    names = [normal_name(name) for name in header]
    at = {name: place for place, name in reversed(list(enumerate(names)))}
    places = {
        column: (at[found],)
        for column, known in _NAMES.items()
        if (found := next((name for name in known if name in at), None)) is not None
    }
    for ours, theirs in (wanted or {}).items():
        if ours not in COLUMNS:
            raise InputError("column_unknown", f"{ours!r} is none of our columns, which are: {', '.join(COLUMNS)}.")
        if normal_name(theirs) not in at:
            message = f"The feed has no column {theirs!r}; it has: {listed_columns(header)}."
            raise InputError("column_missing", message)
        places[ours] = (at[normal_name(theirs)],)
    missing = [column for column in ("title", "image_link") if column not in places]
    if missing:
        names_of = " and ".join(_NAMES[column][0] for column in missing)
        raise InputError(
            "columns_missing", f"A Shopify export needs {names_of}; this one has: {listed_columns(header)}."
        )
    taken = {place for found in places.values() for place in found}
    unknown = tuple(name for place, name in enumerate(header) if place not in taken and name)
    return ShopifyTable(lines, ColumnMap(header, places, unknown), at)
