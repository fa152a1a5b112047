"""How long a shopper waits: HTTP searches with 12-megapixel photos against a large catalog, beside the tutorial stack.

    python -m benchmarks.search_latency [--points 50000] [--searches 100] [--json] [--quick]

A search is timed from connecting to the last byte of the answer, upload included. `--quick` is a smoke test: its
numbers mean nothing.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import asdict

from benchmarks.bench_home import Server, bench_home
from benchmarks.percentiles import Percentiles, table
from benchmarks.photos import phone_photos

BOUNDARY = "shop-search-benchmark"
WARM_UP = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=50_000, help="indexed vectors (default: 50000)")
    parser.add_argument("--searches", type=int, default=100, help="timed searches (default: 100)")
    parser.add_argument("--tutorial-searches", type=int, default=20, help="0 leaves the tutorial stack out")
    parser.add_argument("--photos", type=int, default=4, help="different photos (default: 4)")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to see that it runs")
    asked = parser.parse_args()
    if asked.quick:
        asked.points, asked.searches, asked.tutorial_searches, asked.photos = 500, 3, min(asked.tutorial_searches, 2), 1

    tell(f"Drawing {asked.photos} photos of 12 megapixels")
    photos = phone_photos(asked.photos)
    with bench_home() as home:
        from benchmarks.synthetic import fill

        tell(f"Storing {asked.points} products")
        fill(asked.points)
        server = Server(home)
        try:
            tell(f"Searching {asked.searches} times")
            ours = search_over_http(server, photos, asked.searches)
            memory = server.resident_mb()
        finally:
            server.stop()
    theirs = tutorial(asked.points, asked.tutorial_searches, asked.photos) if asked.tutorial_searches else {}

    report = {
        "points": asked.points,
        "photo_mb": round(sum(map(len, photos)) / len(photos) / 2**20, 1),
        "cores": os.cpu_count(),
        "shop_search_ms": {name: asdict(row) for name, row in ours.items()},
        "memory_mib": {**memory, "all": round(sum(memory.values()), 1)},
        "tutorial_ms": {name: asdict(row) for name, row in theirs.items()},
        "times_faster": round(theirs["total"].p50 / ours["http"].p50, 1) if theirs else None,
    }
    if asked.json:
        json.dump(report, sys.stdout, indent=2)
        return
    print(f"{asked.points} vectors, photos of {report['photo_mb']} MiB, {report['cores']} cores")
    print(table("Shop Search", ours))
    print("memory, MiB:", ", ".join(f"{name} {mb:.0f}" for name, mb in report["memory_mib"].items()))
    if theirs:
        print(table("tutorial stack", theirs))
        print(f"p50 over HTTP is {report['times_faster']} times faster than the tutorial stack in-process.")


def search_over_http(server: Server, photos: list[bytes], searches: int) -> dict[str, Percentiles]:
    """Returns the percentiles of each stage that the answer names, and of the whole as `http`."""
    taken: dict[str, list[float]] = {}
    for number in range(searches + WARM_UP):
        body = multipart(photos[number % len(photos)])
        started = time.perf_counter()
        connection = server.connect()
        connection.request(
            "POST", "/api/v1/search/", body, {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
        )
        response = connection.getresponse()
        answer = json.loads(response.read())
        elapsed_ms = (time.perf_counter() - started) * 1000
        connection.close()
        if response.status != 200:
            raise RuntimeError(f"a search was answered {response.status}: {answer}")
        if number >= WARM_UP:
            for stage, stage_ms in {**answer["timings_ms"], "http": elapsed_ms}.items():
                taken.setdefault(stage, []).append(stage_ms)
    return {stage: Percentiles.of(values) for stage, values in taken.items()}


def multipart(photo: bytes) -> bytes:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="image"; filename="photo.jpg"\r\n'
    return f"{head}Content-Type: image/jpeg\r\n\r\n".encode() + photo + f"\r\n--{BOUNDARY}--\r\n".encode()


def tutorial(points: int, searches: int, photos: int) -> dict[str, Percentiles]:
    """Runs the tutorial stack in a process of its own."""
    sizes = ["--points", str(points), "--searches", str(searches), "--photos", str(photos)]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.tutorial_stack", "--json", *sizes], stdout=subprocess.PIPE, check=True
    )
    # ultralytics may print to standard output before us.
    return {name: Percentiles(*row) for name, row in json.loads(done.stdout.splitlines()[-1]).items()}


def tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
