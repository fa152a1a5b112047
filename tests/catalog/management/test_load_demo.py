import pytest

from catalog.bands import calibration
from catalog.management.commands.load_demo import ask_for_what_takes_long
from catalog.models import Job


@pytest.mark.parametrize(("least", "is_calibrated"), [(3, True), (4, False)])
def test_a_demo_of_enough_products_learns_its_own_bands_first(shelf, monkeypatch, least, is_calibrated):
    monkeypatch.setattr(calibration, "LEAST_PRODUCTS", least)
    for seed in range(1, 4):
        shelf.put(f"P{seed}", seed)

    ask_for_what_takes_long()

    asked = list(Job.objects.order_by("created_at").values_list("kind", flat=True))
    first = ["calibrate_bands"] if is_calibrated else []
    assert asked == [*first, "simulate_shoppers", "learn_ranking", "measure_catalog"]
