"""A shop for browser tests: the real programs on a home of their own, and a small drawn catalog imported as any is."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

from django.conf import settings

from fixtures import DrawnProduct, Scene, demo_products, draw_product, draw_scene
from fixtures.demo import COLUMNS, DEMO_SCENES, DEMO_STRENGTH, Shot, feed_row, image_link

PRODUCTS = 60
PATIENCE_S = 180.0
READY = re.compile(r"is ready at (http://\S+?)/?\s")


class Shop:
    """A running shop. `address` has no slash at its end."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        people = [shot for shot in DEMO_SCENES if shot.kind == "figure"]
        self.scenes = [_save(_draw(shot), folder / "scenes") for shot in people[:3]]
        self._lines: list[str] = []
        self._environment = {**os.environ, "SHOP_SEARCH_HOME": str(self.home), "PYTHONUNBUFFERED": "1"}
        self._environment.pop("DJANGO_SETTINGS_MODULE", None)
        products = some_products([item.sku for _, scene in self.scenes for item in scene.items])
        feed = _write_feed(folder / "feed", products)
        _save(_draw(DEMO_SCENES[0]), self.home / "media" / "samples")
        self._manage("migrate", "--verbosity", "0")
        self._manage("import_catalog", str(feed), "--merchant", "atelier", "--images", str(feed.parent))
        self._process = subprocess.Popen(
            [sys.executable, "manage.py", "serve", "--port", "0"],
            cwd=settings.BASE_DIR,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        threading.Thread(target=self._read, daemon=True).start()
        try:
            self.address = self._wait_for_address()
            self._wait_for_index(2 * len(products))
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()

    def _manage(self, *arguments: str) -> None:
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(command, cwd=settings.BASE_DIR, env=self._environment, capture_output=True, text=True)
        assert done.returncode == 0, f"{' '.join(arguments)}: {done.stdout}{done.stderr}"

    def _read(self) -> None:
        assert self._process.stdout is not None
        self._lines.extend(self._process.stdout)

    def _wait_for_address(self) -> str:
        return _wait(lambda: (found := READY.search("".join(self._lines))) and found[1], self._trouble)

    def _wait_for_index(self, images: int) -> None:
        _wait(lambda: self._health()["images_indexed"] >= images, self._trouble)

    def _health(self):
        with urllib.request.urlopen(f"{self.address}/api/v1/health/", timeout=PATIENCE_S) as response:
            return json.load(response)

    def _trouble(self) -> str:
        return "".join(self._lines) or "serve said nothing"


def some_products(skus: list[str]) -> list[DrawnProduct]:
    """Returns the products of these SKUs and enough others, spread over all categories."""
    wanted = [product for product in demo_products() if product.sku in skus]
    others = [product for product in demo_products() if product.sku not in skus]
    step = max(1, len(others) // (PRODUCTS - len(wanted)))
    return wanted + others[::step]


def _write_feed(folder: Path, products: list[DrawnProduct]) -> Path:
    (folder / "images").mkdir(parents=True)
    feed = folder / "catalog.csv"
    with feed.open("w", newline="", encoding="utf-8") as stream:
        rows = csv.DictWriter(stream, COLUMNS)
        rows.writeheader()
        for product in products:
            rows.writerow(feed_row(product))
            for view in (0, 1):
                draw_product(product, view=view, size=320).save(folder / image_link(product, view), quality=90)
    return feed


def _draw(shot: Shot) -> Scene:
    return draw_scene(shot.seed, size=shot.size, kind=shot.kind, strength=DEMO_STRENGTH)


def _save(scene: Scene, folder: Path) -> tuple[Path, Scene]:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{scene.name}.jpg"
    scene.image.save(path, quality=90)
    return path, scene


def _wait(ready, trouble):
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if found := ready():
            return found
        time.sleep(0.3)
    raise AssertionError(f"The shop was not ready after {PATIENCE_S:.0f} s: {trouble()}")
