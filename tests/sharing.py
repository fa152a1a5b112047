"""How processes share the tests: a file's, and all browser tests, are run by one of them, for each sets up a shop.

Files that take long come first, so that none is left to one process while the others have nothing to do.
"""

from pathlib import PurePosixPath
from typing import Any

import pytest

# What took longest in a run of everything, in that order.
LONGEST = (
    "tests/browser",
    "tests/journeys",
    "tests/embeddings/training",
    "tests/embeddings/stores",
    "tests/detection",
    "tests/contracts",
)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Returns who deals the tests out: pytest-xdist's own groups go by names that pytest 9.2 keeps it from changing."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return share_of(nodeid)

    config.option.loadscopereorder = False  # else those with most tests come first, which says little of how long
    return ByFile(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):  # one of several processes
        items.sort(key=lambda item: place_of(item.nodeid))


def share_of(nodeid: str) -> str:
    """Returns what a test shares its process with: `browser`, or its file."""
    path = nodeid.split("::", 1)[0]
    return "browser" if "browser" in PurePosixPath(path).parts else path


def place_of(nodeid: str) -> int:
    """Returns how early a test comes: lower is earlier."""
    return next((place for place, folder in enumerate(LONGEST) if nodeid.startswith(f"{folder}/")), len(LONGEST))
