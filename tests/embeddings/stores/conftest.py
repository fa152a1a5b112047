from collections.abc import Iterator
from pathlib import Path

import pytest

from embeddings.stores.edge import EdgeStore


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "vectors"


@pytest.fixture
def store(path: Path) -> Iterator[EdgeStore]:
    edge = EdgeStore(path, idle_exit_s=60)
    yield edge
    edge.stop()
