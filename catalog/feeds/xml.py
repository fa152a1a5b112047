"""Google Merchant's XML: RSS 2.0 (<item>) or Atom (<entry>), with product values in the `g:` namespace.

    text -> mended (characters and entities that XML doesn't know) -> expat -> one item after another

Nothing is resolved: a document type, and with it every entity of its own, is refused. An item is given out as soon as
it ends, so memory holds one. What is broken costs the rows from there on, for XML has no way to find the next one.
"""

import html
import re
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from html.entities import html5
from itertools import islice
from xml.parsers import expat

from catalog.feeds.columns import ColumnMap
from catalog.feeds.items import Item
from catalog.feeds.keyed import SAMPLE, join_values, map_names, pick_named
from catalog.feeds.text import TextFile
from shop_search.errors import InputError

GOOGLE = "http://base.google.com/ns/1.0"
_ITEMS = frozenset({"item", "entry"})
MAX_DEPTH = 40
MAX_CELL = 256 * 1024  # characters of one value, as in delimited feeds
MAX_VALUES = 500  # of one item
# A tag or a comment longer than this never ends; expat would keep all of it.
MAX_SILENCE = 4 << 20
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # what XML 1.0 can't hold
_REFERENCE = re.compile(r"&(#\d{1,8}|#x[0-9a-fA-F]{1,6}|[A-Za-z]\w{1,31});")
_XML_ENTITIES = frozenset({"amp", "lt", "gt", "quot", "apos"})
_CUT_REFERENCE = re.compile(r"&[#\w]{0,34}\Z")
_DECLARED = re.compile(r"""<\?xml[^>]{0,100}\sencoding=["']([\w.-]{1,40})["']""")
_LIKE_CP1252 = frozenset({"utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "latin1", "windows-1252", "cp1252"})
# What else shops' exports come in. Not every codec that Python knows is one of text.
_EIGHT_BIT = re.compile(r"iso-?8859|windows-12|cp\d|koi8|mac|latin|shift_?jis|euc|gb|big5")
_ITEM_TAG = re.compile(r"<(?:item|entry)[\s>]")


@dataclass(frozen=True, slots=True)
class XmlFeed:
    """An XML feed whose values' names are understood."""

    text: TextFile
    columns: ColumnMap
    most_rows: int

    @property
    def format(self) -> str:
        return "xml"

    def items(self) -> Iterator[Item]:
        for row, record in _records(self.text):
            if isinstance(record, tuple):
                yield Item(row, {}, record)
            else:
                yield Item(row, pick_named(record, self.columns))


def open_xml(text: TextFile, wanted: Mapping[str, str] | None) -> XmlFeed:
    """Returns the feed. Raises InputError `feed_unsupported`, `feed_doctype_forbidden`, or as `map_columns` does."""
    text = _as_declared(text)
    most_rows = _count_items(text)
    if not most_rows:
        message = f"{text.path.name} is XML without products: there is no <item> (RSS 2.0) and no <entry> (Atom)."
        raise InputError("feed_unsupported", message)
    first = [record for _, record in islice(_records(text), SAMPLE)]
    named = [record for record in first if isinstance(record, dict)]
    broken = next((record for record in first if isinstance(record, tuple)), None)
    if not named and broken is not None:
        raise InputError("feed_unreadable", f"{text.path.name} can't be read. {broken[1]}")
    return XmlFeed(text, map_names(named, wanted), most_rows)


def _as_declared(text: TextFile) -> TextFile:
    """Returns the text in the encoding that its first line names, unless its bytes have shown another."""
    declared = _DECLARED.match("".join(islice(text.chunks(), 1)).lstrip("\ufeff"))
    name = declared[1].lower() if declared else ""
    if text.encoding != "cp1252" or name in _LIKE_CP1252 or not _EIGHT_BIT.match(name):
        return text
    try:
        b"x".decode(name)
    except (LookupError, UnicodeError):
        return text
    return replace(text, encoding=name)


_Record = dict[str, str] | tuple[str, str]  # values by name, or a problem: code and message


def _count_items(text: TextFile) -> int:
    count, tail = 0, ""
    for chunk in text.chunks():
        count += len(_ITEM_TAG.findall(tail + chunk))
        tail = chunk[-6:]  # shorter than a whole tag, so that none is counted twice
    return count


def _records(text: TextFile) -> Iterator[tuple[int, _Record]]:
    reader = _Reader()
    row = 0
    try:
        for chunk in _mended(text):
            reader.feed(chunk)
            while reader.found:
                row += 1
                yield row, reader.found.popleft()
        reader.close()
    except expat.ExpatError as error:
        while reader.found:
            row += 1
            yield row, reader.found.popleft()
        reason = expat.ErrorString(error.code)
        message = (
            f"The XML is broken at line {error.lineno}, character {error.offset + 1}: {reason}. "
            "No product from there on could be read."
        )
        yield row + 1, ("xml_broken", message)


def _mended(text: TextFile) -> Iterator[str]:
    """Yields the text with what shops' exports get wrong put right: control characters, HTML's own entities."""
    kept = ""
    for chunk in text.chunks():
        chunk = kept + chunk
        cut = _CUT_REFERENCE.search(chunk)
        kept = chunk[cut.start() :] if cut else ""
        yield _mend(chunk[: len(chunk) - len(kept)])
    if kept:
        yield _mend(kept)


def _mend(text: str) -> str:
    return _REFERENCE.sub(_reference, _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text))


def _reference(match: re.Match[str]) -> str:
    name = match[1]
    if name in _XML_ENTITIES:
        return match[0]
    if name.startswith("#"):
        char = html.unescape(match[0])
        is_bad = not char or char == "\N{REPLACEMENT CHARACTER}" or _FORBIDDEN.search(char)
        return "\N{REPLACEMENT CHARACTER}" if is_bad else match[0]
    return html5.get(f"{name};", match[0])


class _Reader:
    """Collects items from expat's events."""

    def __init__(self) -> None:
        self.found: deque[_Record] = deque()
        self._depth = 0
        self._item_depth = 0  # 0: in no item
        self._values: dict[str, list[str]] = {}
        self._google: set[str] = set()
        self._prefixes = {"g"}
        self._name = ""  # of the value we are in
        self._pieces: list[str] = []
        self._size = 0
        self._silent = 0
        # The text is decoded already, whatever its first line says.
        parser = expat.ParserCreate("utf-8")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._doctype
        self._parser = parser

    def feed(self, text: str) -> None:
        """Raises ExpatError, or InputError `feed_doctype_forbidden` or `feed_unsupported`."""
        self._silent += len(text)
        self._parser.Parse(text.encode(), False)
        if self._silent > MAX_SILENCE:
            raise InputError("feed_unsupported", f"The XML holds a tag or comment of more than {MAX_SILENCE:,} bytes.")

    def close(self) -> None:
        self._parser.Parse(b"", True)

    def _doctype(self, *_: object) -> None:
        message = "The XML declares a document type (<!DOCTYPE ...>), which is not read. Send the feed without it."
        raise InputError("feed_doctype_forbidden", message)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._silent = 0
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise InputError("feed_unsupported", f"The XML is nested deeper than {MAX_DEPTH} levels.")
        for key, value in attributes.items():
            if key.startswith("xmlns:") and value.strip() == GOOGLE and len(self._prefixes) < 10:
                self._prefixes.add(key.removeprefix("xmlns:"))
        prefix, _, local = name.rpartition(":")
        if not self._item_depth:
            if local.lower() in _ITEMS:
                self._item_depth, self._values, self._google = self._depth, {}, set()
        elif self._depth == self._item_depth + 1:
            is_ours = not prefix or prefix in self._prefixes
            self._name = f"{prefix}:{local}" if is_ours and prefix else local if is_ours else ""
            self._pieces, self._size = [], 0
            if name == "link" and "href" in attributes and attributes.get("rel", "alternate") == "alternate":
                self._pieces.append(attributes["href"])  # Atom's way
        elif self._pieces:
            self._pieces.append(" ")  # words on both sides of a tag are two

    def _text(self, text: str) -> None:
        self._silent = 0
        if self._name and self._size < MAX_CELL:
            self._pieces.append(text)
            self._size += len(text)

    def _end(self, name: str) -> None:
        self._silent = 0
        if self._item_depth and self._depth == self._item_depth:
            self.found.append(self._record())
            self._item_depth = 0
        elif self._name and self._depth == self._item_depth + 1:
            self._take()
        self._depth -= 1

    def _take(self) -> None:
        prefix, _, local = self._name.rpartition(":")
        value = "".join(self._pieces)[:MAX_CELL]
        if prefix and local not in self._google:
            self._google.add(local)  # a value in Google's namespace goes before RSS's own of that name
            self._values[local] = []
        if (prefix or local not in self._google) and sum(map(len, self._values.values())) < MAX_VALUES:
            self._values.setdefault(local, []).append(value)
        self._name = ""

    def _record(self) -> _Record:
        # Of a value that may only come once the first counts; further pictures come one after another.
        record = {
            name: join_values(values) if "additional" in name else values[0]
            for name, values in self._values.items()
            if values
        }
        if any("\N{REPLACEMENT CHARACTER}" in value for value in record.values()):
            return "bad_encoding", "The item holds bytes or characters that are no text."
        return record
