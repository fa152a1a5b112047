"""What the tests of crashes share: an instance of the shop whose processes they may kill."""

import itertools
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.feed_folder import FeedFolder
from tests.journeys.fleet import FleetHome
from tests.journeys.test_crashes import Home
from tests.services.postgres import Postgres

_NUMBERS = itertools.count()
# A shell has what runs in the background ignore Ctrl-C, and so would each program that tests start, and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with empty tables, made once: its database is copied, for migrating takes longer than most tests."""
    folder = tmp_path_factory.mktemp("migrated")
    Home(folder, FeedFolder(folder / "feed")).run("migrate", "--verbosity", "0")
    return folder


@pytest.fixture
def home(tmp_path: Path, migrated: Path) -> Iterator[Home]:
    home = Home(tmp_path / "home", FeedFolder(tmp_path / "feed"))
    home.path.mkdir()
    for file in migrated.glob("shop_search.sqlite3*"):
        shutil.copy(file, home.path)
    yield home
    home.stop()


@pytest.fixture(scope="session")
def migrated_database(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Returns the name of a PostgreSQL database with empty tables, to be copied."""
    folder = tmp_path_factory.mktemp("migrated-postgres")
    FleetHome(folder, FeedFolder(folder / "feed"), postgres, "migrated").run("migrate", "--verbosity", "0")
    return "migrated"


@pytest.fixture
def fleet(postgres: Postgres, migrated_database: str, tmp_path: Path) -> Iterator[FleetHome]:
    """An instance whose database is a PostgreSQL server of the tests' own."""
    (tmp_path / "home").mkdir()
    name = f"fleet{next(_NUMBERS)}"
    fleet = FleetHome(tmp_path / "home", FeedFolder(tmp_path / "feed"), postgres, name, template=migrated_database)
    yield fleet
    fleet.stop()
