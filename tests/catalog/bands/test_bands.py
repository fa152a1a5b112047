import pytest

from catalog.bands import Band, Bands

EVERYWHERE = {Band.SIMILAR: 0.5, Band.SAME_PRODUCT: 0.8, Band.SAME_PHOTO: 0.9}


@pytest.mark.parametrize(
    ("score", "expected"),
    [
        (1.0, Band.SAME_PHOTO),
        (0.9, Band.SAME_PHOTO),
        (0.89, Band.SAME_PRODUCT),
        (0.5, Band.SIMILAR),
        (0.49, Band.NOTHING_CLOSE),
        (-1.0, Band.NOTHING_CLOSE),
    ],
)
def test_a_score_falls_into_the_best_band_it_reaches(score, expected):
    assert Bands(EVERYWHERE).band(score) is expected


def test_a_category_with_thresholds_of_its_own_goes_by_them():
    bands = Bands(EVERYWHERE, {"bags": {**EVERYWHERE, Band.SAME_PRODUCT: 0.6}})

    assert bands.band(0.7, "bags") is Band.SAME_PRODUCT
    assert bands.band(0.7, "shoes") is bands.band(0.7) is Band.SIMILAR


def test_a_shop_that_has_not_calibrated_goes_by_its_settings(settings):
    settings.BAND_THRESHOLDS = {"same_photo": 0.95, "same_product": 0.7, "similar": 0.2}

    assert Bands.of_settings().band(0.71) is Band.SAME_PRODUCT
