import pytest

from catalog.bands import USUAL_CROWD, Band, Bands

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


def test_the_same_score_says_more_of_a_picture_with_fewer_look_alikes():
    bands = Bands(EVERYWHERE)

    assert bands.band(0.75, crowd=0.2) is Band.SAME_PRODUCT
    assert bands.band(0.75, crowd=USUAL_CROWD) is Band.SIMILAR
    assert bands.band(0.85, crowd=0.8) is Band.SIMILAR


def test_look_alikes_change_nothing_about_the_other_bands():
    bands = Bands(EVERYWHERE)

    assert {bands.band(0.9, crowd=crowd) for crowd in (0.0, 0.9, None)} == {Band.SAME_PHOTO}
    assert {bands.band(0.49, crowd=crowd) for crowd in (0.4, 0.9, None)} == {Band.NOTHING_CLOSE}


def test_of_which_another_product_is_nearer_is_not_called_the_same():
    assert Bands(EVERYWHERE).band(0.89, crowd=None) is Band.SIMILAR


def test_a_category_with_thresholds_of_its_own_goes_by_them():
    bands = Bands(EVERYWHERE, {"bags": {**EVERYWHERE, Band.SAME_PRODUCT: 0.6}})

    assert bands.band(0.7, "bags") is Band.SAME_PRODUCT
    assert bands.band(0.7, "shoes") is bands.band(0.7) is Band.SIMILAR


def test_a_shop_that_has_not_calibrated_goes_by_its_settings(settings):
    settings.BAND_THRESHOLDS = {"same_photo": 0.95, "same_product": 0.7, "similar": 0.2}

    assert Bands.of_settings().band(0.71) is Band.SAME_PRODUCT
