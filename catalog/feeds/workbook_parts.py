"""The parts of an XLSX workbook: which sheets there are, what its cells are shown as, and the texts they share.

A workbook is a zip of XML parts. Each is streamed through expat with nothing resolved: a document type, and with it
every entity of its own, is refused. Shared texts go to a private file on disk, so that memory stays flat.
"""

import posixpath
import sqlite3
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import BinaryIO
from xml.parsers import expat

from catalog.feeds.number_formats import NumberFormat, number_format
from catalog.feeds.zips import is_zip, normal_name, open_zip, readable_entry
from shop_search.errors import InputError

MAX_CELL = 256 * 1024  # characters of one value, as in other feeds; Excel itself stops at 32,767
MAX_PART = 4 << 30  # bytes of one part as it is read, whatever the directory says
MAX_STYLES = 70_000  # Excel stops at 65,490
MAX_SHEETS = 250
# A tag or a comment longer than this never ends; expat would keep all of it.
MAX_SILENCE = 4 << 20
_PIECE = 1 << 16
_STRINGS_AT_ONCE = 2000
_CACHE_KIB = 8192  # of the shared texts' pages; the rest goes to a temporary file that ends with the connection


class BrokenPartError(Exception):
    """A part's XML breaks off or makes no sense; what came before it was read."""


def is_workbook(path: Path) -> bool:
    """Returns whether a file is an XLSX workbook: a zip with a workbook's parts.

    Raises InputError `feed_xlsx_unsupported` where it is one of another kind, and as `open_zip` does.
    """
    if not is_zip(path):
        return False
    is_named_so = path.suffix.lower() in {".xlsx", ".xlsm"}
    with path.open("rb") as stream:
        head = stream.read(4096)
    if b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet" in head:
        raise unsupported_workbook(path.name)
    if not any(sign in head for sign in (b"[Content_Types].xml", b"xl/", b"_rels/", b"docProps/")):
        return is_named_so
    with open_zip(path) as zipped:
        names = {normal_name(name).lower() for name in zipped.namelist()}
    if "xl/workbook.bin" in names:
        raise unsupported_workbook(path.name)
    return is_named_so or ("[content_types].xml" in names and any(name.startswith("xl/") for name in names))


def unsupported_workbook(name: str) -> InputError:
    """Returns the error for workbooks that are not read: of binary kinds, of LibreOffice, or locked."""
    return InputError(
        "feed_xlsx_unsupported",
        f"{name[:100]} is a workbook of a kind that is not read, or locked with a password. Save it as .xlsx without "
        "one, or as CSV UTF-8, and send that file.",
    )


@dataclass(frozen=True, slots=True)
class Parts:
    """An open workbook."""

    zipped: zipfile.ZipFile
    names: Mapping[str, str]  # lower case -> as in the zip
    sheets: tuple[tuple[str, str], ...]  # title and part, those that people see, in their order
    formats: tuple[NumberFormat, ...]  # by the style number of a cell
    is_1904: bool  # days are counted from 1904, as old Macs did

    def open(self, part: str) -> BinaryIO:
        """Raises InputError `feed_unreadable` where there is no such part."""
        name = self.names.get(part.lower())
        if name is None:
            raise InputError("feed_unreadable", f"The workbook's part {part[:100]} is missing. Save it again.")
        return self.zipped.open(name)  # type: ignore[return-value]


@contextmanager
def open_parts(path: Path) -> Iterator[Parts]:
    """Opens a workbook. Raises InputError `feed_unreadable`, `feed_doctype_forbidden` or as `open_zip` does."""
    with open_zip(path) as zipped:
        names = {normal_name(name).lower(): name for name in zipped.namelist()}
        bare = Parts(zipped, names, (), (), is_1904=False)
        try:
            main = _related(bare, "_rels/.rels", "").get("officeDocument", ["xl/workbook.xml"])[0]
            book = _Book()
            with readable_entry(main), bare.open(main) as stream:
                read_xml(stream, book.start)
            folder = posixpath.dirname(main)
            links = _links(bare, f"{folder}/_rels/{posixpath.basename(main)}.rels", folder)
            styles = _Styles()
            if (name := next((links[key][1] for key in links if links[key][0] == "styles"), None)) and (
                name.lower() in names
            ):
                with readable_entry(name), bare.open(name) as stream:
                    read_xml(stream, styles.start, styles.end)
        except BrokenPartError as error:
            raise InputError("feed_unreadable", f"The workbook can't be read: {error}. Save it again.") from error
        sheets = [
            (title, links[link][1]) for title, link in book.sheets if link in links and links[link][0] == "worksheet"
        ]
        if not sheets:
            raise InputError("feed_empty", f"{path.name} has no sheet that can be seen.")
        yield Parts(zipped, names, tuple(sheets[:MAX_SHEETS]), tuple(styles.formats), book.is_1904)


def _related(parts: Parts, part: str, folder: str) -> dict[str, list[str]]:
    """Returns kind of relation -> the parts it names."""
    found: dict[str, list[str]] = {}
    for kind, target in _links(parts, part, folder).values():
        found.setdefault(kind, []).append(target)
    return found


def _links(parts: Parts, part: str, folder: str) -> dict[str, tuple[str, str]]:
    """Returns id -> the last word of its relation's type, and the part it names."""
    found: dict[str, tuple[str, str]] = {}
    if part.lower() not in parts.names:
        return found

    def start(name: str, attributes: dict[str, str]) -> None:
        if name == "Relationship" and len(found) < 10_000 and attributes.get("TargetMode") != "External":
            target = attributes.get("Target", "").replace("\\", "/")
            path = target[1:] if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))
            found[attributes.get("Id", "")] = (attributes.get("Type", "").rpartition("/")[2], path)

    with readable_entry(part), parts.open(part) as stream:
        read_xml(stream, start)
    return found


