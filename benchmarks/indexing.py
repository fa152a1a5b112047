"""How many pictures a second go from a feed and its files to stored points, on this machine.

    python -m benchmarks.indexing [--size 480] [--json] [--quick]

Imports and indexes the drawn demo catalog into a fresh home: reading, checking and keeping each file, detection,
embedding, the store's durable write and the database. Models are loaded before the clock starts. `--quick` takes one
merchant of three.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.bench_home import bench_home
from fixtures.demo import write_demo


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=480, help="width and height of the pictures (default: 480)")
    parser.add_argument("--drawn", type=Path, help="keep the drawn catalog here, and use it when it is there")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--quick", action="store_true", help="a third of the pictures, to see that it runs")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="shop-search-drawn-") as folder:
        drawn = asked.drawn or Path(folder) / "demo"
        print("Drawing the catalog", file=sys.stderr)
        write_demo(drawn, size=asked.size)
        with bench_home():
            report = measure(sorted(drawn.glob("*/catalog.csv"))[: 1 if asked.quick else None])
    report |= {"picture_size": asked.size, "cores": os.cpu_count()}
    if asked.json:
        json.dump(report, sys.stdout, indent=2)
        return
    print(f"{report['images']} pictures of {asked.size} px on {report['cores']} cores")
    print(f"  import    {report['import_s']:>7.1f} s")
    print(f"  index     {report['index_s']:>7.1f} s   {report['indexed_per_s']:.0f} pictures/s")
    print(f"  together  {report['import_s'] + report['index_s']:>7.1f} s   {report['images_per_s']:.0f} pictures/s")


def measure(feeds: list[Path]) -> dict[str, Any]:
    """Imports and indexes the feeds into the current home and returns counts and times."""
    from catalog.indexing.index import index_all
    from catalog.models import Merchant
    from catalog.uploads.imports import import_feed
    from detection import detector
    from embeddings import encoder, vector_store

    detector()
    encoder()
    vector_store().collections()
    started = time.perf_counter()
    for feed in feeds:
        report = import_feed(feed, merchant=Merchant.objects.create(slug=feed.parent.name, name=feed.parent.name))
        if report.failed:
            raise RuntimeError(f"{report.failed} rows of {feed} failed: {report.errors[0]}")
    imported = time.perf_counter()
    done = index_all()
    indexed = time.perf_counter()
    if done.failed or done.reused:
        raise RuntimeError(f"{done.failed} pictures failed and {done.reused} weren't embedded")
    return {
        "images": done.indexed,
        "import_s": round(imported - started, 2),
        "index_s": round(indexed - imported, 2),
        "indexed_per_s": round(done.indexed / (indexed - imported), 1),
        "images_per_s": round(done.indexed / (indexed - started), 1),
    }


if __name__ == "__main__":
    main()
