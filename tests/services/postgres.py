"""A PostgreSQL cluster of the tests' own: made in a folder, reached by a socket, thrown away."""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

# PostgreSQL refuses to run as root; Debian's package brings the first of these users.
_USERS = ("postgres", "nobody")
_DEBIAN = Path("/usr/lib/postgresql")
PATIENCE_S = 60.0


def program(name: str) -> str | None:
    """Returns the path of one of PostgreSQL's programs, of its newest version; None without one."""
    versions = sorted(_DEBIAN.glob(f"*/bin/{name}"), key=lambda path: float(path.parts[-3]))
    return shutil.which(name) or (str(versions[-1]) if versions else None)


class Postgres:
    """One server. `restart` and `stop` are as rude as a machine that fails."""

    def __init__(self) -> None:
        self._user = _someone_else() if os.geteuid() == 0 else None
        # Not in pytest's folders, which other users can't enter; and short, for sockets' names have a limit.
        self.folder = Path(tempfile.mkdtemp(prefix="shop-pg-"))
        if self._user is not None:
            shutil.chown(self.folder, self._user)
        self._data = self.folder / "data"
        initdb = ("-D", str(self._data), "-U", "shop", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        subprocess.run([_must("initdb"), *initdb], check=True, stdout=subprocess.DEVNULL, **self._as)
        self._process = self._start()

    def url(self, name: str = "shop") -> str:
        """Returns the address of a database of this name, for SHOP_SEARCH_DATABASE_URL."""
        return f"postgresql://shop@/{name}?host={quote(str(self.folder), safe='')}"

    def create(self, name: str, *, template: str = "template1") -> str:
        """Makes a database, empty or as another is, and returns its address."""
        self.run(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url(name)

    def run(self, statement: str, database: str = "postgres", values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Runs one statement in a connection of its own and returns its rows."""
        import psycopg

        with psycopg.connect(host=str(self.folder), user="shop", dbname=database, autocommit=True) as connection:
            cursor = connection.execute(statement, values or None)
            return list(cursor) if cursor.description else []

    def end_connections(self, database: str, *, share: float = 1.0) -> int:
        """Ends every connection to the database, or each with this chance, and returns how many that were."""
        rows = self.run(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'"
            f" AND pid <> pg_backend_pid() AND random() < {share}"
        )
        return len(rows)

    def kill(self) -> None:
        """Ends the server at once, without a word to its clients, as a crash does."""
        subprocess.run([_must("pg_ctl"), "-D", str(self._data), "stop", "-m", "immediate"], check=True, **self._quiet)
        self._process.wait()

    def start(self) -> None:
        self._process = self._start()

    def stop(self) -> None:
        if self._process.poll() is None:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start(self) -> subprocess.Popen[bytes]:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.folder),
            "fsync": "off",
            "max_connections": "60",
            "shared_buffers": "32MB",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        log = (self.folder / "log").open("ab")
        process = subprocess.Popen(
            [_must("postgres"), "-D", str(self._data), *options], stdout=log, stderr=log, **self._as
        )
        log.close()
        deadline = time.monotonic() + PATIENCE_S
        ready = [_must("pg_isready"), "-q", "-h", str(self.folder)]
        while subprocess.run(ready).returncode != 0:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL didn't start: {(self.folder / 'log').read_text()[-2000:]}")
            time.sleep(0.05)
        return process

    @property
    def _as(self) -> dict[str, Any]:
        """Whom its processes run as, and where: its user can't enter ours."""
        return {"user": self._user, "group": self._group, "extra_groups": [] if self._user else None, "cwd": "/"}

    @property
    def _quiet(self) -> dict[str, Any]:
        return {**self._as, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}

    @property
    def _group(self) -> int | None:
        return pwd.getpwnam(self._user).pw_gid if self._user else None


def _someone_else() -> str:
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in _USERS if name in known)


def _must(name: str) -> str:
    path = program(name)
    if path is None:
        raise FileNotFoundError(f"PostgreSQL's {name} isn't installed.")
    return path
