"""What a bulk upload costs those who search and those who put a single product meanwhile.

    python -m benchmarks.uploads_beside_search [--products 2000] [--searches 60] [--puts 30] [--json]

`serve` runs on a home of its own with the bundled models and 200 drawn products in the index. Searches by photo are
timed while nothing else goes on, then while a feed of so many products with a picture each comes in and is indexed; so
are single products, from their PUT until a search by their picture finds them. The last line says how many times longer
the 95th percentile of searches was.
"""

import argparse
import io
import json
import time
import uuid
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from benchmarks.bench_home import Server, bench_home
from benchmarks.percentiles import Percentiles
from fixtures import demo_products, draw_product

STOCK = 200
SIZE = 320


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--products", type=int, default=2000, metavar="N", help="in the bulk upload")
    parser.add_argument("--searches", type=int, default=60, metavar="N")
    parser.add_argument("--puts", type=int, default=30, metavar="N")
    parser.add_argument("--json", action="store_true", help="print one JSON document on standard output")
    asked = parser.parse_args()
    pictures = _pictures(STOCK)
    with bench_home() as home:
        report = _measure(home, pictures, asked)
    print(
        json.dumps(report, indent=2) if asked.json else "\n".join(f"{name}: {value}" for name, value in report.items())
    )


def _measure(home: Path, pictures: list[bytes], asked: argparse.Namespace) -> dict[str, Any]:
    from catalog.models import ApiKey, Merchant

    keys = {
        slug: ApiKey.issue(Merchant.objects.create(slug=slug, name=slug), name="bench")[1]
        for slug in ("bulk", "single")
    }
    server = Server(home)
    try:
        client = httpx.Client(base_url=f"http://127.0.0.1:{server.port}/api/v1", timeout=120)
        _send(client, keys["single"], _feed("stock", pictures, STOCK))
        _wait(lambda: client.get("/health/").json()["images_indexed"] >= STOCK, every_s=0.2)
        _searches(client, pictures, 5)  # warms up
        idle = _searches(client, pictures, asked.searches)
        sent = _send(client, keys["bulk"], _feed(uuid.uuid4().hex[:6], pictures, asked.products, is_unique=True))
        _wait(lambda: client.get("/health/").json()["images_indexed"] > STOCK, every_s=0.2)
        busy = _searches(client, pictures, asked.searches)
        puts = _puts(client, keys["single"], pictures, asked.puts)
        state = client.get(f"/uploads/{sent}/", headers=_auth(keys["bulk"])).json()
    finally:
        server.stop()
    calm, loaded, found = (Percentiles.of(times) for times in (idle, busy, puts))
    return {
        "searches": asked.searches,
        "search_idle_p95_ms": calm.p95,
        "search_busy_p95_ms": loaded.p95,
        "puts": asked.puts,
        "put_until_found_p50_ms": found.p50,
        "put_until_found_p95_ms": found.p95,
        "pictures_still_pending_at_the_end": state["images_pending"],  # 0: the upload was too small to last
        "search_p95_ratio": round(loaded.p95 / calm.p95, 2),
    }


def _searches(client: httpx.Client, pictures: list[bytes], count: int) -> list[float]:
    """Returns the milliseconds of each search."""
    found = []
    for n in range(count):
        started = time.perf_counter()
        client.post("/search/", files={"image": ("one.jpg", pictures[n % len(pictures)])}).raise_for_status()
        found.append((time.perf_counter() - started) * 1000)
    return found


def _puts(client: httpx.Client, key: str, pictures: list[bytes], count: int) -> list[float]:
    """Returns the milliseconds from sending a product to finding it by its own picture."""
    found = []
    for n in range(count):
        sku, picture = f"ONE-{uuid.uuid4().hex[:8]}", _varied(pictures[n % len(pictures)], n)
        started = time.perf_counter()
        client.put(
            f"/catalog/{sku}/",
            data={"title": f"Single {n}", "price": "5 EUR"},
            files={"image": ("one.jpg", picture)},
            headers=_auth(key),
        ).raise_for_status()
        _wait(partial(_is_found, client, sku, picture))
        found.append((time.perf_counter() - started) * 1000)
    return found


def _is_found(client: httpx.Client, sku: str, picture: bytes) -> bool:
    answer = client.post("/search/", files={"image": ("one.jpg", picture)}, data={"category": "all"}).json()
    return any(result["product"]["sku"] == sku for result in answer["results"])


def _varied(picture: bytes, n: int) -> bytes:
    """Returns a part of the picture in other light: another product's picture to the copy search, too."""
    from PIL import Image

    dice = np.random.default_rng(n)
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    left, top, right, bottom = (int(share * SIZE) for share in dice.uniform(0, 0.15, 4))
    part = np.asarray(image.crop((left, top, SIZE - right, SIZE - bottom)), np.float32)
    lit = np.clip(part * dice.uniform(0.5, 1.2, 3), 0, 255).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(lit).save(stream, "JPEG", quality=90)
    return stream.getvalue()


def _pictures(count: int) -> list[bytes]:
    found = []
    for product in demo_products()[:count]:
        stream = io.BytesIO()
        draw_product(product, view=0, size=SIZE).save(stream, "JPEG", quality=90)
        found.append(stream.getvalue())
    return found


def _feed(prefix: str, pictures: list[bytes], count: int, *, is_unique: bool = False) -> bytes:
    stream = io.BytesIO()
    rows = ["id,title,image_link,price"]
    with zipfile.ZipFile(stream, "w") as archive:
        for n in range(count):
            picture = pictures[n % len(pictures)]
            archive.writestr(f"{n}.jpg", _varied(picture, n + 1000) if is_unique else picture)
            rows.append(f"{prefix}-{n},Product {n},{n}.jpg,5 EUR")
        archive.writestr("feed.csv", "\n".join(rows))
    return stream.getvalue()


def _send(client: httpx.Client, key: str, data: bytes) -> str:
    answer = client.post("/uploads/", files={"file": ("feed.zip", data)}, headers=_auth(key)).raise_for_status()
    return str(answer.json()["id"])


def _auth(key: str) -> dict[str, str]:
    return {"Authorization": f"Api-Key {key}"}


def _wait(is_so: Callable[[], bool], patience_s: float = 600, *, every_s: float = 0.0) -> None:
    until = time.monotonic() + patience_s
    while not is_so():
        if time.monotonic() > until:
            raise RuntimeError("It never happened.")
        time.sleep(every_s)


if __name__ == "__main__":
    main()
