"""The supervisor and the leash, with real processes."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings

from shop_search.supervisor import LONGEST_DELAY_S, restart_delay_s

PATIENCE_S = 30.0

# Notes its process id, then does what its arguments say.
PROGRAM = """
import os, signal, sys, time
name, behavior = sys.argv[1:]
def note(line):
    with open(name + ".log", "a") as log:
        log.write(line + "\\n")
def stop(*_):
    note("asked to stop")
    sys.exit(0)
signal.signal(signal.SIGTERM, signal.SIG_IGN if behavior == "stubborn" else stop)
note(str(os.getpid()))
if behavior == "dies":
    sys.exit(3)
if behavior == "has a child" and os.fork() == 0:
    note(str(os.getpid()))
time.sleep(600)
"""

SUPERVISOR = """
import os, sys
from pathlib import Path
import shop_search.supervisor as supervisor
from shop_search.supervisor import Program, Supervisor
supervisor.GRACE_S = 0.5
supervisor.FIRST_DELAY_S = 0.05
programs = [Program(name, ("program.py", name, behavior), stops_last=name == "store")
            for name, _, behavior in (word.partition("=") for word in sys.argv[1:])]
env = {**os.environ, "PYTHONPATH": os.environ["PROJECT"]}
Supervisor(programs, cwd=Path.cwd(), env=env, say=lambda line: print(line, flush=True)).run()
"""


class Ward:
    """A running supervisor with its programs' logs."""

    def __init__(self, folder: Path, *programs: str) -> None:
        self.folder = folder
        (folder / "program.py").write_text(textwrap.dedent(PROGRAM))
        self.process = subprocess.Popen(
            [sys.executable, "-c", SUPERVISOR, *programs],
            cwd=folder,
            env={**os.environ, "PROJECT": str(settings.BASE_DIR), "PYTHONPATH": str(settings.BASE_DIR)},
            stdout=subprocess.PIPE,
            text=True,
        )

    def lines(self, name: str) -> list[str]:
        path = self.folder / f"{name}.log"
        return path.read_text().splitlines() if path.exists() else []

    def pids(self, name: str) -> list[int]:
        return [int(line) for line in self.lines(name) if line.isdigit()]

    def pid_number(self, name: str, number: int) -> int:
        """Returns the process id of the program's `number`-th start, once there was one."""
        wait_until(lambda: len(self.pids(name)) >= number)
        return self.pids(name)[number - 1]

    def end(self, number: signal.Signals = signal.SIGTERM) -> str:
        self.process.send_signal(number)
        return self.process.communicate(timeout=PATIENCE_S)[0]


@pytest.fixture
def supervise(tmp_path: Path) -> Iterator[Callable[..., Ward]]:
    wards: list[Ward] = []

    def start(*programs: str) -> Ward:
        wards.append(Ward(tmp_path, *programs))
        return wards[-1]

    yield start
    for ward in wards:
        ward.process.kill()
        ward.process.communicate()


def wait_until(is_true: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not is_true():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A zombie whose new parent hasn't collected it yet has ended all the same.
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"


def test_a_killed_program_is_started_again(supervise: Callable[..., Ward]) -> None:
    ward = supervise("web=lives")
    os.kill(ward.pid_number("web", 1), signal.SIGKILL)
    assert is_alive(ward.pid_number("web", 2))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_every_program(supervise: Callable[..., Ward], number: signal.Signals) -> None:
    ward = supervise("web=lives", "worker=lives")
    pids = [ward.pid_number("web", 1), ward.pid_number("worker", 1)]
    ward.end(number)
    assert ward.process.returncode == 0
    assert [is_alive(pid) for pid in pids] == [False, False]
    assert ward.lines("web")[-1] == "asked to stop"


def test_a_program_that_ignores_the_request_is_killed(supervise: Callable[..., Ward]) -> None:
    ward = supervise("web=stubborn")
    pid = ward.pid_number("web", 1)
    assert "web didn't stop in time and was killed." in ward.end()
    assert not is_alive(pid)


def test_the_store_is_asked_to_stop_after_the_others_are_gone(supervise: Callable[..., Ward]) -> None:
    ward = supervise("store=lives", "web=stubborn")
    ward.pid_number("store", 1)
    ward.pid_number("web", 1)
    ward.end()
    stopped_at = (ward.folder / "store.log").stat().st_mtime
    started_at = (ward.folder / "web.log").stat().st_mtime
    assert ward.lines("store")[-1] == "asked to stop"
    assert stopped_at - started_at > 0.4  # the web program used up its grace first


def test_a_crash_loop_is_named_once_and_tried_again(supervise: Callable[..., Ward]) -> None:
    ward = supervise("web=dies")
    ward.pid_number("web", 6)
    said = ward.end()
    assert "web ended with exit code 3; starting it again." in said
    assert said.count("web died 4 times soon after its start") == 1


def test_no_program_outlives_a_killed_supervisor(supervise: Callable[..., Ward]) -> None:
    ward = supervise("web=lives", "worker=stubborn")
    pids = [ward.pid_number("web", 1), ward.pid_number("worker", 1)]
    ward.process.kill()
    for pid in pids:
        wait_until(lambda pid=pid: not is_alive(pid))  # type: ignore[misc]
    assert ward.lines("web")[-1] == "asked to stop"


def test_what_a_program_started_goes_with_it(supervise: Callable[..., Ward]) -> None:
    ward = supervise("web=has a child")
    child = ward.pid_number("web", 2)
    ward.process.kill()
    wait_until(lambda: not is_alive(child))


def test_the_wait_before_a_restart_grows_to_its_bound() -> None:
    delays = [restart_delay_s(deaths) for deaths in range(1, 12)]
    assert delays[:4] == [0.0, 0.5, 1.0, 2.0]
    assert delays == sorted(delays)
    assert delays[-1] == LONGEST_DELAY_S
