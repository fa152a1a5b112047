"""How much memory a model takes, measured in a process of its own: in this one the other is loaded already."""

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from django.conf import settings

TIMEOUT_S = 120.0
# Runs without Django: a backend needs nothing of it.
_PROGRAM = """
import importlib, json, resource, sys
from PIL import Image

def now():
    try:
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:")) / 1024
    except (OSError, StopIteration):  # no Linux: the most there ever was
        used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return used / 1024 / (1024 if sys.platform == "darwin" else 1)

module, _, name = sys.argv[1].rpartition(".")
backend = getattr(importlib.import_module(module), name)
before = now()
model = backend(**json.loads(sys.argv[2]))
picture = Image.new("RGB", (416, 416), "gray")
model.encode_images([picture]) if hasattr(model, "encode_images") else model.detect([picture], [None])
print(now() - before)
"""


def memory_mb(kind: str, options: Mapping[str, Any]) -> float | None:
    """Returns how many MB a process grows by loading this model and using it once; None where that can't be told."""
    config: Mapping[str, Any] = getattr(settings, kind.upper())
    told = json.dumps({**config.get("OPTIONS", {}), **options}, default=str)
    try:
        done = subprocess.run(
            [sys.executable, "-c", _PROGRAM, config["BACKEND"], told],
            cwd=settings.BASE_DIR,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=True,
        )
        return round(float(done.stdout.strip().splitlines()[-1]), 1)
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return None
