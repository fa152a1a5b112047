"""Fills this home with the demo shop: draw, import, index, calibrate, lay out samples.

Each step skips what is already there.
"""

import shutil
import signal
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from catalog.bands.calibrating import calibrate, use
from catalog.bands.calibration import advice
from catalog.indexing.index import index_all, reindex
from catalog.jobs import ask
from catalog.models import Merchant, Product, ProductImage
from catalog.uploads.imports import import_feed
from embeddings import encoder, vector_store
from fixtures.demo import MARKER, write_demo
from shop_search.errors import ShopSearchError
from shop_search.model_card import ModelCard

T = TypeVar("T")

# Simulated searches: so many give every chart of the console something to show, in a few minutes of one core's half.
SHOPPERS = 240

# The drawn scenes that the page offers, and the names that it makes their labels from.
SAMPLES = {
    "scene-01.jpg": "a-day-at-the-sea",
    "scene-03.jpg": "evening-in-town",
    "scene-06.jpg": "two-friends",
    "scene-07.jpg": "summer-in-the-park",
    "scene-11.jpg": "packed-for-a-weekend",
    "scene-12.jpg": "backpack-and-sneakers",
}


class Command(BaseCommand):
    help = "Draws the demo catalog, imports and indexes it. Quick when it is there already."

    def handle(self, *args: Any, **options: Any) -> None:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
        drawn = settings.SHOP_SEARCH_HOME / "demo"
        call_command("migrate", interactive=False, verbosity=0)
        self._draw(drawn)
        if is_loaded(drawn):
            return
        try:
            with _store_for_now():
                self._import(drawn)
                self._index()
                self._calibrate()
        except ShopSearchError as error:
            raise CommandError(error.message) from error
        lay_out_samples(drawn)
        ask_for_what_takes_long()
        _stamp(drawn).write_text(_wanted(drawn))

    def _draw(self, drawn: Path) -> None:
        """Nothing is drawn when the same demo lies there complete."""
        write_demo(drawn, progress=lambda steps, total: self._bar("Drawing the demo shop", steps, total))

    def _import(self, drawn: Path) -> None:
        feeds = sorted(drawn.glob("*/catalog.csv"))
        failed = 0
        for feed in self._bar("Importing three catalogs", feeds, len(feeds)):
            slug = feed.parent.name
            name = slug.replace("-", " ").title()
            merchant, _ = Merchant.objects.get_or_create(slug=slug, defaults={"name": name})
            failed += import_feed(feed, merchant=merchant).failed
        if failed:
            raise CommandError(f"{failed} rows of the drawn catalogs couldn't be imported; see {drawn}.")

    def _index(self) -> None:
        images = ProductImage.objects.indexable()
        is_outdated = images.embedded_by_another(encoder().card.fingerprint).exists()
        work = reindex if is_outdated else index_all
        with self._progress("Indexing pictures", (images if is_outdated else images.due()).count()) as bar:
            report = work(progress=lambda report: bar.update(report.indexed + report.failed))
        if report.failed:
            self.stderr.write(f"{report.failed} pictures couldn't be indexed.")

    def _calibrate(self) -> None:
        """Without it the first searches would call a jacket in another color the same product."""
        if advice() is None:
            return
        with self._progress("Learning what scores mean", Product.objects.shown().count()) as bar:

            def progress(done: int, total: int) -> None:
                bar.total = total
                bar.update(done - bar.n)

            use(calibrate(progress=progress))

    def _bar(self, what: str, steps: Iterable[T], total: int) -> Iterator[T]:
        with self._progress(what, total) as bar:
            for step in steps:
                yield step
                bar.update()

    def _progress(self, what: str, total: int) -> Any:
        if not sys.stderr.isatty():
            self.stderr.write(f"{what} ({total})")
        # disable=None: no bar where nobody watches
        return tqdm(
            total=total,
            desc=what,
            file=sys.stderr,
            disable=None,
            bar_format="{desc} {percentage:3.0f}% |{bar:30}| {elapsed}",
        )


def is_loaded(drawn: Path) -> bool:
    """Returns whether this home holds the shop that lies drawn there, completely, indexed by today's encoder."""
    stamp = _stamp(drawn)
    return stamp.exists() and stamp.read_text() == _wanted(drawn) and Product.objects.exists()


def lay_out_samples(drawn: Path) -> None:
    """Copies the sample scenes to where the page looks for them."""
    folder = Path(settings.MEDIA_ROOT) / "samples"
    folder.mkdir(parents=True, exist_ok=True)
    for scene, name in SAMPLES.items():
        shutil.copyfile(drawn / "scenes" / scene, folder / f"{name}.jpg")


def ask_for_what_takes_long() -> None:
    """Asks for what fills the console: a worker does it once the shop is up, and rests longer than it works."""
    ask("simulate_shoppers", searches=SHOPPERS, days=60, rest=1.5)
    ask("learn_ranking", is_simulated=True)
    ask("measure_catalog", sample=40)


@contextmanager
def _store_for_now() -> Iterator[None]:
    """Stops the embedded store afterwards, which would otherwise wait for others: `serve` starts its own."""
    try:
        yield
    finally:
        stop = getattr(vector_store(), "stop", None)
        if stop is not None:
            stop()


def _wanted(drawn: Path) -> str:
    """Returns what the stamp says when all is done. Only the encoder's card is read: loading it takes a second."""
    card = ModelCard.load(settings.ENCODER["OPTIONS"]["card"])
    return f"{(drawn / MARKER).read_text()}\n{card.fingerprint}\n"


def _stamp(drawn: Path) -> Path:
    return drawn.with_name("demo-loaded.json")
