"""Distributions of scores as a picture, drawn with Pillow: serving installs no plotting library."""

from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

_WIDTH, _LEFT, _ROW, _TOP, _BOTTOM = 1100, 330, 86, 64, 46
_LOW, _HIGH, _BINS = -0.1, 1.0, 88
_INK, _SOFT, _FILL, _LINE = (32, 34, 40), (120, 124, 134), (118, 148, 214), (196, 60, 48)


def score_plot(rows: Mapping[str, Sequence[float]], lines: Mapping[str, float]) -> Image.Image:
    """Returns one histogram below another, by label, on one axis of scores, with a labeled line at each threshold."""
    height = _TOP + _ROW * len(rows) + _BOTTOM
    image = Image.new("RGB", (_WIDTH, height), "white")
    draw = ImageDraw.Draw(image)
    font, small = ImageFont.load_default(17), ImageFont.load_default(13)
    floor = height - _BOTTOM
    for tick in np.arange(0, 1.01, 0.1):
        draw.line([(_x(tick), _TOP - 6), (_x(tick), floor)], fill=(236, 237, 240))
        draw.text((_x(tick), floor + 8), f"{tick:.1f}", fill=_SOFT, font=small, anchor="mt")
    for index, (label, scores) in enumerate(rows.items()):
        base = _TOP + _ROW * (index + 1) - 8
        draw.text((_LEFT - 18, base - 26), label, fill=_INK, font=font, anchor="rb")
        draw.text((_LEFT - 18, base - 6), f"n = {len(scores)}", fill=_SOFT, font=small, anchor="rb")
        _histogram(draw, scores, base)
    for index, (label, score) in enumerate(sorted(lines.items(), key=lambda one: one[1])):
        draw.line([(_x(score), _TOP - 8), (_x(score), floor)], fill=_LINE, width=2)
        draw.text((_x(score) + 4, 12 + 18 * (index % 2)), f"{label} {score:.2f}", fill=_LINE, font=small)
    return image


def _histogram(draw: ImageDraw.ImageDraw, scores: Sequence[float], base: int) -> None:
    counted, edges = np.histogram(np.clip(scores, _LOW, _HIGH), bins=_BINS, range=(_LOW, _HIGH))
    tops = counted / max(counted.max(), 1) * (_ROW - 16)
    for top, left, right in zip(tops, edges[:-1], edges[1:], strict=True):
        if top:
            draw.rectangle([_x(left), base - max(float(top), 1.0), _x(right) - 1, base], fill=_FILL)
    draw.line([(_LEFT, base + 1), (_WIDTH - 30, base + 1)], fill=_SOFT)


def _x(score: float) -> float:
    return _LEFT + (score - _LOW) / (_HIGH - _LOW) * (_WIDTH - 30 - _LEFT)
