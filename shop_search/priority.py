"""Who waits when there is too little processor for all: those whom nobody waits for."""

import os
from pathlib import Path

BEHIND = 10  # of 19: a process at 0 gets about nine times as much
# Linux shares the processor between sessions first, and within one by niceness; each program of `serve` has its own.
_OF_SESSION = Path("/proc/self/autogroup")


def step_back() -> None:
    """Lets all other programs go first from now on, where they want the processor too."""
    os.nice(max(0, BEHIND - os.nice(0)))
    if os.getsid(0) != os.getpid():
        return  # somebody's terminal, which has other things to do
    try:
        _OF_SESSION.write_text(str(BEHIND))
    except OSError:  # no such thing in this system, or not for us
        return
