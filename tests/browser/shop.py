"""A shop for browser tests: the real programs on a home of their own, and a small drawn catalog imported as any is."""

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from embeddings.stores.edge import EdgeStore
from fixtures import DrawnProduct, Scene, demo_products, draw_product, draw_scene
from fixtures.demo import COLUMNS, DEMO_SCENES, DEMO_STRENGTH, Shot, feed_row, image_link

PRODUCTS = 60
PATIENCE_S = 180.0
READY = re.compile(r"is ready at (http://\S+?)/?\s")


@dataclass(frozen=True)
class Stock:
    """What shops begin with: a home whose catalog is imported and indexed, and photos of people in its products."""

    home: Path
    scenes: list[tuple[Path, Scene]]
    images: int


def stock(folder: Path) -> Stock:
    """Draws a catalog and takes it in, which takes longer than most tests: a shop is started on a copy."""
    people = [shot for shot in DEMO_SCENES if shot.kind == "figure"]
    scenes = [_save(_draw(shot), folder / "scenes") for shot in people[:3]]
    products = some_products([item.sku for _, scene in scenes for item in scene.items])
    feed = _write_feed(folder / "feed", products)
    home = folder / "home"
    _save(_draw(DEMO_SCENES[0]), home / "media" / "samples")
    manage(home, "migrate", "--verbosity", "0")
    manage(home, "import_catalog", str(feed), "--merchant", "atelier", "--images", str(feed.parent))
    EdgeStore(home / "vectors").stop()
    return Stock(home, scenes, 2 * len(products))


class Shop:
    """A running shop. `address` has no slash at its end."""

    def __init__(self, stock: Stock, folder: Path) -> None:
        self.home = shutil.copytree(stock.home, folder / "home")
        self.scenes = stock.scenes
        self._lines: list[str] = []
        self._process = subprocess.Popen(
            [sys.executable, "manage.py", "serve", "--port", "0"],
            cwd=settings.BASE_DIR,
            env=_environment(self.home),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        threading.Thread(target=self._read, daemon=True).start()
        try:
            self.address = self._wait_for_address()
            self._wait_for_index(stock.images)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()

    def manage(self, *arguments: str) -> str:
        """Returns what a command on the shop's home printed; it must succeed."""
        return manage(self.home, *arguments)

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


def manage(home: Path, *arguments: str) -> str:
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(command, cwd=settings.BASE_DIR, env=_environment(home), capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(arguments)}: {done.stdout}{done.stderr}"
    return done.stdout


def _environment(home: Path) -> dict[str, str]:
    environment = {**os.environ, "SHOP_SEARCH_HOME": str(home), "PYTHONUNBUFFERED": "1"}
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    return environment


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
