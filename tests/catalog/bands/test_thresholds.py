from dataclasses import replace

import numpy as np
import pytest

from catalog.bands import CROWDING, USUAL_CROWD, Band
from catalog.bands.report import cross_report
from catalog.bands.thresholds import Kind, Rate, Score, fit, rate, tail_threshold
from shop_search.errors import InputError


def scores(kind: Kind, mean: float, n: int, *, seed: int, category: str = "shoes") -> list[Score]:
    """Half of them to fit to, half to report on."""
    values = np.random.default_rng(seed).normal(mean, 0.08, n)
    return [Score(kind, category, float(value), index % 2) for index, value in enumerate(values)]


def shop(category: str = "shoes", *, n: int = 400, removed: float = 0.3) -> list[Score]:
    return [
        *scores(Kind.OWN_PHOTO, 0.6, n, seed=1, category=category),
        *scores(Kind.REMOVED, removed, n, seed=2, category=category),
        *scores(Kind.CATEGORY_REMOVED, removed - 0.15, n, seed=3, category=category),
        *scores(Kind.COPY, 0.9, n // 3, seed=4, category=category),
        *scores(Kind.COPY_REMOVED, 0.4, n // 3, seed=5, category=category),
    ]


def test_one_in_a_hundred_lies_beyond_a_threshold_fitted_to_fifty():
    dice = np.random.default_rng(0)
    beyond = [
        (dice.normal(0.3, 0.1, 2000) >= tail_threshold(dice.normal(0.3, 0.1, 50), 0.01)).mean() for _ in range(200)
    ]

    assert np.mean(beyond) == pytest.approx(0.01, abs=0.004)


def test_a_threshold_is_not_below_what_counting_says():
    with_twins = np.concatenate([np.linspace(0, 0.3, 95), [0.95] * 5])

    assert tail_threshold(with_twins, 0.01) > 0.95


def test_strangers_are_rarely_called_the_same_product():
    of = shop()
    bands = fit(of)

    assert rate(of, bands, Kind.REMOVED, Band.SAME_PRODUCT).share <= 0.02
    assert rate(of, bands, Kind.OWN_PHOTO, Band.SAME_PRODUCT).share > 0.8


def test_copies_are_called_the_same_photo_and_photos_of_the_product_are_not():
    of = shop()
    bands = fit(of)

    assert rate(of, bands, Kind.COPY, Band.SAME_PHOTO).share > 0.9
    assert rate(of, bands, Kind.OWN_PHOTO, Band.SAME_PHOTO).share < 0.1


def test_four_in_five_products_of_a_kind_that_is_sold_are_called_similar():
    of = shop()

    assert rate(of, fit(of), Kind.REMOVED, Band.SIMILAR).share > 0.7
    assert rate(of, fit(of), Kind.CATEGORY_REMOVED, Band.SIMILAR).share < 0.3


def test_a_category_whose_products_look_alike_gets_a_higher_threshold():
    bands = fit([*shop("shoes", n=4000), *shop("watches", removed=0.5)])

    assert bands.by_category["watches"][Band.SAME_PRODUCT] > bands.by_category["shoes"][Band.SAME_PRODUCT] + 0.05


def test_a_category_never_goes_below_everybodys_threshold():
    bands = fit([*shop("watches", removed=0.5), *shop("hats")])

    assert bands.by_category["hats"][Band.SAME_PRODUCT] == bands.everywhere[Band.SAME_PRODUCT]


def test_the_same_product_goes_by_what_look_alikes_leave_of_a_score():
    crowded = [replace(one, crowd=0.8) for one in shop()]

    assert fit(crowded).everywhere[Band.SAME_PRODUCT] == pytest.approx(
        fit(shop()).everywhere[Band.SAME_PRODUCT] - CROWDING * (0.8 - USUAL_CROWD), abs=2e-4
    )
    assert fit(crowded).everywhere[Band.SIMILAR] == fit(shop()).everywhere[Band.SIMILAR]


def test_a_product_that_is_not_the_nearest_is_not_called_the_same():
    bands = fit(shop())
    certain = Score(Kind.OWN_PHOTO, "shoes", 0.7, 0)

    assert rate([certain], bands, Kind.OWN_PHOTO, Band.SAME_PRODUCT).reached == 1
    assert rate([replace(certain, crowd=None)], bands, Kind.OWN_PHOTO, Band.SAME_PRODUCT).reached == 0


def test_a_category_with_few_photos_goes_by_everybodys_thresholds():
    assert set(fit([*shop("shoes"), *shop("hats", n=40)]).by_category) == {"shoes"}


def test_things_that_are_not_sold_raise_the_threshold_when_they_come_close():
    groceries = scores(Kind.NEVER_SOLD, 0.5, 200, seed=6)

    assert fit([*shop(), *groceries]).everywhere[Band.SAME_PRODUCT] > fit(shop()).everywhere[Band.SAME_PRODUCT] + 0.1


def test_the_better_band_never_has_the_lower_threshold():
    muddle = [one for kind in Kind for one in scores(kind, 0.5, 200, seed=7)]
    thresholds = fit(muddle).everywhere

    assert thresholds[Band.SAME_PHOTO] >= thresholds[Band.SAME_PRODUCT] >= thresholds[Band.SIMILAR]


def test_a_report_judges_every_product_by_thresholds_of_the_others():
    of = shop()
    high = [Score(Kind.REMOVED, "shoes", 0.7 + index / 1000, 0) for index in range(10)]  # all in one fold
    reached = cross_report([*of, *high], fit(of))["all"]["removed"]

    assert reached["n"] == 410
    assert reached["same_product"]["reached"] >= 10
    assert rate(high, fit([*of, *high]), Kind.REMOVED, Band.SAME_PRODUCT).reached < 10


def test_a_shop_may_allow_fewer_mistakes():
    strict, usual = fit(shop(), false_same=0.002), fit(shop())

    assert strict.everywhere[Band.SAME_PRODUCT] > usual.everywhere[Band.SAME_PRODUCT]


def test_products_that_are_all_the_same_teach_nothing():
    alone = [one for one in shop() if one.kind is not Kind.REMOVED]

    with pytest.raises(InputError, match="0 of removed"):
        fit(alone)


@pytest.mark.parametrize(
    ("reached", "n", "low", "high"),
    # Clopper and Pearson, from scipy.stats.binomtest(reached, n).proportion_ci("exact")
    [(2, 300, 0.000809, 0.023873), (0, 50, 0.0, 0.071122), (150, 150, 0.975707, 1.0), (5, 10, 0.187086, 0.812914)],
)
def test_an_interval_is_exact(reached, n, low, high):
    assert (Rate(reached, n).low, Rate(reached, n).high) == pytest.approx((low, high), abs=1e-5)


def test_of_nothing_nothing_is_known():
    assert (Rate(0, 0).share, Rate(0, 0).low, Rate(0, 0).high) == (0.0, 0.0, 1.0)
