"""The Edge daemon as one of a supervisor's programs: it takes the folder over from a daemon that was started on demand.

    python -m embeddings.stores.edge_program PATH

A daemon on demand belongs to nobody and would outlive `serve`; this one ends with its supervisor. Clients notice
no more than a closed connection, which they open again.
"""

import logging
import os
import sys
from pathlib import Path
from typing import Final

from embeddings.stores.edge import EdgeStore
from embeddings.stores.edge_server import EXIT_LOCKED, serve

# A client may start another daemon between the end of one and our taking the lock.
_TRIES: Final = 5


def main(path: Path) -> int:
    """Runs the daemon until it is told to stop; returns its exit status, EXIT_LOCKED when others kept the folder."""
    for _ in range(_TRIES):
        EdgeStore(path).stop()
        status = serve(path, idle_exit_s=None, ready=lambda: None)
        if status != EXIT_LOCKED:
            return status
    return EXIT_LOCKED


if __name__ == "__main__":
    os.umask(0o077)
    logging.basicConfig(level=logging.INFO, format="{asctime} {levelname} {name}: {message}", style="{")
    sys.exit(main(Path(sys.argv[1]).absolute()))
