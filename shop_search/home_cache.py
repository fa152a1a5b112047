"""A cache that every process of one home shares: a SQLite file of its own, so that counting never waits for the shop's.

Django's default is each process's own memory, where two web processes would allow everything twice. Its file and
database caches count by reading and then writing, and lose counts between. What is
in here may be lost with the machine.
"""

import pickle
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache

_TABLE = """
CREATE TABLE IF NOT EXISTS entry (
    name TEXT PRIMARY KEY, value BLOB NOT NULL, number INTEGER, expires REAL
) WITHOUT ROWID
"""
# Every so many writes, what has run out is deleted.
_SWEEP_EVERY = 1000
_BUSY_S = 5.0


class HomeCache(BaseCache):
    """Whole numbers are counted by the database, so that no count of two processes is lost; all else is pickled."""

    def __init__(self, location: str | Path, params: dict[str, Any]) -> None:
        super().__init__(params)
        self._path = Path(location)
        self._own = threading.local()
        self._writes = 0

    def add(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        name, row = self.make_and_validate_key(key, version), self._row(value, timeout)
        statement = (
            "INSERT INTO entry VALUES (?1, ?2, ?3, ?4) ON CONFLICT (name) DO UPDATE"
            " SET value = ?2, number = ?3, expires = ?4 WHERE expires <= ?5"
        )
        return bool(self._write(statement, (name, *row, time.time())).rowcount)

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        name = self.make_and_validate_key(key, version)
        found = self._do(
            lambda database: database.execute(
                "SELECT value, number FROM entry WHERE name = ? AND (expires IS NULL OR expires > ?)",
                (name, time.time()),
            ).fetchone()
        )
        if found is None:
            return default
        value, number = found
        return number if number is not None else pickle.loads(value)

    def set(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        name = self.make_and_validate_key(key, version)
        self._write("INSERT OR REPLACE INTO entry VALUES (?, ?, ?, ?)", (name, *self._row(value, timeout)))

    def touch(self, key: str, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        name, expires = self.make_and_validate_key(key, version), self.get_backend_timeout(timeout)
        live = "name = ? AND (expires IS NULL OR expires > ?)"
        return bool(self._write(f"UPDATE entry SET expires = ? WHERE {live}", (expires, name, time.time())).rowcount)

    def delete(self, key: str, version: int | None = None) -> bool:
        name = self.make_and_validate_key(key, version)
        return bool(self._write("DELETE FROM entry WHERE name = ?", (name,)).rowcount)

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        """Returns the new number. Raises ValueError where there is none."""
        name = self.make_and_validate_key(key, version)
        statement = (
            "UPDATE entry SET number = number + ? WHERE name = ? AND number IS NOT NULL"
            " AND (expires IS NULL OR expires > ?) RETURNING number"
        )
        found = self._do(lambda database: database.execute(statement, (delta, name, time.time())).fetchone())
        if found is None:
            raise ValueError(f"Key {key!r} not found.")
        return int(found[0])

    def clear(self) -> None:
        self._write("DELETE FROM entry", ())

    def _row(self, value: Any, timeout: Any) -> tuple[bytes, int | None, float | None]:
        expires = self.get_backend_timeout(timeout)
        if type(value) is int and abs(value) < 2**62:
            return b"", value, expires
        return pickle.dumps(value, pickle.HIGHEST_PROTOCOL), None, expires

    def _write(self, statement: str, values: tuple[Any, ...]) -> sqlite3.Cursor:
        self._writes += 1
        if self._writes % _SWEEP_EVERY == 0:
            self._do(lambda database: database.execute("DELETE FROM entry WHERE expires <= ?", (time.time(),)))
        cursor: sqlite3.Cursor = self._do(lambda database: database.execute(statement, values))
        return cursor

    def _do(self, ask: Callable[[sqlite3.Connection], Any]) -> Any:
        """Asks the file; one that isn't a database any more is made anew, for what it held may be lost."""
        try:
            return ask(self._database())
        except sqlite3.DatabaseError as error:
            if type(error) is not sqlite3.DatabaseError:  # locked, or the disk is full: that passes
                raise
            self._forget()
            for suffix in ("", "-wal", "-shm"):
                Path(f"{self._path}{suffix}").unlink(missing_ok=True)
            return ask(self._database())

    def _forget(self) -> None:
        database = getattr(self._own, "database", None)
        if database is not None:
            database.close()
            self._own.database = None

    def _database(self) -> sqlite3.Connection:
        """Returns this thread's connection, which it keeps: opening one takes longer than counting."""
        database: sqlite3.Connection | None = getattr(self._own, "database", None)
        if database is None:
            database = sqlite3.connect(self._path, timeout=_BUSY_S, isolation_level=None)
            self._own.database = database
            # Nothing in here outlives a power cut, so nothing waits for the disk.
            database.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; {_TABLE};")
        return database
