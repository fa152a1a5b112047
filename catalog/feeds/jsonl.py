"""JSON lines: one product a line, as an object whose names are column names."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from catalog.feeds.columns import ColumnMap
from catalog.feeds.items import Item
from catalog.feeds.keyed import join_values, map_names, pick_named
from catalog.feeds.text import MAX_LINE, TextFile, is_damaged

_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")  # imageLink, as Google's Content API writes it


@dataclass(frozen=True, slots=True)
class JsonLines:
    """A file of JSON lines whose names are understood."""

    text: TextFile
    columns: ColumnMap

    @property
    def format(self) -> str:
        return "jsonl"

    @property
    def most_rows(self) -> int:
        return self.text.line_count

    def items(self) -> Iterator[Item]:
        for row, record in _records(self.text):
            if isinstance(record, tuple):
                problem, line = record[:2], record[2]
                yield Item(row, {}, problem, line)
            else:
                yield Item(row, pick_named(record, self.columns))


def open_jsonl(text: TextFile, wanted: Mapping[str, str] | None) -> JsonLines:
    """Returns the table. Raises InputError as `map_columns` does."""
    named = (record for _, record in _records(text) if isinstance(record, dict))
    return JsonLines(text, map_names(named, wanted))


def _records(text: TextFile) -> Iterator[tuple[int, dict[str, str] | tuple[str, str, str]]]:
    """Yields each line's number and its values by name, or a problem: code, message, line."""
    for row, line in enumerate(text.lines(), start=1):
        line = line.removeprefix("\ufeff")
        if line.strip():
            yield row, _record(line, text.encoding)


def _record(line: str, encoding: str) -> dict[str, str] | tuple[str, str, str]:
    if len(line) > MAX_LINE:
        return "row_too_long", f"The row is longer than {MAX_LINE:,} characters.", line
    if is_damaged(line, encoding):
        return "bad_encoding", f"The row holds bytes that are no text in {encoding}.", line
    try:
        # Numbers stay as they were written: a float would make 19.90 into 19.899999.
        found = json.loads(line, parse_int=str, parse_float=str, parse_constant=lambda _: None)
    except (ValueError, RecursionError) as error:
        where = f" at character {error.pos + 1}" if isinstance(error, json.JSONDecodeError) else ""
        return "json_broken", f"The line is no JSON{where}. Write one whole object per line.", line
    if not isinstance(found, dict):
        return "json_not_object", "The line is no JSON object. Write {...} with the product's values by name.", line
    record = cells_of(found)
    if any(char == "\0" or "\ud800" <= char <= "\udfff" for text in (*record, *record.values()) for char in text):
        return "bad_encoding", "The row holds characters that are no text (\\u0000 or half of a pair).", line
    return record


def cells_of(values: Mapping[str, Any]) -> dict[str, str]:
    """Returns an object's values as cells, by their names in snake case; lists as feeds write them."""
    return {_CAPITAL.sub("_", name).lower(): _cell(value) for name, value in values.items()}


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return join_values(_cell(one) for one in value if not isinstance(one, list | dict))
    if isinstance(value, dict):  # {"value": "19.90", "currency": "EUR"}: Google's way to write a price
        parts = [value.get("value") or value.get("amount"), value.get("currency")]
        return " ".join(part for part in parts if isinstance(part, str))
    return str(value)
