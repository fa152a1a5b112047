"""The closed forms, on data whose answer is known."""

import numpy as np
import pytest

from embeddings.training.projection import discriminant, whitening, within

DICE = np.random.default_rng(0)
# Ten dimensions of falling spread; the last ones are what tells products apart, the first ones are noise.
PRODUCTS = DICE.normal(size=(200, 10)) * np.array([0, 0, 0, 0, 0, 1, 1, 1, 1, 1])
PICTURES = PRODUCTS[:, None] + DICE.normal(size=(200, 4, 10)) * np.array([5, 5, 5, 5, 5, 0.1, 0.1, 0.1, 0.1, 0.1])


def found(projection) -> float:
    """Returns how often a product's second picture is the nearest to its first one."""
    rows = projection(PICTURES)
    return float(np.mean((rows[:, 0] @ rows[:, 1].T).argmax(axis=1) == np.arange(len(rows))))


def test_embeddings_are_unit_rows_of_the_dimension_asked_for():
    rows = whitening(PICTURES[:, 0], dim=4, alpha=0.5)(PICTURES)
    assert rows.shape == (200, 4, 4)
    assert np.linalg.norm(rows, axis=-1) == pytest.approx(1, abs=1e-5)


def test_full_whitening_makes_all_directions_equally_wide():
    projection = whitening(PICTURES[:, 0], dim=10, alpha=1)
    made = PICTURES[:, 0] @ projection.weight.T + projection.bias
    widths = np.sqrt(np.linalg.eigvalsh(np.cov(made.T)))
    assert widths.max() / widths.min() == pytest.approx(1, abs=1e-3)
    assert np.abs(made.mean(axis=0)).max() < 1e-5


def test_whitening_of_power_zero_keeps_all_distances():
    projection = whitening(PICTURES[:, 0], dim=10, alpha=0)
    made = PICTURES[:, 0] @ projection.weight.T
    before = np.linalg.norm(PICTURES[0, 0] - PICTURES[1:, 0], axis=1)
    after = np.linalg.norm(made[0] - made[1:], axis=1)
    assert np.std(after / before) < 1e-4


def test_within_groups_of_the_same_thing_nothing_differs():
    assert np.abs(within(np.repeat(PRODUCTS[:, None], 3, axis=1))).max() < 1e-10


def test_within_ignores_how_products_differ():
    covariance = within(PICTURES)
    assert covariance[0, 0] == pytest.approx(25 * 3 / 4, rel=0.2)
    assert covariance[9, 9] < 0.02


def test_the_discriminant_finds_what_whitening_cannot_know():
    learned = discriminant(PICTURES[:, 0], [(1.0, within(PICTURES[:100]))], dim=5, total=0.0, ridge=0.001)
    assert found(learned) > 0.95
    assert found(whitening(PICTURES[:, 0], dim=5, alpha=0.5)) < 0.5


def test_without_pairs_and_with_all_ridge_the_discriminant_is_plain_pca():
    learned = discriminant(PICTURES[:, 0], [], dim=3, total=0.0, ridge=1.0)
    plain = whitening(PICTURES[:, 0], dim=3, alpha=0)
    rows, others = learned.weight, plain.weight
    cosines = np.abs(rows @ others.T) / np.linalg.norm(rows, axis=1)[:, None] / np.linalg.norm(others, axis=1)
    assert np.linalg.det(cosines) == pytest.approx(1, abs=1e-2)
