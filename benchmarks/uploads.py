"""How fast a merchant's upload comes in: new products, a replay, new prices; and what memory a long feed takes.

    python -m benchmarks.uploads [--products 20000] [--feed-mb 0] [--json]

Rows and their acknowledged commits are timed, on a database on this disk; indexing has a benchmark of its own. The
products share a few small pictures, so that what is measured is rows. `grown_mb` is by how much the process's peak grew
meanwhile: compare `--products 10000` with 100000. `--feed-mb 1024` also reads a feed of that size whose rows are all
bad, and prints by how much the process grew.
"""

import argparse
import csv
import io
import json
import os
import platform
import resource
import time
import zipfile
from collections.abc import Iterator
from typing import Any

from benchmarks.bench_home import bench_home

PICTURES = 20


def main() -> None:
    arguments = _arguments()
    with bench_home():
        result = {"cores": os.cpu_count(), "machine": platform.machine(), **_measure(arguments)}
    if arguments.json:
        print(json.dumps(result, indent=2))
    else:
        for name, value in result.items():
            print(f"{name}: {value}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--products", type=int, default=20_000, metavar="N")
    parser.add_argument("--feed-mb", type=int, default=0, metavar="MB")
    parser.add_argument("--json", action="store_true", help="print one JSON document on standard output")
    return parser.parse_args()


def _measure(arguments: argparse.Namespace) -> dict[str, Any]:
    count = arguments.products
    result: dict[str, Any] = {"products": count}
    catalog = _zip(count, price="10.00")
    result["added"] = _timed(catalog, "added", count)
    result["unchanged"] = _timed(catalog, "unchanged", count)
    result["new_prices"] = _timed(_csv(count, price="11.00").encode(), "changed", count)
    if arguments.feed_mb:
        result["feed_mb"], result["grown_mb"], result["bad_rows_per_s"] = _long_feed(arguments.feed_mb)
    return result


def _timed(data: bytes, what: str, count: int) -> dict[str, int]:
    """Returns rows a second by the clock, and by the processor's time, which others on the machine change little; and
    by how many MiB the process's peak grew."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started, worked = time.perf_counter(), time.process_time()
    upload = _upload([data])
    seconds, busy = time.perf_counter() - started, time.process_time() - worked
    assert (upload.status, getattr(upload, what)) == ("done", count), (upload.status, upload.error, upload.rows_done)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
    return {"rows_per_s": round(count / seconds), "rows_per_cpu_s": round(count / busy), "grown_mb": grown}


def _upload(chunks: Any) -> Any:
    from catalog.models import Merchant
    from catalog.uploads.accept import accept_upload
    from catalog.uploads.work import do_next_upload

    merchant, _ = Merchant.objects.get_or_create(slug="bench", defaults={"name": "Bench"})
    upload = accept_upload(merchant, "feed", chunks)
    assert do_next_upload()
    upload.refresh_from_db()
    return upload


def _long_feed(size_mb: int) -> tuple[int, int, float]:
    """Returns the feed's size, by how much the process grew, and rows a second."""
    rows = 0

    def chunks() -> Iterator[bytes]:
        nonlocal rows
        yield b"id,title,image_link,description\n"
        size, text = 0, "a word or two " * 70
        while size < size_mb << 20:
            lines = "".join(f"L-{rows + n:09},,{n}.png,{text}\n" for n in range(1000)).encode()
            rows, size = rows + 1000, size + len(lines)
            yield lines

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.perf_counter()
    upload = _upload(chunks())
    seconds = time.perf_counter() - started
    assert (upload.status, upload.rows_failed) == ("done", rows), (upload.status, upload.error, upload.rows_failed)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return size_mb, grown // 1024, round(rows / seconds)


def _csv(count: int, *, price: str) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow(["id", "title", "image_link", "price", "product_type", "brand"])
    for n in range(count):
        writer.writerow([f"P-{n:06}", f"Product {n}", f"{n % PICTURES}.png", f"{price} EUR", "shoes", "Bench"])
    return stream.getvalue()


def _zip(count: int, *, price: str) -> bytes:
    from PIL import Image

    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("feed.csv", _csv(count, price=price))
        for n in range(PICTURES):
            picture = io.BytesIO()
            Image.effect_noise((96, 96), 60 + n).save(picture, "PNG")
            archive.writestr(f"{n}.png", picture.getvalue())
    return stream.getvalue()


if __name__ == "__main__":
    main()
