import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from catalog.bands import Band, Bands, shopper_photos
from catalog.bands.calibration import current_bands, forget
from catalog.models import BandCalibration
from tests.fakes import picture


@pytest.fixture(autouse=True)
def _nothing_is_remembered():
    forget()
    yield
    forget()


@pytest.fixture
def full_shelf(shelf, settings, tmp_path, monkeypatch):
    settings.SHOP_SEARCH_HOME = tmp_path
    monkeypatch.setattr(shopper_photos, "PHOTO", (90, 120))  # small photos are quick to make
    for number in range(110):
        shelf.put(f"sku-{number}", number, category="shoes" if number % 2 else "bags")
    return shelf


def calibrate(**options):
    out = StringIO()
    call_command("calibrate_bands", json=True, stdout=out, **options)
    return json.loads(out.getvalue())


def test_a_shop_learns_its_bands_and_uses_them(full_shelf, tmp_path):
    done = calibrate()
    everywhere = done["thresholds"][""]

    assert done["saved"]
    assert done["counts"]["removed"] == done["sampled"] == done["products"] == 110
    assert everywhere["same_photo"] >= everywhere["same_product"] >= everywhere["similar"]
    assert current_bands().everywhere[Band.SAME_PRODUCT] == everywhere["same_product"]
    assert BandCalibration.objects.get().report["all"]["removed"]["same_product"]["high"] <= 1
    assert Image.open(done["plot"]).size[0] > 500
    assert str(tmp_path) in done["plot"]


def test_the_same_dice_learn_the_same_bands(full_shelf):
    assert calibrate()["thresholds"] == calibrate()["thresholds"]


def test_a_dry_run_changes_nothing(full_shelf):
    done = calibrate(dry_run=True)

    assert not done["saved"]
    assert not BandCalibration.objects.exists()
    assert current_bands() == Bands.of_settings()


def test_things_that_are_not_sold_are_counted(full_shelf, tmp_path):
    folder = tmp_path / "groceries" / "fruit"
    folder.mkdir(parents=True)
    for seed in range(8):
        (folder / f"{seed}.png").write_bytes(picture(500 + seed))

    assert calibrate(negatives=folder.parent)["counts"]["never_sold"] == 8


def test_people_read_a_table(full_shelf):
    out = StringIO()
    call_command("calibrate_bands", stdout=out)

    assert "product taken out of the shop" in out.getvalue()
    assert "Searches use these bands" in out.getvalue()


def test_a_small_shop_is_told_to_wait(shelf):
    shelf.put("only", 1)

    with pytest.raises(CommandError, match="1 products have a picture in the index, and a calibration needs 100"):
        calibrate()


def test_a_small_sample_is_refused(full_shelf):
    with pytest.raises(CommandError, match="100 at least"):
        calibrate(sample=20)


def test_a_folder_without_pictures_is_refused(full_shelf, tmp_path):
    with pytest.raises(CommandError, match="no pictures in"):
        calibrate(negatives=tmp_path / "nowhere")


def test_a_picture_that_can_not_be_written_keeps_the_bands(full_shelf):
    with pytest.raises(CommandError, match="Can't write the picture"):
        calibrate(plot=Path("/proc/no/bands.png"))
    assert not BandCalibration.objects.exists()


def test_a_store_that_is_down_is_an_error_and_keeps_the_bands(full_shelf):
    full_shelf.break_store()

    with pytest.raises(CommandError, match="switched off"):
        calibrate()
    assert not BandCalibration.objects.exists()
