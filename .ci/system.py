"""Sees to what the tests need from the system: a Chromium for the browser tests, the servers of a fleet, and the
libraries that OpenCV links.

Run by the test environment's Python. As root on a machine with apt, what is missing is installed; elsewhere it is
named.
"""

import glob
import os
import shutil
import subprocess
import sys

LIGHT_BROWSER = "chromium-headless-shell"  # has no windows: opening a page takes it a fifth of the time
BROWSERS = [LIGHT_BROWSER, "chromium", "chromium-browser", "google-chrome", "chrome"]  # as tests/browser looks for them
# What tests/services starts; Debian keeps PostgreSQL's programs out of PATH.
SERVERS = {"postgresql": "initdb", "redis-server": "redis-server"}
SERVER_FOLDERS = "/usr/lib/postgresql/*/bin"
INSTALL = ["apt-get", "install", "-y", "-qq", "--no-install-recommends"]
OPENCV_NEEDS = ["libgl1", "libglib2.0-0", "libxcb1"]


def main() -> None:
    can_install = os.geteuid() == 0 and bool(shutil.which("apt-get"))
    if can_install and not os.environ.get("CHROMIUM") and not shutil.which(LIGHT_BROWSER):
        install([LIGHT_BROWSER])  # where there is none, any other does
    missing = []
    if not os.environ.get("CHROMIUM") and not any(map(shutil.which, BROWSERS)):
        missing.append("chromium")
    missing += [package for package, name in SERVERS.items() if not is_there(name)]
    if not imports("cv2"):
        missing += OPENCV_NEEDS
    if not missing:
        return
    if not can_install:
        sys.exit(
            f"error: the tests need {' '.join(missing)}, and only root can install them here.\n"
            f"       On Debian and Ubuntu: sudo {' '.join([*INSTALL, *missing])}"
        )
    if failure := install(missing):
        sys.exit(f"error: {failure}")


def install(packages: list[str]) -> str:
    """Returns what went wrong, or nothing."""
    print(f"Installing {' '.join(packages)} with apt.", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for step in (["apt-get", "update", "-qq"], [*INSTALL, *packages]):
        done = subprocess.run(step, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode != 0:
            return f"`{' '.join(step)}` failed:\n{done.stdout}{done.stderr}"
    return ""


def is_there(name: str) -> bool:
    return bool(shutil.which(name) or glob.glob(f"{SERVER_FOLDERS}/{name}"))


def imports(module: str) -> bool:
    """Returns whether this Python can import the module, asked in a process of its own."""
    return subprocess.run([sys.executable, "-c", f"import {module}"], capture_output=True).returncode == 0


if __name__ == "__main__":
    main()
