"""A feed's bytes -> its lines of text. Streams: memory does not grow with the file."""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from shop_search.errors import InputError

MAX_LINE = 1 << 20  # characters; no honest line comes near, and an endless one would fill the memory
_CHUNK = 1 << 20
_PIECE = 1 << 16
FORMATS = "CSV, TSV, XLSX, XML (RSS or Atom), JSON lines, or a zip of one of these with its pictures"
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NOT_TEXT = (
    (b"PK\x03\x04", "a zip archive inside another"),
    (b"\x1f\x8b", "compressed with gzip"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook, or one with a password: save it as .xlsx without one"),
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"SQLite format 3", "a database"),
)


@dataclass(frozen=True, slots=True)
class TextFile:
    """A file whose encoding is known. `line_count` is the most rows it can have."""

    path: Path
    encoding: str
    line_count: int

    def lines(self) -> Iterator[str]:
        """Yields each line without its end, cut after MAX_LINE characters.

        Bytes that are no text of the encoding come as lone surrogates (U+FFFD in UTF-16), for `is_damaged` to find.
        """
        with self._opened() as stream:
            while line := stream.readline(MAX_LINE + 1):
                rest = line
                while len(rest) > MAX_LINE and not rest.endswith("\n"):
                    rest = stream.readline(MAX_LINE + 1)
                yield line[: MAX_LINE + 1].removesuffix("\n")

    def chunks(self) -> Iterator[str]:
        """Yields the text in pieces of up to 64 Ki characters, for formats that lines mean nothing to."""
        with self._opened() as stream:
            while chunk := stream.read(_PIECE):
                yield chunk

    def _opened(self) -> TextIO:
        errors = "replace" if self.encoding.startswith(("utf-16", "utf-32")) else "surrogateescape"
        return self.path.open(encoding=self.encoding, errors=errors)


def open_text(path: Path) -> TextFile:
    """Returns the file with its encoding: by its byte order mark, else UTF-16 by its zeros, else UTF-8 if most of its
    non-ASCII lines are, else Windows-1252 (which holds Latin-1).

    Raises InputError `feed_not_found`, `feed_unreadable`, `feed_empty` or `feed_unsupported`.
    """
    if not path.is_file():
        raise InputError("feed_not_found", f"There is no file {path}.")
    try:
        with path.open("rb") as stream:
            head = stream.read(4096)
        if not head.strip():
            raise InputError(
                "feed_empty", f"{path.name} is empty. A feed has a line of column names and a line per row."
            )
        _refuse_other_formats(head, path.name)
        encoding = _encoding_of_head(head) or _encoding_of_lines(path)
        return TextFile(path, encoding, _count_lines(path))
    except OSError as error:
        raise InputError("feed_unreadable", f"Can't read {path}: {error.strerror}.") from error


def is_damaged(text: str, encoding: str) -> bool:
    """Returns whether the line held bytes that are no text of the encoding."""
    if text.isascii():
        return False
    if encoding.startswith(("utf-16", "utf-32")):
        return "\N{REPLACEMENT CHARACTER}" in text
    return any("\ud800" <= char <= "\udfff" for char in text)


def _refuse_other_formats(head: bytes, name: str) -> None:
    kind = next((kind for magic, kind in _NOT_TEXT if head.startswith(magic)), None)
    if kind:
        raise InputError("feed_unsupported", f"{name} is {kind}. Send the feed as {FORMATS}.")


def _encoding_of_head(head: bytes) -> str | None:
    for bom, encoding in _BOMS:
        if head.startswith(bom):
            return encoding
    pairs = len(head) // 2
    if head[1::2].count(0) > pairs // 3:
        return "utf-16-le"
    if head[0::2].count(0) > pairs // 3:
        return "utf-16-be"
    return None


def _encoding_of_lines(path: Path) -> str:
    """Returns utf-8 or cp1252, whichever more lines speak for. A feed glued from two exports loses its fewer lines."""
    good = bad = 0
    rest = b""  # a character that a piece of an endless line was cut in
    with path.open("rb") as stream:
        while line := stream.readline(_CHUNK):
            line, rest = rest + line, b""
            if line.isascii():
                continue
            try:
                line.decode("utf-8")
                good += 1
            except UnicodeDecodeError as error:
                if error.reason == "unexpected end of data" and not line.endswith(b"\n"):
                    rest = line[error.start :]
                    good += 1
                else:
                    bad += 1
    return "cp1252" if bad > good else "utf-8"


def _count_lines(path: Path) -> int:
    newlines = returns = 0
    tail = b""
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            newlines += chunk.count(b"\n")
            returns += chunk.count(b"\r")
            tail = chunk[-4:]
    is_ended = tail.rstrip(b"\0").endswith((b"\n", b"\r"))
    return (newlines or returns) + (not is_ended)