@dataclass(slots=True)
class _Book:
    sheets: list[tuple[str, str]] = field(default_factory=list)
    is_1904: bool = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "sheet" and attributes.get("state", "visible") == "visible":
            link = next((value for key, value in attributes.items() if key.endswith(":id")), "")
            self.sheets.append((attributes.get("name", ""), link))
        elif name == "workbookPr":
            self.is_1904 = attributes.get("date1904", "0") in {"1", "true"}


@dataclass(slots=True)
class _Styles:
    formats: list[NumberFormat] = field(default_factory=list)
    _codes: dict[str, str] = field(default_factory=dict)
    _is_in_cells: bool = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "numFmt" and len(self._codes) < MAX_STYLES:
            self._codes[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")[:300]
        elif name == "cellXfs":
            self._is_in_cells = True
        elif name == "xf" and self._is_in_cells and len(self.formats) < MAX_STYLES:
            number = attributes.get("numFmtId", "0")
            self.formats.append(number_format(number, self._codes.get(number)))

    def end(self, name: str) -> None:
        if name == "cellXfs":
            self._is_in_cells = False


Start = Callable[[str, dict[str, str]], None]


def read_xml(
    stream: BinaryIO,
    start: Start,
    end: Callable[[str], None] | None = None,
    text: Callable[[str], None] | None = None,
) -> None:
    """Tells of each tag, by its name without prefix, and each text. Raises as `pieces_of_xml` does."""
    for _ in pieces_of_xml(stream, start, end, text):
        pass


def pieces_of_xml(
    stream: BinaryIO,
    start: Start,
    end: Callable[[str], None] | None = None,
    text: Callable[[str], None] | None = None,
) -> Iterator[None]:
    """Yields after each piece that was read, so that what was found can be given out.

    Raises BrokenPartError, InputError `feed_doctype_forbidden`, `archive_bomb` or `feed_unsupported`.
    """
    silent = [0]

    def on_start(name: str, attributes: dict[str, str]) -> None:
        silent[0] = 0
        start(name.rpartition(":")[2], attributes)

    def on_end(name: str) -> None:
        if end is not None:
            end(name.rpartition(":")[2])

    def on_text(data: str) -> None:
        silent[0] = 0
        if text is not None:
            text(data)

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = on_start, on_end, on_text
    parser.StartDoctypeDeclHandler = _refuse_doctype
    size = 0
    try:
        while piece := stream.read(_PIECE):
            size, silent[0] = size + len(piece), silent[0] + len(piece)
            if size > MAX_PART:
                raise InputError("archive_bomb", f"A part of the workbook is larger than {MAX_PART >> 30} GiB.")
            parser.Parse(piece, False)
            if silent[0] > MAX_SILENCE:
                message = f"The workbook holds a tag or comment of more than {MAX_SILENCE:,} bytes."
                raise InputError("feed_unsupported", message)
            yield
        parser.Parse(b"", True)
        yield
    except expat.ExpatError as error:
        raise BrokenPartError(f"its XML is broken at line {error.lineno}, character {error.offset + 1}") from error


def _refuse_doctype(*_: object) -> None:
    message = "The workbook declares a document type (<!DOCTYPE ...>), which is not read. Save it again in Excel."
    raise InputError("feed_doctype_forbidden", message)


class SharedTexts:
    """The texts that cells name by number, on disk. Each part of a text that is formatted apart is joined to it."""

    def __init__(self, parts: Parts) -> None:
        self._db = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._db.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        self._db.execute("PRAGMA journal_mode = OFF")
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.execute("CREATE TABLE texts (number INTEGER PRIMARY KEY, text TEXT)")
        self._db.execute("BEGIN")
        self.find = lru_cache(maxsize=4096)(self._find)
        part = next((name for name in parts.names if name.endswith("/sharedstrings.xml")), None)
        if part is not None:
            with readable_entry(part), parts.open(part) as stream:
                self._read(stream)

    def __enter__(self) -> "SharedTexts":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()

    def _find(self, number: int) -> str | None:
        """Returns a text by its number, None where there is none."""
        row = self._db.execute("SELECT text FROM texts WHERE number = ?", (number,)).fetchone()
        return None if row is None else str(row[0])

    def _read(self, stream: BinaryIO) -> None:
        reader = _TextReader()
        count = 0
        try:
            for _ in pieces_of_xml(stream, reader.start, reader.end, reader.text):
                if len(reader.found) >= _STRINGS_AT_ONCE:
                    count = self._write(reader.found, count)
        except BrokenPartError:  # cells that name what is lost are told one by one
            pass
        self._write(reader.found, count)

    def _write(self, texts: list[str], count: int) -> int:
        self._db.executemany("INSERT INTO texts VALUES (?, ?)", enumerate(texts, start=count))
        count += len(texts)
        texts.clear()
        return count


class _TextReader:
    """Collects the texts of <si> items; <rPh> says how Japanese is spoken, which nobody sees in the cell."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self._pieces: list[str] = []
        self._size = 0
        self._is_text = False
        self._spoken = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "si":
            self._pieces, self._size = [], 0
        elif name == "rPh":
            self._spoken += 1
        elif name == "t":
            self._is_text = not self._spoken

    def text(self, data: str) -> None:
        if self._is_text and self._size < MAX_CELL:
            self._pieces.append(data)
            self._size += len(data)

    def end(self, name: str) -> None:
        if name == "t":
            self._is_text = False
        elif name == "rPh":
            self._spoken -= 1
        elif name == "si":
            self.found.append("".join(self._pieces)[:MAX_CELL])
