"""Runs a Python program that can't outlive the process that started it.

    python -m shop_search.leash manage.py worker
    python -m shop_search.leash -m some.module --option

Standard input is the leash: a pipe whose other end only the starter holds. When the starter is gone, however it went,
the pipe ends; the program and what it started are asked to stop, and ended hard if they haven't after a few seconds.
A pipe works wherever Python does; Linux' parent-death signal would serve one system only.
"""

import os
import runpy
import signal
import sys
import threading
import time

# A request or an indexing batch takes well under a second; after this the program is taken to be stuck.
GRACE_S = 3.0


def main(argv: list[str]) -> None:
    """Runs `argv` (a script with arguments, or `-m module` with arguments) in this process, on the leash."""
    leash = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    threading.Thread(target=_end_with, args=(leash,), name="leash", daemon=True).start()

    if argv[0] == "-m":
        sys.argv = argv[1:]
        runpy.run_module(argv[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = argv
        sys.path[0] = os.path.dirname(os.path.abspath(argv[0]))
        runpy.run_path(argv[0], run_name="__main__")


def _end_with(leash: int) -> None:
    while os.read(leash, 64):
        pass
    # In a session of its own the program leads its group: what it started goes with it.
    leads = os.getpgrp() == os.getpid()
    if leads:
        os.killpg(0, signal.SIGTERM)
    else:
        os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_S)
    if leads:
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
