"""The embedded vector store as its clients see it, through the socket: python -m benchmarks.vector_store [--points N]

Prints writes a second, query times by filter, query times while another process writes, resident memory, and the time
from `kill -9` to the next answer.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray

from benchmarks.bench_home import ROOT
from benchmarks.percentiles import Percentiles, table
from benchmarks.synthetic import embeddings
from embeddings.stores.edge import EdgeStore
from embeddings.types import Payload, Point, Where

CATEGORIES = 12
COLLECTION = "products"
VECTOR = "clip"
LIMIT = 24
FILTERS = {
    "one category of 12": Where(match={"category": ("category-3",)}),
    "three categories": Where(match={"category": ("category-3", "category-4", "category-5")}),
    "one brand of 97": Where(match={"brand": ("brand 7",)}),
    "a price range (15 %)": Where(within={"price": (20.0, 50.0)}),
    "in stock (90 %)": Where(match={"in_stock": (True,)}),
    "category, price, in stock": Where(
        match={"category": ("category-3",), "in_stock": (True,)}, within={"price": (20.0, 50.0)}
    ),
    "no filter": None,
}


def payload(number: int) -> Payload:
    return {
        "product": number,
        "merchant": f"merchant-{number % 5}",
        "category": f"category-{number % CATEGORIES}",
        "price": float(number * 7 % 200),
        "brand": f"brand {number % 97}",
        "colors": ["black", "navy blue"][: number % 3],
        "in_stock": number % 10 != 0,
    }


def fill(store: EdgeStore, vectors: NDArray[np.float32], *, first: int = 0) -> float:
    """Writes one point for each row and returns points a second."""
    started = time.perf_counter()
    for start in range(0, len(vectors), 1000):
        rows = range(start, min(start + 1000, len(vectors)))
        store.upsert(COLLECTION, [Point(first + row, {VECTOR: vectors[row]}, payload(first + row)) for row in rows])
    return len(vectors) / (time.perf_counter() - started)


def timed(ask: Callable[[int], object], *, count: int) -> Percentiles:
    for number in range(5):
        ask(number)
    times = []
    for number in range(count):
        started = time.perf_counter()
        ask(number)
        times.append((time.perf_counter() - started) * 1000)
    return Percentiles.of(times)


def query_times(store: EdgeStore, vectors: NDArray[np.float32], *, count: int) -> dict[str, Percentiles]:
    return {
        name: timed(
            lambda number, where=where: store.query(  # type: ignore[misc]  # mypy can't infer a lambda's default
                COLLECTION, vectors[number % len(vectors)], using=VECTOR, limit=LIMIT, where=where
            ),
            count=count,
        )
        for name, where in FILTERS.items()
    }


def query_times_while_written(store: EdgeStore, path: Path, vectors: NDArray[np.float32], *, rate: int) -> Percentiles:
    """Times filtered queries while another process writes `rate` points a second, as indexing does."""
    writer = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.vector_store", "--write-to", str(path), "--rate", str(rate)], cwd=ROOT
    )
    try:
        time.sleep(2)
        where = FILTERS["one category of 12"]
        return timed(
            lambda number: store.query(COLLECTION, vectors[number], using=VECTOR, limit=LIMIT, where=where), count=1000
        )
    finally:
        writer.terminate()
        writer.wait()


def write_for_ever(path: Path, *, rate: int) -> None:
    store = EdgeStore(path)
    dim = len(next(iter(store.retrieve(COLLECTION, [0], using=VECTOR).values())))
    vectors = embeddings(32, dim, categories=CATEGORIES, seed=2)
    first = 10_000_000
    while True:
        started = time.perf_counter()
        fill(store, vectors, first=first)
        first += len(vectors)
        time.sleep(max(0.0, len(vectors) / rate - (time.perf_counter() - started)))


def resident_mb(store: EdgeStore) -> dict[str, float]:
    """Returns the daemon's memory: its own, and the files' pages that the system may take back."""
    memory = psutil.Process(store.health().pid).memory_info()
    return {"own": round((memory.rss - memory.shared) / 2**20, 1), "files": round(memory.shared / 2**20, 1)}


def recovery_s(store: EdgeStore) -> float:
    os.kill(store.health().pid, signal.SIGKILL)
    started = time.perf_counter()
    store.count(COLLECTION)
    return time.perf_counter() - started


def measure(points: int, dim: int) -> dict[str, Any]:
    vectors = embeddings(points, dim, categories=CATEGORIES)
    questions = embeddings(2000, dim, categories=CATEGORIES, seed=1)
    with tempfile.TemporaryDirectory(prefix="shop-search-bench-") as folder:
        path = Path(folder) / "vectors"
        store = EdgeStore(path)
        try:
            store.start()
            empty = resident_mb(store)
            store.ensure(COLLECTION, {VECTOR: dim})
            rate = fill(store, vectors)
            after_writes = recovery_s(store)
            return {
                "points": points,
                "dim": dim,
                "upserts_per_s": round(rate),
                "resident_mb_empty": empty,
                "query_ms": {name: asdict(row) for name, row in query_times(store, questions, count=300).items()},
                "query_ms_while_40_points_per_s_are_written": asdict(
                    query_times_while_written(store, path, questions, rate=40)
                ),
                "resident_mb": resident_mb(store),
                "kill_to_answer_s_during_writes": round(after_writes, 2),
                "kill_to_answer_s": round(recovery_s(store), 2),
            }
        finally:
            store.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=50_000)
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    parser.add_argument("--write-to", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--rate", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.write_to:
        write_for_ever(options.write_to, rate=options.rate)
        return
    report = measure(options.points, options.dim)
    if options.json:
        print(json.dumps(report, indent=2))
        return
    rows = {name: Percentiles(**row) for name, row in report.pop("query_ms").items()}
    rows["one category, while written"] = Percentiles(**report.pop("query_ms_while_40_points_per_s_are_written"))
    print(table(f"{options.points} x {options.dim}, top {LIMIT}", rows))
    for name, value in report.items():
        print(f"{name}: {value}")


if __name__ == "__main__":
    main()
