"""What the tests of crashes share: an instance of the shop whose processes they may kill."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.feed_folder import FeedFolder
from tests.journeys.test_crashes import Home


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path / "home", FeedFolder(tmp_path / "feed"))
    home.path.mkdir()
    home.run("migrate", "--verbosity", "0")
    yield home
    for process in home.processes:
        process.kill()
        process.wait()
    home.store.stop()
