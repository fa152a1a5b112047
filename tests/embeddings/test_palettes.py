import numpy as np
import pytest

from embeddings.color import ColorShare, color_similarity
from embeddings.palettes import Palette, likeness


def palette(seed: int, count: int) -> Palette:
    dice = np.random.default_rng(seed)
    shares = dice.dirichlet(np.ones(count))
    return tuple(
        (float(dice.uniform(0, 100)), float(dice.uniform(-60, 60)), float(dice.uniform(-60, 60)), float(share))
        for share in shares
    )


def shares_of(colors: Palette) -> list[ColorShare]:
    return [ColorShare("", (light, a, b), share) for light, a, b, share in colors]


@pytest.mark.parametrize("own", [1, 2, 3])
def test_many_at_once_are_measured_as_each_alone(own):
    asked = palette(7, own)
    others = [palette(seed, 1 + seed % 4) for seed in range(30)]

    alone = [color_similarity(shares_of(asked), shares_of(other)) for other in others]

    np.testing.assert_allclose(likeness(asked, others), alone, atol=1e-9)


def test_the_same_palette_is_wholly_alike():
    assert likeness(palette(1, 3), [palette(1, 3)])[0] == pytest.approx(1)


def test_what_has_no_palette_is_not_known_to_be_alike_or_not():
    assert np.isnan(likeness(palette(1, 2), [(), ()])).all()
    assert np.isnan(likeness((), [palette(1, 2)])).all()
    assert likeness(palette(1, 2), []).shape == (0,)
    assert np.isnan(likeness(palette(1, 2), [(), palette(1, 2)])).tolist() == [True, False]
