"""Formats whose rows name their own values (XML, JSON lines): which names there are, and cells by our columns."""

from collections.abc import Iterable, Mapping
from itertools import islice

from catalog.feeds.columns import COLUMNS, ColumnMap, map_columns

# So many rows are asked which names the feed uses; a value that first comes later is taken under its plain name.
SAMPLE = 500


def map_names(records: Iterable[Mapping[str, str]], wanted: Mapping[str, str] | None) -> ColumnMap:
    """Returns which of the records' names are taken for which column. Raises InputError as `map_columns` does."""
    names: dict[str, None] = {}
    for record in islice(records, SAMPLE):
        names.update(dict.fromkeys(record))
    found = map_columns(tuple(names), wanted)
    late = [column for column in COLUMNS if column not in found.places and column not in names]
    header = (*found.header, *late)
    places = {**found.places, **{column: (header.index(column),) for column in late}}
    return ColumnMap(header, places, found.unknown, frozenset(late))


def pick_named(record: Mapping[str, str], columns: ColumnMap) -> dict[str, str]:
    """Returns a record's cells by our columns."""
    return columns.pick([record.get(name, "") for name in columns.header])


def join_values(values: Iterable[str]) -> str:
    """Returns several values as one cell; a comma inside one is written so that it doesn't part it."""
    kept = [value.strip() for value in values if value.strip()]
    return kept[0] if len(kept) == 1 else ",".join(value.replace(",", "%2C") for value in kept)
