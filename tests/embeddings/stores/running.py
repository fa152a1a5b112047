"""What the tests of the Edge daemon share: points, waiting, and other processes."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from embeddings.types import Point

DIM = 16
VECTORS = {"clip": DIM}


def vector(id_: int) -> NDArray[np.float32]:
    """Returns a vector that only this id has."""
    return np.random.default_rng(id_).standard_normal(DIM).astype(np.float32)


def points(ids: Iterable[int]) -> list[Point]:
    return [Point(id_, {"clip": vector(id_)}, {"product": id_}) for id_ in ids]


def wait_until(claim: Callable[[], bool], *, at_most_s: float = 30.0) -> None:
    deadline = time.monotonic() + at_most_s
    while not claim():
        assert time.monotonic() < deadline, f"not so within {at_most_s} s"
        time.sleep(0.02)


def python(code: str, *arguments: str | Path) -> subprocess.Popen[str]:
    """Starts another Python with the project on its path."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=settings.BASE_DIR,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def output(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return out.strip()
