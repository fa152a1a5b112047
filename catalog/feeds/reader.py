"""Opens a feed of any format and reads it row by row.

first bytes -> format -> columns -> items -> clean rows, each id once
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from catalog.feeds.cleaning import clean
from catalog.feeds.columns import ColumnMap
from catalog.feeds.delimited import open_delimited, open_lines
from catalog.feeds.items import Item, Table
from catalog.feeds.jsonl import open_jsonl
from catalog.feeds.records import Grid
from catalog.feeds.rows import FeedRow, RowError
from catalog.feeds.seen import SeenIds
from catalog.feeds.shopify import is_shopify, open_shopify
from catalog.feeds.text import FORMATS, TextFile, open_text
from catalog.feeds.workbook import open_sheet
from catalog.feeds.workbook_parts import is_workbook
from catalog.feeds.xml import open_xml
from shop_search.errors import InputError

_HTML = re.compile(r"\s*(?:<!doctype\s+html|<html)[\s>]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of one row: its product or what is wrong with it, and its cells as they were, by our columns."""

    row: int
    cells: Mapping[str, str]
    found: tuple[FeedRow | RowError, ...]


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed whose columns were understood. Iterating streams it from the start, with flat memory."""

    table: Table
    currency: str = ""  # of prices that name none

    @property
    def format(self) -> str:
        """Returns csv, tsv, shopify, xlsx, xml or jsonl."""
        return self.table.format

    @property
    def columns(self) -> ColumnMap:
        return self.table.columns

    @property
    def most_rows(self) -> int:
        """Returns how many rows the feed can have; values that run over lines make it fewer."""
        return self.table.most_rows

    def __iter__(self) -> Iterator[FeedRow | RowError]:
        """Yields a FeedRow for each good row and RowErrors for each bad one, in the feed's order."""
        with SeenIds() as seen:
            for reading in self.readings(seen):
                yield from reading.found

    def readings(self, seen: SeenIds) -> Iterator[Reading]:
        """Yields each row's reading, in the feed's order. `seen` is told every id that the feed names.

        Of rows with one id the first good one counts and the others are errors, so that a second reading of the same
        feed changes nothing.
        """
        for item in self.table.items():
            yield Reading(item.row, item.cells, self._read(item, seen))

    def _read(self, item: Item, seen: SeenIds) -> tuple[FeedRow | RowError, ...]:
        if item.problem is not None:
            if not item.is_left_out:
                seen.unreadable += 1
            error = RowError.of(item.row, "", *item.problem, item.text, is_fatal=not item.is_left_out)
            return (error,)
        cells = item.cells
        if self.currency and not cells.get("currency", "").strip():
            cells = {**cells, "currency": self.currency}
        cleaned = clean(item.row, cells, self.columns)
        if isinstance(cleaned, list):
            sku = " ".join(item.cells.get("id", "").split())
            if sku:
                seen.mention(sku)
            else:
                seen.unreadable += 1
            return tuple(cleaned)
        earlier = seen.take(cleaned.sku, item.row)
        if earlier is None:
            return (cleaned,)
        message = f"Row {earlier} has the same id. That one was taken and this one left out."
        return (RowError.of(item.row, self.columns.name("id"), "id_repeated", message, cleaned.sku),)


def open_feed(path: Path, *, columns: Mapping[str, str] | None = None, currency: str = "") -> Feed:
    """Returns the feed, its columns understood. `columns` maps our names to the feed's where ours and aliases fail.

    Raises InputError `feed_not_found`, `feed_unreadable`, `feed_empty`, `feed_unsupported`, `feed_doctype_forbidden`,
    `feed_xlsx_unsupported`, for a workbook as `open_zip` does, or one of `map_columns`.
    """
    if is_workbook(path):
        return Feed(_open_grid(open_sheet(path, columns), columns), currency.strip().upper())
    text = open_text(path)
    start = "".join(islice(text.chunks(), 1)).lstrip("\ufeff \t\r\n")
    return Feed(_open_table(text, start, columns), currency.strip().upper())


def _open_table(text: TextFile, start: str, columns: Mapping[str, str] | None) -> Table:
    if _HTML.match(start):
        raise InputError("feed_unsupported", f"{text.path.name} is a web page. Send the feed as {FORMATS}.")
    if start.startswith("<"):
        return open_xml(text, columns)
    if start.startswith("{"):
        return open_jsonl(text, columns)
    if start.startswith("["):
        raise InputError(
            "feed_unsupported", f"{text.path.name} is a JSON list. Write one object per line (JSON lines)."
        )
    return _open_grid(open_lines(text), columns)


def _open_grid(grid: Grid, columns: Mapping[str, str] | None) -> Table:
    return open_shopify(grid, columns) if is_shopify(grid.header) else open_delimited(grid, columns)


def read_rows(path: Path, *, columns: Mapping[str, str] | None = None) -> Iterator[FeedRow | RowError]:
    """Yields the feed's rows and what is wrong with the others. Raises InputError as `open_feed` does."""
    return iter(open_feed(path, columns=columns))
