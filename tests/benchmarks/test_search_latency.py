"""The benchmarks still run. What they measure on a busy machine means nothing, so nothing is said of it."""

import json
import subprocess
import sys

from django.conf import settings


def test_the_search_benchmark_measures_both_stacks_stage_by_stage() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.search_latency", "--quick", "--json"],
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["points"] == 500
    assert set(report["shop_search_ms"]) == {"decode", "detect", "embed", "search", "rank", "total", "http"}
    assert set(report["tutorial_ms"]) == {"decode", "detect", "embed", "search", "total"}
    assert {"web", "worker", "store", "serve", "all"} == set(report["memory_mib"])
    assert report["times_faster"] > 0
