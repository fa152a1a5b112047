"""The confusion matrix as a table that people can read."""

from dataclasses import dataclass

from catalog.review.confusion import Confusion

# Shades of a cell: 0 is empty, the last is (nearly) all of its row.
SHADES = 5


@dataclass(frozen=True, slots=True)
class Count:
    n: int
    shade: int
    is_right: bool


@dataclass(frozen=True, slots=True)
class MatrixRow:
    name: str
    counts: tuple[Count, ...]
    n: int
    right: str  # share of the row, as text


@dataclass(frozen=True, slots=True)
class Matrix:
    columns: tuple[str, ...]
    rows: tuple[MatrixRow, ...]
    n: int
    right: str


def matrix_of(found: Confusion | None) -> Matrix | None:
    """Returns the table of a confusion matrix, each cell shaded by its share of the row; None without any."""
    if found is None:
        return None
    rows = []
    for name, cells in zip(found.names, found.cells, strict=True):
        total = sum(cells)
        counts = tuple(
            Count(n, _shade(n, total), name == actual) for n, actual in zip(cells, found.actual_names, strict=True)
        )
        right = sum(one.n for one in counts if one.is_right)
        rows.append(MatrixRow(name, counts, total, _percent(right, total)))
    return Matrix(found.actual_names, tuple(rows), found.n, _percent(found.right, found.n))


def _shade(n: int, total: int) -> int:
    return 0 if n == 0 else 1 + round((SHADES - 1) * n / total)


def _percent(part: int, total: int) -> str:
    return f"{100 * part / total:.0f} %" if total else "n/a"
