"""XLSX workbooks, as Excel, Google Sheets and LibreOffice save them: a sheet with a row of column names and a row each.

    zip checked -> parts -> the sheet with the header -> rows, streamed -> cells as people see them

The sheet is the first whose rows name columns that we know, so that a cover sheet and a title above the table do no
harm. Formulas are never calculated: the value that the spreadsheet saved beside each is what people saw.
"""

import re
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from catalog.feeds.columns import count_known, normal_name
from catalog.feeds.number_formats import NumberFormat
from catalog.feeds.records import MAX_RECORD, Record
from catalog.feeds.workbook_parts import (
    MAX_CELL,
    BrokenPartError,
    Parts,
    SharedTexts,
    open_parts,
    pieces_of_xml,
)
from catalog.feeds.zips import readable_entry
from shop_search.errors import InputError

HEADER_ROWS = 20  # with something in them, among which the column names must be
MAX_COLUMNS = 16_384  # Excel's own limit, as is the next
MAX_ROW = 1_048_576
# What a cell shows whose formula was never calculated: a program wrote it, and no spreadsheet has opened it since.
UNCALCULATED = "#CALC!"
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")  # how XLSX writes what XML can't
_NO_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
_ROW_TAG = re.compile(rb"<(?:\w{1,20}:)?row[\s>/]")

_GENERAL = NumberFormat()
_Cells = dict[int, str]  # by column, from 0


@dataclass(frozen=True, slots=True)
class Sheet:
    """The sheet of a workbook that holds the feed."""

    path: Path
    part: str
    header: tuple[str, ...]
    header_row: int
    most_rows: int

    @property
    def format(self) -> str:
        return "xlsx"

    def records(self) -> Iterator[Record]:
        """Yields each row under the header that isn't blank; one that can't be read comes with its problem."""
        with open_parts(self.path) as parts, SharedTexts(parts) as texts:
            for row, found in _rows(parts, self.part, texts):
                if row <= self.header_row:
                    continue
                if isinstance(found, str):
                    yield Record(row, (), ("xlsx_broken", found))
                elif any(cell.strip() for cell in found.values()):
                    yield self._record(row, found)

    def _record(self, row: int, cells: _Cells) -> Record:
        values = tuple(cells.get(place, "") for place in range(len(self.header)))
        if sum(map(len, values)) > MAX_RECORD:
            return Record(row, (), ("row_too_long", f"The row is longer than {MAX_RECORD:,} characters."))
        if any(_NO_TEXT.search(value) for value in values):
            return Record(row, (), ("bad_encoding", "The row holds characters that are no text."))
        return Record(row, values)


def open_sheet(path: Path, wanted: Mapping[str, str] | None) -> Sheet:
    """Returns the sheet with the feed.

    Raises InputError `feed_unreadable`, `feed_empty`, `feed_doctype_forbidden`, or as `open_zip` does.
    """
    theirs = {normal_name(name) for name in (wanted or {}).values()}
    best: tuple[int, str, int, tuple[str, ...]] | None = None
    with open_parts(path) as parts, SharedTexts(parts) as texts:
        for _, part in parts.sheets:
            filled = ((row, found) for row, found in _rows(parts, part, texts) if isinstance(found, dict) and found)
            for row, cells in islice(filled, HEADER_ROWS):
                names = _names(cells)
                known = count_known(names) + sum(normal_name(name) in theirs for name in names)
                # Two names or more: a title above the table is one cell.
                if best is None or (known, len(names) > 1) > (best[0], len(best[3]) > 1):
                    best = (known, part, row, names)
        if best is None:
            raise InputError("feed_empty", f"{path.name} has no row of column names.")
        _, part, row, names = best
        return Sheet(path, part, names, row, max(0, _count_rows(parts, part) - 1))


def _names(cells: _Cells) -> tuple[str, ...]:
    width = max((place for place, cell in cells.items() if cell.strip()), default=-1) + 1
    return tuple(_NO_TEXT.sub("\N{REPLACEMENT CHARACTER}", cells.get(place, "")) for place in range(width))


