"""Makes or updates a virtual environment from pyproject.toml: `python3 environment.py .venv [extra ...]`.

The project runs from its clone, so only what it needs is installed, never the project itself. A folder that holds what
pyproject.toml asks for is left alone, and one that held what it asked for before is updated. A half-made one is made
anew, because pip may leave a package half unpacked when it is stopped; the downloads come from pip's cache then.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import time

LOWEST = (3, 11)
TELL_EVERY_S = 20
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def main():
    if sys.version_info < LOWEST:
        have, need = sys.version.split()[0], ".".join(map(str, LOWEST))
        fail(f"Python {need} or newer is needed, and {sys.executable} is {have}. Name another: make PYTHON=python3.12")
    folder, extras = sys.argv[1], sys.argv[2:]
    with open(os.path.join(ROOT, "pyproject.toml"), "rb") as project:
        fcntl.flock(project, fcntl.LOCK_EX)  # two `make demo` at once make one environment
        prepare(folder, extras)


def prepare(folder, extras):
    wanted = requirements(extras)
    stamp = os.path.join(folder, "made-from")
    # Scripts in it name their Python by its path: a moved folder is another one.
    base = "\n".join([sys.version, os.path.abspath(folder)])
    have = read(stamp)
    if have == "\n".join([base, *wanted]):
        return

    what = "what serving needs" if not extras else "serving, " + ", ".join(extras)
    if have.startswith(base):
        say(f"Updating {folder}: pyproject.toml asks for something else.")
        os.remove(stamp)  # until it is whole again
    else:
        say(
            f"Making {folder} with Python {sys.version.split()[0]}: {what} ({len(wanted)} packages and what they need)."
        )
        if "train" in extras:
            say("Torch from PyPI is large (about 6 GB unpacked); this takes some minutes.")
        shutil.rmtree(folder, ignore_errors=True)
        make(folder)
    # -qq: a mirror may warn of hundreds of things that concern nobody here.
    pip = [os.path.join(folder, "bin", "python"), "-m", "pip", "--disable-pip-version-check", "--no-input"]
    run(
        [*pip, "install", "-qq", "--progress-bar", "off", *wanted],
        "Installing packages failed; pip's own lines above say why. Run the same command to try again.",
    )
    with open(stamp, "w", encoding="utf-8") as stream:
        stream.write("\n".join([base, *wanted]))
    say(f"{folder} is ready.")


def requirements(extras):
    import tomllib  # Python 3.11 has it; older ones were turned away above

    with open(os.path.join(ROOT, "pyproject.toml"), "rb") as stream:
        project = tomllib.load(stream)["project"]
    return project["dependencies"] + [line for extra in extras for line in project["optional-dependencies"][extra]]


def make(folder):
    """Makes an empty environment."""
    run(
        [sys.executable, "-m", "venv", folder],
        "Python's venv module doesn't work here. On Debian and Ubuntu: apt-get install python3-venv",
    )


def run(command, hint):
    started = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    while True:
        try:
            code = process.wait(timeout=TELL_EVERY_S)
            break
        except subprocess.TimeoutExpired:
            say(f"  still working, {time.monotonic() - started:.0f} s so far")
    if code != 0:
        fail(hint)


def read(path):
    try:
        with open(path, encoding="utf-8") as stream:
            return stream.read()
    except OSError:
        return ""


def say(line):
    print(line, flush=True)


def fail(line):
    sys.exit(f"error: {line}")


if __name__ == "__main__":
    main()
