"""Who runs which test. Were it not heeded, each process would set up every shop, and only the clock would tell."""

import os
import subprocess
import sys

from django.conf import settings

from tests.sharing import place_of, share_of


def test_a_files_tests_share_a_process_whatever_their_parameters_say():
    assert share_of("tests/a/test_b.py::test_c[one]") == share_of("tests/a/test_b.py::test_d[tests/x.py::e@f]")
    assert share_of("tests/a/test_b.py::test_c") != share_of("tests/a/test_d.py::test_c")


def test_all_browser_tests_share_one_process():
    assert share_of("tests/browser/test_box.py::test_a") == share_of("tests/browser/test_look.py::test_b")


def test_what_takes_long_comes_first():
    tests = ["tests/catalog/test_a.py::b", "tests/journeys/test_a.py::b", "tests/browser/test_a.py::b"]
    assert sorted(tests, key=place_of) == tests[::-1]


def test_two_processes_share_whole_files(tmp_path):
    (tmp_path / "conftest.py").write_text("from tests.sharing import *\n")
    for name in ("test_one", "test_two"):
        (tmp_path / f"{name}.py").write_text(
            "import os, pathlib, pytest\n"
            "@pytest.mark.parametrize('number', range(12))\n"
            "def test_it(number):\n"
            f"    with pathlib.Path('{name}.txt').open('a') as ran:\n"
            "        print(os.environ['PYTEST_XDIST_WORKER'], file=ran)\n"
        )

    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "2", "-p", "no:django", "--rootdir", str(tmp_path), "."],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(settings.BASE_DIR)},
        check=True,
    )

    ran = {name: (tmp_path / f"{name}.txt").read_text().split() for name in ("test_one", "test_two")}
    assert [len(processes) for processes in ran.values()] == [12, 12]
    assert [len(set(processes)) for processes in ran.values()] == [1, 1]
