import signal
from contextlib import nullcontext
from io import StringIO

import pytest

from catalog.bands import Bands, calibration
from catalog.bands.calibrating import Calibrated
from catalog.management.commands import load_demo
from catalog.management.commands.load_demo import ask_for_what_takes_long
from catalog.models import BandCalibration, Job


@pytest.fixture
def of_three_products(shelf):
    for seed in range(1, 4):
        shelf.put(f"P{seed}", seed)


def calibrated(monkeypatch) -> tuple[int, str]:
    """Returns how many calibrations the step leaves, and what it prints."""

    def calibrate(*, progress):
        progress(6, 6)
        return Calibrated(Bands({}), [], {"counts": {}, "report": {}})

    monkeypatch.setattr(load_demo, "calibrate", calibrate)
    printed = StringIO()
    load_demo.Command(stderr=printed)._calibrate()
    return BandCalibration.objects.count(), printed.getvalue()


def test_a_demo_of_enough_products_learns_its_own_bands_before_its_page_opens(of_three_products, monkeypatch):
    monkeypatch.setattr(calibration, "LEAST_PRODUCTS", 3)
    assert calibrated(monkeypatch) == (1, "Learning what scores mean (3)\n")


def test_a_demo_of_few_products_keeps_the_bands_of_the_settings(of_three_products, monkeypatch):
    monkeypatch.setattr(calibration, "LEAST_PRODUCTS", 4)
    assert calibrated(monkeypatch) == (0, "")


def test_a_demo_is_calibrated_once_all_is_indexed_and_only_then_called_loaded(db, settings, tmp_path, monkeypatch):
    settings.SHOP_SEARCH_HOME = tmp_path
    stamp, done = tmp_path / "demo-loaded.json", []
    for step in ("_draw", "_import", "_index", "_calibrate"):
        monkeypatch.setattr(load_demo.Command, step, lambda *_, step=step: done.append((step, stamp.exists())))
    monkeypatch.setattr(load_demo, "_store_for_now", nullcontext)
    monkeypatch.setattr(load_demo, "lay_out_samples", lambda _: None)
    monkeypatch.setattr(load_demo, "_wanted", lambda _: "wanted")
    monkeypatch.setattr(signal, "signal", lambda *_: None)

    load_demo.Command().handle()

    assert done == [("_draw", False), ("_import", False), ("_index", False), ("_calibrate", False)]
    assert stamp.read_text() == "wanted"


def test_what_fills_the_console_is_left_to_a_worker(db):
    ask_for_what_takes_long()
    asked = list(Job.objects.order_by("created_at").values_list("kind", flat=True))
    assert asked == ["simulate_shoppers", "learn_ranking", "measure_catalog"]
