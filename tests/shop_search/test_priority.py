"""Asked in processes of their own: nobody can step forward again."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

CODE = """
import os
from shop_search.priority import step_back
os.nice({before})
step_back()
print(os.nice(0), open("/proc/self/autogroup").read() if os.path.exists("/proc/self/autogroup") else "")
"""


def after(before: int, *, own_session: bool = True) -> str:
    done = subprocess.run(
        [sys.executable, "-c", CODE.format(before=before)],
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=True,
        start_new_session=own_session,
    )
    return done.stdout


@pytest.mark.parametrize(("before", "niceness"), [(0, 10), (4, 10), (15, 15)])
def test_others_go_first_and_nobody_steps_forward(before, niceness):
    assert int(after(before).split()[0]) == niceness


@pytest.mark.skipif(not Path("/proc/self/autogroup").exists(), reason="This system shares by process alone.")
def test_the_whole_session_steps_back():
    assert after(0).rstrip().endswith("nice 10")


@pytest.mark.skipif(not Path("/proc/self/autogroup").exists(), reason="This system shares by process alone.")
def test_a_terminal_that_starts_a_worker_keeps_its_place():
    # Empty for those who are of no session of their own, as in some containers.
    before = Path("/proc/self/autogroup").read_text().split()
    assert after(0, own_session=False).split()[1:] == before
