"""Nothing that the project imports tells anybody that it runs."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

REPORT = """
import sys
assert sys.modules["openvino_telemetry"] is None
assert not [name for name in sys.modules if name.startswith("openvino_telemetry.")]
"""


# With a network, as far as this process can tell.
TRAINING = """
import socket
socket.getaddrinfo = lambda *arguments: [()]
import detection.backends.yolo
from ultralytics.utils import ONLINE
from ultralytics.utils.events import events
assert not ONLINE
assert not events.enabled
"""


def imported(code: str, home: Path) -> subprocess.CompletedProcess[str]:
    """What happens in a process and a home of its own."""
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=settings.BASE_DIR,
        env={"HOME": str(home), "PATH": ""},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("room", ["embeddings", "detection"])
def test_a_backend_that_serves_tells_nobody_of_its_start(room, tmp_path):
    done = imported(f"import {room}.backends.openvino, openvino{REPORT}", tmp_path)
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.iterdir()) == []  # where a number for this machine would be kept


def test_a_benchmark_tells_nobody_either(tmp_path):
    done = imported(f"import benchmarks.detector_designs{REPORT}", tmp_path)
    assert done.returncode == 0, done.stderr


def test_a_detector_is_trained_without_the_network(tmp_path):
    pytest.importorskip("ultralytics", reason="It comes with the 'train' extra")
    done = imported(TRAINING, tmp_path)
    assert done.returncode == 0, done.stderr
