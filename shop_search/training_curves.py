"""A training's losses and measures by epoch as a picture, redrawn after each epoch: see early that it goes wrong.

Matplotlib comes with the `train` extra and is imported when something is drawn.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

NAME = "curves.png"
INK, PALE = "#1d2733", "#d8dee4"
COLORS = ("#1f6feb", "#d1242f", "#1a7f37", "#9a6700", "#8250df")  # told apart on white, also when printed
DPI = 110


def draw(panels: Mapping[str, Mapping[str, Sequence[float]]], path: Path, *, title: str) -> Path:
    """Writes one panel of lines by epoch for each name of `panels`, and returns the picture's path.

    A panel's values are {line: one number per epoch}; a NaN leaves a gap. The file appears whole or not at all.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(4.6 * len(panels), 3.6), layout="constrained")
    figure.suptitle(title, fontsize=12, color=INK)
    for axes, (name, lines) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels.items(), strict=True):
        for color, (line, values) in zip(COLORS * (1 + len(lines) // len(COLORS)), lines.items(), strict=False):
            axes.plot(range(1, len(values) + 1), values, marker="o", markersize=4, color=color, label=line)
        axes.set_title(name, fontsize=11, color=INK)
        axes.set_xlabel("epoch", fontsize=10, color=INK)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.grid(color=PALE, linewidth=0.6)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(fontsize=9, frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.part")
    figure.savefig(partial, dpi=DPI, facecolor="white", format="png")
    partial.rename(path)
    return path
