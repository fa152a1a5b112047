"""Delimited text, as Google Merchant and most shops export it: a line of column names and a line per row."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from catalog.feeds.columns import ColumnMap, map_columns
from catalog.feeds.items import Item
from catalog.feeds.records import DELIMITERS, Grid, Record, guess_delimiter, read_records
from catalog.feeds.text import TextFile, is_damaged
from shop_search.errors import InputError

_NO_TEXT = re.compile("[\x00-\x08\ud800-\udfff]")
HEADER_LINES = 100  # among which the line of column names must be


@dataclass(frozen=True, slots=True)
class Lines:
    """A delimited file whose delimiter and line of column names are known."""

    text: TextFile
    delimiter: str
    header: tuple[str, ...]
    header_row: int

    @property
    def format(self) -> str:
        return "tsv" if self.delimiter == "\t" else "csv"

    @property
    def most_rows(self) -> int:
        """Returns how many rows there can be; cells that run over lines make it fewer."""
        return max(0, self.text.line_count - self.header_row)

    def records(self) -> Iterator[Record]:
        """Yields each record under the header; a damaged one comes with its problem."""
        for record in read_records(self.text.lines(), self.delimiter, width=len(self.header)):
            if record.row <= self.header_row:
                continue
            if record.problem is None and any(is_damaged(cell, self.text.encoding) for cell in record.cells):
                problem = ("bad_encoding", f"The row holds bytes that are no text in {self.text.encoding}.")
                yield Record(record.row, (), problem, self.delimiter.join(record.cells))
            else:
                yield record


@dataclass(frozen=True, slots=True)
class DelimitedTable:
    """A grid whose columns are understood."""

    lines: Grid
    columns: ColumnMap

    @property
    def format(self) -> str:
        return self.lines.format

    @property
    def most_rows(self) -> int:
        return self.lines.most_rows

    def items(self) -> Iterator[Item]:
        for record in self.lines.records():
            if record.problem is not None:
                yield Item(record.row, {}, record.problem, record.text)
            else:
                yield Item(record.row, self.columns.pick(record.cells))


def open_lines(text: TextFile) -> Lines:
    """Returns the file with its delimiter and header found. Raises InputError `feed_empty` or `feed_unreadable`."""
    row, delimiter = 0, ""
    for line in islice(text.lines(), HEADER_LINES):
        row += 1
        if line.strip().casefold() in {f"sep={one}" for one in DELIMITERS}:
            delimiter = line.strip()[4:]  # what Excel writes above the header
        elif line.strip():
            break
    else:
        raise InputError("feed_empty", f"{text.path.name} has no line of column names.")
    delimiter = delimiter or guess_delimiter(line)
    header = next(read_records([line], delimiter))
    if header.problem is not None:
        raise InputError("feed_unreadable", f"The line of column names can't be read. {header.problem[1]}")
    # A name with bytes that are no text can still be told to people, and stored.
    names = tuple(_NO_TEXT.sub("\N{REPLACEMENT CHARACTER}", name) for name in header.cells)
    return Lines(text, delimiter, names, row)


def open_delimited(lines: Grid, wanted: Mapping[str, str] | None) -> DelimitedTable:
    """Returns the table. Raises InputError as `map_columns` does."""
    return DelimitedTable(lines, map_columns(lines.header, wanted))
