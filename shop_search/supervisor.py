"""Keeps a few programs running: starts them, restarts what dies, and stops all of them as one.

    start ──> running ──dies──> waiting (0, 0.5, 1, 2 ... 30 s) ──> running
                 │
              SIGTERM / SIGINT ──> everything is asked to stop, then killed after its grace ──> run() returns

Each program runs on a leash (shop_search/leash.py) in a session of its own: Ctrl-C in a terminal reaches only the
supervisor, which then stops the programs in order, and a killed supervisor leaves none behind.
"""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

# A program that ran this long had started well: its next death is news, not part of a crash loop.
SETTLED_AFTER_S = 30.0
FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 30.0
DEATHS_IN_A_LOOP = 4
POLL_S = 0.1
# What a stopping program may take to finish the requests or the batch in hand; waitress waits 5 s for its threads.
GRACE_S = 6.0

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Program:
    """A Python program to keep running: a script or `-m module`, with arguments."""

    name: str
    argv: tuple[str, ...]
    fds: tuple[int, ...] = ()  # descriptors that it inherits
    stops_last: bool = False  # the others still need it while they stop


@dataclass(slots=True)
class _Child:
    program: Program
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_at: float = 0.0
    quick_deaths: int = field(default=0)


class Supervisor:
    """Runs programs until it is told to stop. `say` gets each line meant for people."""

    def __init__(self, programs: Sequence[Program], *, cwd: Path, env: Mapping[str, str], say: Say) -> None:
        self._children = [_Child(program) for program in programs]
        self._cwd = cwd
        self._env = dict(env)
        self._say = say
        self._stop = threading.Event()
        self._hurry = False

    def run(self) -> None:
        """Returns when SIGTERM, SIGINT or `stop()` ended it and every program is gone. Call it in the main thread."""
        handlers = {number: signal.signal(number, self._on_signal) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            while not self._stop.wait(POLL_S):
                for child in self._children:
                    self._look_after(child)
        finally:
            try:
                self._stop_all()
            finally:
                for number, handler in handlers.items():
                    signal.signal(number, handler)

    def stop(self) -> None:
        """Makes `run` end; may be called from any thread."""
        self._stop.set()

    def is_running(self, name: str) -> bool:
        return any(child.process is not None for child in self._children if child.program.name == name)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._hurry = self._stop.is_set()  # asked twice: the person at the terminal won't wait
        self._stop.set()

    def _look_after(self, child: _Child) -> None:
        now = time.monotonic()
        if child.process is None:
            if now >= child.start_at:
                self._start(child)
            return
        code = child.process.poll()
        if code is None:
            return
        _close(child.process)
        child.process = None
        settled = now - child.started_at >= SETTLED_AFTER_S
        child.quick_deaths = 1 if settled else child.quick_deaths + 1
        delay = restart_delay_s(child.quick_deaths)
        child.start_at = now + delay
        self._say(
            f"{child.program.name} {_how_it_ended(code)}; starting it again{f' in {delay:g} s' if delay else ''}."
        )
        if child.quick_deaths == DEATHS_IN_A_LOOP:
            self._say(
                f"{child.program.name} died {child.quick_deaths} times soon after its start. The lines above say why; "
                f"it is tried again, at last every {LONGEST_DELAY_S:g} s."
            )

    def _start(self, child: _Child) -> None:
        child.process = subprocess.Popen(
            [sys.executable, "-m", "shop_search.leash", *child.program.argv],
            cwd=self._cwd,
            env=self._env,
            stdin=subprocess.PIPE,
            pass_fds=child.program.fds,
            start_new_session=True,
        )
        child.started_at = time.monotonic()

    def _stop_all(self) -> None:
        for last in (False, True):
            group = [child for child in self._children if child.process and child.program.stops_last is last]
            for child in group:
                assert child.process is not None
                child.process.terminate()
            until = time.monotonic() + GRACE_S
            for child in group:
                self._wait_for(child, until)

    def _wait_for(self, child: _Child, until: float) -> None:
        process = child.process
        assert process is not None
        while process.poll() is None and time.monotonic() < until and not self._hurry:
            time.sleep(0.02)
        if process.poll() is None:
            self._say(f"{child.program.name} didn't stop in time and was killed.")
            process.kill()
            process.wait()
        _close(process)
        child.process = None


def restart_delay_s(quick_deaths: int) -> float:
    """Returns the wait before the next start: none after a first death, then doubling up to LONGEST_DELAY_S."""
    if quick_deaths <= 1:
        return 0.0
    return float(min(FIRST_DELAY_S * 2 ** min(quick_deaths - 2, 20), LONGEST_DELAY_S))


def _how_it_ended(code: int) -> str:
    if code < 0:
        return f"was killed ({signal.Signals(-code).name})"
    return f"ended with exit code {code}"


def _close(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        process.stdin.close()