def _count_rows(parts: Parts, part: str) -> int:
    count, tail = 0, b""
    with readable_entry(part), parts.open(part) as stream:
        while piece := stream.read(1 << 20):
            piece = tail + piece
            count += len(_ROW_TAG.findall(piece))
            tail = piece[piece.rfind(b"<") :] if b"<" in piece[-30:] else b""
            if _ROW_TAG.match(tail):
                tail = b""
    return count


def _rows(parts: Parts, part: str, texts: SharedTexts) -> Iterator[tuple[int, _Cells | str]]:
    """Yields each row's number, rising, and its cells; last, what was wrong where the sheet breaks off."""
    reader = _RowReader(parts, texts)
    with parts.open(part) as stream:
        try:
            with readable_entry(part):
                for _ in pieces_of_xml(stream, reader.start, reader.end, reader.text):
                    while reader.found:
                        yield reader.found.popleft()
        except (BrokenPartError, InputError) as error:
            while reader.found:
                yield reader.found.popleft()
            if isinstance(error, InputError) and error.code != "archive_unreadable":
                raise
            yield reader.row + 1, f"The sheet can't be read from here on: {error}. Save the workbook again."


class _RowReader:
    """Collects rows from expat's events."""

    def __init__(self, parts: Parts, texts: SharedTexts) -> None:
        self.found: deque[tuple[int, _Cells | str]] = deque()
        self.row = 0
        self._parts = parts
        self._texts = texts
        self._cells: _Cells = {}
        self._place = -1  # of the cell we are in
        self._type = self._style = ""
        self._pieces: list[str] = []
        self._size = 0
        self._is_value = self._has_value = self._has_formula = False
        self._spoken = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "c":
            self._place = _column(attributes.get("r", ""), self._place + 1)
            self._type, self._style = attributes.get("t", "n"), attributes.get("s", "")
            self._pieces, self._size = [], 0
            self._has_value = self._has_formula = False
        elif name == "v" or (name == "t" and not self._spoken):
            self._is_value = self._has_value = True
        elif name == "f":
            self._has_formula = True
        elif name == "rPh":
            self._spoken += 1
        elif name == "row":
            said = attributes.get("r", "")
            # Rows rise: how far an upload has come is kept as a row's number.
            number = int(said) if said.isdecimal() and len(said) <= 7 else 0
            self.row = number if self.row < number <= MAX_ROW else self.row + 1
            self._cells, self._place = {}, -1

    def text(self, data: str) -> None:
        if self._is_value and self._size < MAX_CELL:
            self._pieces.append(data)
            self._size += len(data)

    def end(self, name: str) -> None:
        if name == "v" or name == "t":
            self._is_value = False
        elif name == "c":
            if self._has_value or self._has_formula:
                shown = self._shown("".join(self._pieces)[:MAX_CELL])
                if shown and 0 <= self._place < MAX_COLUMNS:
                    self._cells[self._place] = shown
        elif name == "rPh":
            self._spoken -= 1
        elif name == "row":
            self.found.append((self.row, self._cells))

    def _shown(self, raw: str) -> str:
        if self._has_formula and not raw and self._type != "str":  # as text, nothing is a value too
            return UNCALCULATED
        if self._type == "s":
            number = raw.strip()
            shared = self._texts.find(int(number)) if number.isdecimal() and len(number) < 10 else None
            return "#REF!" if shared is None else _unescaped(shared)
        if self._type in {"str", "inlineStr"}:
            return _unescaped(raw)
        if self._type == "b":
            return "TRUE" if raw.strip() == "1" else "FALSE"
        if self._type in {"e", "d"} or not raw.strip():
            return raw.strip()
        style = int(self._style) if self._style.isdecimal() and len(self._style) < 7 else -1
        formats = self._parts.formats
        if 0 <= style < len(formats):
            return formats[style].show(raw.strip(), is_1904=self._parts.is_1904)
        return _GENERAL.show(raw.strip())


def _column(reference: str, after: int) -> int:
    """Returns the column of a reference like `AB7`, from 0; `after` where it says none."""
    place = 0
    for char in reference[:4]:
        if not "A" <= char <= "Z":
            break
        place = place * 26 + ord(char) - 64
    return place - 1 if place else after


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text) if "_x" in text else text
