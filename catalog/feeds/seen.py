"""The ids a feed has named so far, on disk: a feed of a million rows takes no more memory than one of ten."""

import sqlite3
from collections.abc import Iterable
from types import TracebackType

_CACHE_KIB = 8192  # of pages; the rest goes to a temporary file that ends with the connection


class SeenIds:
    """Which rows of a feed had which id. `mention` counts bad rows too, `take` only those that are kept."""

    def __init__(self) -> None:
        # An empty name is a private file that SQLite deletes by itself; it stays in memory while it is small.
        self._db = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._db.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        self._db.execute("PRAGMA journal_mode = OFF")
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.execute("CREATE TABLE ids (id TEXT PRIMARY KEY, row INTEGER) WITHOUT ROWID")
        self._db.execute("BEGIN")
        self.unreadable = 0  # rows whose id can't be known

    def __enter__(self) -> "SeenIds":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()

    def mention(self, sku: str) -> None:
        """Notes that a row names this id, whether or not the row is good."""
        self._db.execute("INSERT INTO ids VALUES (?, NULL) ON CONFLICT DO NOTHING", (sku,))

    def take(self, sku: str, row: int) -> int | None:
        """Notes that this row is kept. Returns None, or the earlier row that was kept with the same id."""
        found = self._db.execute("SELECT row FROM ids WHERE id = ?", (sku,)).fetchone()
        if found is not None and found[0] is not None:
            return int(found[0])
        self._db.execute("INSERT INTO ids VALUES (?1, ?2) ON CONFLICT (id) DO UPDATE SET row = ?2", (sku, row))
        return None

    def unmentioned(self, skus: Iterable[str]) -> list[str]:
        """Returns those of the ids that no row named."""
        return [sku for sku in skus if not self._db.execute("SELECT 1 FROM ids WHERE id = ?", (sku,)).fetchone()]
