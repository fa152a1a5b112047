import csv
from pathlib import Path

import pytest

from benchmarks.bands import measure
from catalog.bands import Band, Bands
from catalog.bands import calibration as band_calibration
from tests.catalog.shelf import Shelf
from tests.fakes import picture


@pytest.fixture
def shelf(db, settings, tmp_path) -> Shelf:
    settings.DETECTOR = {"BACKEND": "tests.fakes.FakeDetector"}
    settings.ENCODER = {"BACKEND": "tests.fakes.FakeEncoder"}
    settings.VECTOR_STORE = {"BACKEND": "tests.fakes.MemoryStore"}
    settings.BAND_THRESHOLDS = {"same_photo": 0.999, "same_product": 0.95, "similar": 0.5}
    settings.MEDIA_ROOT = tmp_path / "media"
    return Shelf()


def write_queries(folder: Path, *rows: tuple[str, int]) -> Path:
    with (folder / "queries.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["image", "sku", "category"])
        for sku, seed in rows:
            (folder / f"{sku}.png").write_bytes(picture(seed))
            writer.writerow([f"{sku}.png", sku, "shoes"])
    return folder / "queries.csv"


def test_photos_are_held_against_their_product_and_against_the_others(shelf, tmp_path):
    shelf.put("S-1", 1)
    shelf.put("S-2", 2)
    band_calibration.keep(Bands({Band.SIMILAR: -1.0}), counts={}, report={})
    measured = measure(write_queries(tmp_path, ("S-1", 1), ("S-2", 2)), None)
    band_calibration.forget()

    assert measured["settings"]["second_photo"]["same_photo"]["reached"] == 2
    assert measured["settings"]["removed"]["same_photo"]["reached"] == 0
    assert measured["calibrated"]["removed"]["similar"]["reached"] == 2


def test_a_product_that_is_not_in_the_shop_is_named(shelf, tmp_path):
    shelf.put("S-1", 1)

    with pytest.raises(SystemExit, match="1 SKUs are not in this shop"):
        measure(write_queries(tmp_path, ("S-9", 1)), None)
