"""What every format is read into: items, which are rows whose cells are known by our columns."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from catalog.feeds.columns import ColumnMap


@dataclass(frozen=True, slots=True)
class Item:
    """One row before it is cleaned, or what is wrong with it: `problem` is a code and a message."""

    row: int  # rising; a line for text formats, as a spreadsheet counts, and the item's number in XML
    cells: Mapping[str, str] = field(default_factory=dict)  # by our columns
    problem: tuple[str, str] | None = None
    text: str = ""  # as it stands in the file, where there is a problem
    is_left_out: bool = False  # the sender marked it as not for sale: then `problem` is only told


class Table(Protocol):
    """A file of one format whose columns are understood. `items` streams it from the start, each time anew."""

    @property
    def format(self) -> str: ...

    @property
    def columns(self) -> ColumnMap: ...

    @property
    def most_rows(self) -> int: ...

    def items(self) -> Iterator[Item]: ...
