"""Row errors for people: a table on a terminal, a file for a spreadsheet."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType

from django.core.management.base import CommandError

from catalog.feeds import RowError

COLUMNS = ("row", "column", "code", "message", "value", "row_kept")
_VALUE_WIDTH = 30


def table(errors: Sequence[RowError]) -> str:
    """Returns one aligned line per error. Those that cost their row come as errors, the others as warnings."""
    lines = [("row", "", "column", "what is wrong", "value")]
    for error in errors:
        kind = "error" if error.is_fatal else "warning"
        value = error.value if len(error.value) <= _VALUE_WIDTH else error.value[: _VALUE_WIDTH - 1] + "…"
        lines.append((str(error.row), kind, error.column, error.message, value))
    widths = [max(len(line[place]) for line in lines) for place in range(3)]
    return "\n".join(
        f"{row:>{widths[0]}}  {kind:<{widths[1]}}  {column:<{widths[2]}}  {message}{f'  [{value}]' if value else ''}"
        for row, kind, column, message, value in lines
    )


class ErrorFile:
    """A CSV of row errors that spreadsheets open: with a byte order mark, and no cell that they would calculate."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> "ErrorFile":
        try:
            self._stream = self._path.open("w", encoding="utf-8-sig", newline="")
        except OSError as error:
            raise CommandError(f"Can't write {self._path}: {error.strerror}.") from error
        self._writer = csv.writer(self._stream)
        self._writer.writerow(COLUMNS)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()

    def write(self, errors: Iterable[RowError]) -> None:
        for error in errors:
            kept = "no" if error.is_fatal else "yes"
            cells = [str(error.row), error.column, error.code, error.message, error.value]
            self._writer.writerow([*map(_harmless, cells), kept])
        self._stream.flush()


def _harmless(cell: str) -> str:
    """A cell that begins like a formula gets an apostrophe: spreadsheets show it and calculate nothing."""
    return f"'{cell}" if cell[:1] in {"=", "+", "-", "@", "\t", "\r"} else cell
