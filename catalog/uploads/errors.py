"""What was wrong with an upload, as a file that a spreadsheet opens and that can be put right and sent again.

One line for each row: where it stands in the feed, what is wrong with it, then its cells under our column names. Those
columns make the file a feed itself; the columns before them are none of ours, so that it is read without mapping.
"""

import csv
import io
from collections.abc import Iterator
from itertools import groupby

from catalog.feeds.columns import COLUMNS
from catalog.models import Upload, UploadError

ABOUT = ("row", "column", "code", "message", "value", "row_kept")
_SEPARATOR = " | "
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def errors_as_csv(upload: Upload) -> Iterator[str]:
    """Yields the file in pieces: with a byte order mark for Excel, and no cell that a spreadsheet would calculate."""
    rows = upload.errors.order_by("row", "pk")
    columns = _columns_with_something(upload)
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    buffer.write("\ufeff")
    writer.writerow([*ABOUT, *columns])
    for row, found in groupby(rows.iterator(chunk_size=500), key=lambda error: error.row):
        errors = list(found)
        cells: dict[str, str] = next((error.cells for error in errors if error.cells), {})
        about = [str(row), *(_joined(errors, name) for name in ("column", "code", "message", "value"))]
        kept = "no" if any(error.is_fatal for error in errors) else "yes"
        writer.writerow([*map(harmless, about), kept, *(harmless(cells.get(column, "")) for column in columns)])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue()


def harmless(cell: str) -> str:
    """Returns the cell so that a spreadsheet shows it and calculates nothing; feeds are read without the apostrophe."""
    return f"'{cell}" if cell.startswith(_FORMULA) or (cell.lstrip()[:1] in _FORMULA[:4] and cell.strip()) else cell


def _joined(errors: list[UploadError], name: str) -> str:
    values = [getattr(error, name) for error in errors]
    return values[0] if len(values) == 1 else _SEPARATOR.join(values)


def _columns_with_something(upload: Upload) -> list[str]:
    found: set[str] = set()
    for cells in upload.errors.exclude(cells=None).values_list("cells", flat=True).iterator(chunk_size=500):
        found.update(column for column, cell in (cells or {}).items() if cell)
    return [column for column in COLUMNS if column in found or column in {"id", "title", "image_link"}]
