"""What a training says while it runs."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from detection.training.progress import watch


def test_each_epoch_is_told_once_and_the_look_at_the_end_is_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told: list[Callable[[Any], None]] = []
    watch(SimpleNamespace(add_callback=lambda event, function: told.append(function)), tmp_path)
    for epoch in (0, 1, 2):  # ultralytics calls once more, after it looked at the finished weights
        told[0](SimpleNamespace(epoch=epoch, epochs=2))
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(":")[0] for line in lines] == ["epoch 1 of 2", "epoch 2 of 2"]
    assert lines[-1].endswith("about 0 minutes to go")
