"""The databases that tests/journeys/mayhem.py attacks: how each is asked and taken away, and how time passes in it."""

import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from tests.services.postgres import Postgres

CLAIMED = ("productimage", "upload", "remotepicture")
LOCKED_S = 1.5  # longer than crash settings let a writer wait
DOWN_S = 1.0


class AttackedDatabase(Protocol):
    """A shop's database. Queries are written with `?` for values."""

    environment: dict[str, str]

    def ask(self, query: str, *values: Any) -> Any:
        """Returns the first row's value, or the row where it has several; None without one."""

    def upload_id(self, text: str) -> Any:
        """Returns an upload's id as this database keeps it."""

    def attack(self, chance: random.Random) -> str:
        """Takes the database away for a moment and returns what was done."""

    def let_claims_run_out(self) -> None:
        """Two minutes later. The claims of those who live end too, as they would were they slow."""

    def stop(self) -> None: ...


class AttackedSQLite:
    """A file that somebody else locks."""

    def __init__(self, home: Path) -> None:
        self._path = home / "shop_search.sqlite3"
        self.environment = {"CRASH_DATABASE_TIMEOUT_S": "1"}

    def ask(self, query: str, *values: Any) -> Any:
        with self._open() as database:
            return _one(database.execute(query, values).fetchone())

    def upload_id(self, text: str) -> str:
        return text.replace("-", "")

    def attack(self, chance: random.Random) -> str:
        with self._open() as database:
            database.execute("BEGIN EXCLUSIVE")
            time.sleep(LOCKED_S)
            database.rollback()
        return "database locked"

    def let_claims_run_out(self) -> None:
        with self._open() as database:
            for table in CLAIMED:
                claims = "SET claimed_until = '2000-01-01' WHERE claimed_until IS NOT NULL"
                database.execute(f"UPDATE catalog_{table} {claims}")

    def stop(self) -> None:
        pass

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path, timeout=30, isolation_level=None)) as database:
            yield database


class AttackedPostgres:
    """A server whose connections end, some or all at once, and that crashes now and then."""

    NAME = "mayhem"

    def __init__(self) -> None:
        self._server = Postgres()
        self.environment = {"SHOP_SEARCH_DATABASE_URL": self._server.create(self.NAME)}

    def ask(self, query: str, *values: Any) -> Any:
        rows = self._server.run(query.replace("?", "%s"), self.NAME, values)
        return _one(rows[0] if rows else None)

    def upload_id(self, text: str) -> UUID:
        return UUID(text)

    def attack(self, chance: random.Random) -> str:
        kind = chance.choices(["some connections ended", "all connections ended", "server crashed"], [3, 2, 1])[0]
        if kind == "server crashed":
            self._server.kill()
            time.sleep(DOWN_S)
            self._server.start()
        elif kind == "all connections ended":
            self._server.end_connections(self.NAME)
        else:
            self._server.end_connections(self.NAME, share=0.5)
        return kind

    def let_claims_run_out(self) -> None:
        for table in CLAIMED:  # whoever holds a row just now keeps it: waiting for each other could end in a deadlock
            free = f"SELECT ctid FROM catalog_{table} WHERE claimed_until IS NOT NULL FOR UPDATE SKIP LOCKED"
            claims = f"SET claimed_until = '2000-01-01' WHERE ctid = ANY(ARRAY({free}))"
            self._server.run(f"UPDATE catalog_{table} {claims}", self.NAME)

    def stop(self) -> None:
        self._server.stop()


def _one(row: Any) -> Any:
    return row[0] if row is not None and len(row) == 1 else row
