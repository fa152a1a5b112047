"""Opens a feed and reads it row by row. One kind of file so far: delimited text."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from catalog.feeds.cleaning import clean
from catalog.feeds.columns import ColumnMap, map_columns
from catalog.feeds.records import DELIMITERS, Record, guess_delimiter, read_records
from catalog.feeds.rows import FeedRow, RowError
from catalog.feeds.text import TextFile, is_damaged, open_text
from shop_search.errors import InputError


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed whose header was understood. Iterating streams it from the start; only the ids stay in memory."""

    text: TextFile
    delimiter: str
    columns: ColumnMap
    header_row: int

    @property
    def most_rows(self) -> int:
        """Returns how many rows the feed can have; cells that run over lines make it fewer."""
        return max(0, self.text.line_count - self.header_row)

    def __iter__(self) -> Iterator[FeedRow | RowError]:
        """Yields a FeedRow for each good row and RowErrors for each bad one, in the feed's order.

        Of rows with one id the first good one counts and the others are errors, so that a second reading of the same
        feed changes nothing.
        """
        seen: dict[str, int] = {}
        for record in self._records():
            if record.row <= self.header_row:
                continue
            problem = record.problem
            if problem is None and any(is_damaged(cell, self.text.encoding) for cell in record.cells):
                problem = ("bad_encoding", f"The row holds bytes that are no text in {self.text.encoding}.")
            if problem is not None:
                yield RowError.of(record.row, "", *problem, record.text or self.delimiter.join(record.cells))
                continue
            cleaned = clean(record.row, self.columns.pick(record.cells), self.columns)
            if isinstance(cleaned, list):
                yield from cleaned
            elif cleaned.sku in seen:
                message = f"Row {seen[cleaned.sku]} has the same id. That one was taken and this one left out."
                yield RowError.of(record.row, self.columns.name("id"), "id_repeated", message, cleaned.sku)
            else:
                seen[cleaned.sku] = cleaned.row
                yield cleaned

    def _records(self) -> Iterator[Record]:
        return read_records(self.text.lines(), self.delimiter, width=len(self.columns.header))


def open_feed(path: Path, *, columns: Mapping[str, str] | None = None) -> Feed:
    """Returns the feed, its header understood. `columns` maps our names to the feed's where ours and aliases fail.

    Raises InputError `feed_not_found`, `feed_unreadable`, `feed_empty`, `feed_unsupported`, or one of `map_columns`.
    """
    text = open_text(path)
    row, delimiter = 0, ""
    for line in islice(text.lines(), 100):
        row += 1
        if line.strip().casefold() in {f"sep={one}" for one in DELIMITERS}:
            delimiter = line.strip()[4:]  # what Excel writes above the header
        elif line.strip():
            break
    else:
        raise InputError("feed_empty", f"{path.name} has no line of column names.")
    delimiter = delimiter or guess_delimiter(line)
    header = next(read_records([line], delimiter))
    if header.problem is not None:
        raise InputError("feed_unreadable", f"The line of column names can't be read. {header.problem[1]}")
    return Feed(text, delimiter, map_columns(header.cells, columns), row)


def read_rows(path: Path, *, columns: Mapping[str, str] | None = None) -> Iterator[FeedRow | RowError]:
    """Yields the feed's rows and what is wrong with the others. Raises InputError as `open_feed` does."""
    return iter(open_feed(path, columns=columns))
