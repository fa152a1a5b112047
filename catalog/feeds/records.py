"""Lines -> records, split into cells. A line that can't be split costs itself, never the lines after it."""

import csv
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from catalog.feeds.columns import count_known
from catalog.feeds.text import MAX_LINE

DELIMITERS = (",", "\t", ";", "|")
# A quoted description may run over lines. One that runs further than this was never closed.
MAX_RECORD_LINES = 500
MAX_RECORD = 256 * 1024  # characters; csv itself stops at 128 Ki characters a cell


@dataclass(frozen=True, slots=True)
class Record:
    """One row of cells, or what is wrong with its line: `problem` is a code and a message."""

    row: int  # as a spreadsheet counts: from 1, the header and blank lines included
    cells: tuple[str, ...]
    problem: tuple[str, str] | None = None
    text: str = ""  # the line itself, where there is a problem


class Grid(Protocol):
    """Rows under a header, whatever they are kept in. `records` streams them from the start, each time anew."""

    @property
    def format(self) -> str: ...

    @property
    def header(self) -> tuple[str, ...]: ...

    @property
    def most_rows(self) -> int: ...

    def records(self) -> Iterator[Record]: ...


def guess_delimiter(line: str) -> str:
    """Returns the delimiter that makes the most known columns of the header line, else the most columns."""

    def known(delimiter: str) -> tuple[int, int]:
        try:
            cells = _split([line], delimiter) or [line]
        except _StillOpenError:  # then `read_records` says what is wrong with it
            cells = line.split(delimiter)
        return count_known(cells), len(cells)

    return max(DELIMITERS, key=known)


def read_records(lines: Iterable[str], delimiter: str, *, width: int | None = None) -> Iterator[Record]:
    """Yields each record that is not blank, in order. With `width`, one of another number of cells is a problem."""
    source = _Lines(lines)
    for row, line in enumerate(source, start=1):
        if line.strip():
            yield _read(row, line, source, delimiter, width)


class _Lines:
    """Lines of which some may be given back."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._source = iter(lines)
        self._returned: deque[str] = deque()

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        return self._returned.popleft() if self._returned else next(self._source)

    def give_back(self, lines: list[str]) -> None:
        self._returned.extendleft(reversed(lines))


def _read(row: int, line: str, source: _Lines, delimiter: str, width: int | None) -> Record:
    if len(line) > MAX_LINE:
        return Record(row, (), ("row_too_long", f"The row is longer than {MAX_LINE:,} characters."), line)
    if "\0" in line:
        return Record(row, (), ("nul_byte", "The row holds a NUL byte: the file was damaged on its way."), line)
    cells = tuple(line.split(delimiter)) if '"' not in line else _quoted(line, source, delimiter, width)
    if cells is None:
        message = "The row opens a quote that it doesn't close, or holds a bare one. Write a quote inside quotes twice."
        return Record(row, (), ("broken_quotes", message), line)
    if width is not None and delimiter != "," and not any(cell.strip() for cell in cells[width:]):
        # Exports like to end rows with delimiters. Not with commas: there the extra one may stand inside a title.
        cells = cells[:width]
    if width is None or len(cells) == width:
        return Record(row, cells)
    few = len(cells) < width
    hint = "Was it cut off?" if few else "Put cells that hold the delimiter in quotes."
    problem = (
        "too_few_cells" if few else "too_many_cells",
        f"The row has {len(cells)} cells; the header has {width}. {hint}",
    )
    return Record(row, (), problem, line)


def _quoted(line: str, source: _Lines, delimiter: str, width: int | None) -> tuple[str, ...] | None:
    """Returns the cells of a record that begins with `line`, taking more lines while a quote is open; else None."""
    gathered = [line]
    while True:
        try:
            cells = _split(gathered, delimiter)
        except _StillOpenError:
            if _take_until_quote(gathered, source):
                continue
            cells = None
        if cells is not None and (len(gathered) == 1 or width is None or len(cells) == width):
            return tuple(cells)
        source.give_back(gathered[1:])
        plain = line.split(delimiter)
        # Tab-separated feeds mostly quote nothing, so there a quote is just a character of the text.
        return tuple(plain) if delimiter == "\t" and len(plain) == width else None


def _take_until_quote(gathered: list[str], source: _Lines) -> bool:
    """Takes lines up to one that may close the quote; False when none comes near enough."""
    size = sum(map(len, gathered))
    for line in source:
        gathered.append(line)
        size += len(line)
        if len(gathered) > MAX_RECORD_LINES or size > MAX_RECORD:
            return False
        if '"' in line:
            return True
    return False


class _StillOpenError(Exception):
    """A quote is still open at the end of the lines."""


def _split(lines: list[str], delimiter: str) -> list[str] | None:
    """Returns the cells of one record, None where quotes make no sense. Raises _StillOpenError at an open quote."""
    try:
        return next(
            csv.reader([line + "\n" for line in lines], delimiter=delimiter, strict=True, skipinitialspace=True)
        )
    except csv.Error as error:
        if "unexpected end of data" in str(error):
            raise _StillOpenError from error
        return None
