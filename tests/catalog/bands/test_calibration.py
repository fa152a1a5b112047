from datetime import timedelta

import pytest
from django.utils import timezone

from catalog.bands import Band, Bands
from catalog.bands import calibration as band_calibration
from catalog.bands.calibration import advice, current_bands, forget, keep
from catalog.models import BandCalibration, Product
from catalog.search.questions import Question
from catalog.search.search import search
from tests.catalog.shop import use_fakes
from tests.fakes import picture

BANDS = Bands(
    {Band.SAME_PHOTO: 0.9, Band.SAME_PRODUCT: 0.7, Band.SIMILAR: 0.3},
    {"bags": {Band.SAME_PHOTO: 0.9, Band.SAME_PRODUCT: 0.6, Band.SIMILAR: 0.2}},
)


@pytest.fixture(autouse=True)
def _nothing_is_remembered():
    forget()
    yield
    forget()


def calibrated(bands: Bands = BANDS) -> BandCalibration:
    return keep(bands, counts={"removed": 100}, report={})


def test_a_calibration_is_used_at_once(shelf):
    before = current_bands()
    calibrated()

    assert before == Bands.of_settings()
    assert current_bands() == BANDS


def test_the_latest_calibration_counts(shelf):
    calibrated()
    calibrated(Bands({Band.SAME_PRODUCT: 0.8}))

    assert current_bands() == Bands({Band.SAME_PRODUCT: 0.8})


def test_another_encoder_has_bands_of_its_own(shelf, settings):
    calibrated()
    use_fakes(settings, encoder="2")

    assert current_bands() == Bands.of_settings()


def test_searches_read_the_row_once_in_a_while(shelf, django_assert_num_queries, monkeypatch):
    calibrated()
    with django_assert_num_queries(1):
        current_bands()
        current_bands()
    monkeypatch.setattr(band_calibration, "REREAD_S", -1.0)
    with django_assert_num_queries(1):
        current_bands()


def test_a_shop_without_calibration_is_advised_to_once_it_is_large_enough(shelf):
    shelf.put("sku-0", 0)
    product = Product.objects.get()
    assert advice() is None
    Product.objects.bulk_create(
        Product(merchant=product.merchant, category=product.category, sku=f"sku-{n}", title="T") for n in range(1, 100)
    )

    assert "Run calibrate_bands" in str(advice())


def test_a_catalog_that_stayed_needs_no_other_calibration(shelf):
    for number in range(10):
        shelf.put(f"sku-{number}", number)
    calibrated()
    shelf.put("new", 11)
    shelf.put("newer", 12)

    assert advice() is None


def test_a_catalog_that_changed_by_more_than_a_fifth_needs_another(shelf):
    for number in range(10):
        shelf.put(f"sku-{number}", number)
    row = calibrated()
    Product.objects.filter(sku__in=["sku-1", "sku-2"]).withdraw()
    shelf.put("new", 11)

    assert "3 products came or went since the bands were calibrated on 10" in str(advice())
    BandCalibration.objects.filter(pk=row.pk).update(created_at=timezone.now() + timedelta(minutes=1))
    assert advice() is None


def test_searches_go_by_the_calibration(shelf):
    shelf.put("sku-0", 0)
    before = search(Question(image=picture(7)))
    calibrated(Bands({Band.SAME_PHOTO: 1.1, Band.SAME_PRODUCT: -1.0, Band.SIMILAR: -1.0}))
    after = search(Question(image=picture(7)))

    assert before.results[0].band is not Band.SAME_PRODUCT
    assert after.results[0].band is after.band is Band.SAME_PRODUCT
