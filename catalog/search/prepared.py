"""A query that Django compiles once and that is then asked for other ids: compiling takes ten times what it answers in.

    build(ids) -> SQL with marks in place of the ids, how its columns are read -> run(ids) -> rows

Kept by how many ids there are, rounded up to a power of two, so a process keeps about ten.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import QuerySet

_LEAST = 16

Build = Callable[[Sequence[int]], "QuerySet[Any, tuple[Any, ...]]"]
Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class _Compiled:
    sql: str
    params: tuple[Any, ...]
    place_of: dict[int, int]  # where in `params` an id stands -> which of the ids
    converters: dict[int, Any]  # column -> functions that read it, and its expression


class Prepared:
    """Asks one query of `values_list` for the rows of some ids. Safe in any thread and on any database.

    `build` returns it for ids; what it reads beside them must be the same as long as `depends_on` returns the same.
    """

    def __init__(self, build: Build, *, depends_on: Callable[[], Hashable] = lambda: None) -> None:
        self._build = build
        self._depends_on = depends_on
        self._compiled: dict[Hashable, _Compiled] = {}

    def rows(self, ids: Sequence[int]) -> list[Row]:
        """Returns the rows for these ids, in the query's order; none for none."""
        if not ids:
            return []
        size = max(_LEAST, 1 << (len(ids) - 1).bit_length())
        key = (connection.alias, connection.vendor, size, self._depends_on())
        compiled = self._compiled.get(key)
        if compiled is None:
            compiled = self._compiled[key] = self._compile(size)
        padded = [*ids, *[ids[-1]] * (size - len(ids))]
        params = list(compiled.params)
        for place, which in compiled.place_of.items():
            params[place] = padded[which]
        with connection.cursor() as cursor:
            cursor.execute(compiled.sql, params)
            rows = cursor.fetchall()
        return [_read(row, compiled.converters) for row in rows] if compiled.converters else rows

    def _compile(self, size: int) -> _Compiled:
        marks = [-1 - number for number in range(size)]  # no row has such an id
        compiler = self._build(marks).query.get_compiler(connection=connection)
        sql, params = compiler.as_sql()
        place_of = {place: -1 - one for place, one in enumerate(params) if isinstance(one, int) and -size <= one < 0}
        if sorted(place_of.values()) != list(range(size)):
            raise RuntimeError(f"The query must name each id once; {len(place_of)} of {size} are in {sql}")
        select = [column for column, _, _ in compiler.select]
        return _Compiled(sql, tuple(params), place_of, compiler.get_converters(select))


def _read(row: Row, converters: dict[int, Any]) -> Row:
    """Returns the row in Python's types: SQLite, for one, gives times as text."""
    values = list(row)
    for column, (functions, expression) in converters.items():
        for function in functions:
            values[column] = function(values[column], expression, connection)
    return tuple(values)
