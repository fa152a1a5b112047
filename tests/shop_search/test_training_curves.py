"""Curves of a training: a picture that is there after the first epoch and grows with the next."""

import math

import pytest
from PIL import Image

pytest.importorskip("matplotlib", reason="matplotlib comes with the 'train' extra")

from shop_search.training_curves import draw


def test_each_panel_is_as_wide_as_the_others(tmp_path):
    one = draw({"losses": {"a": [2.0, 1.0]}}, tmp_path / "one.png", title="t")
    two = draw({"losses": {"a": [2.0, 1.0]}, "found": {"b": [0.1, math.nan]}}, tmp_path / "new" / "two.png", title="t")
    with Image.open(one) as narrow, Image.open(two) as wide:
        assert wide.width == pytest.approx(2 * narrow.width, rel=0.02)


def test_a_later_epoch_changes_the_picture_and_leaves_no_other_file(tmp_path):
    first = draw({"losses": {"a": [2.0]}}, tmp_path / "curves.png", title="t").read_bytes()
    second = draw({"losses": {"a": [2.0, 1.0]}}, tmp_path / "curves.png", title="t").read_bytes()
    assert first != second
    assert [path.name for path in tmp_path.iterdir()] == ["curves.png"]
