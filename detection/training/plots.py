"""Pictures of how good a detector is, for people: precision-recall curves, and what it takes for what."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from detection.training.confusion import confusion
from detection.training.evaluate import Answers, average_precision, precision_at_recall, ranked

CURVES_NAME, CONFUSION_NAME = "precision_recall.png", "confusion.png"
INK, LINE, POINT, PALE = "#1d2733", "#1f6feb", "#d1242f", "#d8dee4"
COLUMNS = 5
DPI = 130


def draw(answers: Answers, folder: Path, *, title: str) -> list[Path]:
    """Writes both pictures into the folder, which is made if need be, and returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / CURVES_NAME, folder / CONFUSION_NAME]
    for path, figure in zip(paths, (curves(answers, title=title), matrix(answers, title=title)), strict=True):
        figure.savefig(path, dpi=DPI, facecolor="white")
    return paths


def curves(answers: Answers, *, title: str) -> Figure:
    """Returns one small panel per category: its curve at IoU .5, and the point that is served."""
    rows = -(-len(answers.categories) // COLUMNS)
    figure = Figure(figsize=(2.5 * COLUMNS, 2.6 * rows + 0.9), layout="constrained")
    panels = figure.subplots(rows, COLUMNS, sharex=True, sharey=True, squeeze=False)
    for index, panel in enumerate(panels.flat):
        if index < len(answers.categories):
            _curve(panel, answers, answers.categories[index])
        else:
            panel.set_axis_off()
    map50 = answers.scored().map50
    figure.suptitle(
        f"{title}\n{len(answers.truth)} pictures, mAP50 {'-' if map50 is None else f'{map50:.3f}'}, "
        f"dots: served at confidence {answers.confidence:g}",
        fontsize=12, color=INK,
    )  # fmt: skip
    figure.supxlabel("recall", fontsize=11, color=INK)
    figure.supylabel("precision", fontsize=11, color=INK)
    return figure


def _curve(panel: Axes, answers: Answers, slug: str) -> None:
    mine = ranked(slug, answers.found, answers.truth)
    panel.set_xlim(0, 1.02)
    panel.set_ylim(0, 1.05)
    panel.grid(color=PALE, linewidth=0.6)
    panel.spines[["top", "right"]].set_visible(False)
    if mine.n == 0:
        panel.set_title(f"{slug}: none there", fontsize=10, color=INK)
        return
    hits = mine.right[:, 0]
    panel.plot(np.linspace(0, 1, 101), precision_at_recall(hits, mine.n), color=LINE, linewidth=1.8)
    panel.fill_between(np.linspace(0, 1, 101), precision_at_recall(hits, mine.n), color=LINE, alpha=0.12, linewidth=0)
    served = int((mine.confidences >= answers.confidence).sum())
    if served:
        right = int(hits[:served].sum())
        panel.plot([right / mine.n], [right / served], "o", color=POINT, markersize=6)
    panel.set_title(f"{slug}  AP50 {average_precision(hits, mine.n):.2f}  n={mine.n}", fontsize=10, color=INK)


def matrix(answers: Answers, *, title: str) -> Figure:
    """Returns the confusion matrix: counts in the cells, colored by their share of the row."""
    counts = confusion(answers)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    size = 0.72 * len(counts) + 2.6
    figure = Figure(figsize=(size, size * 0.92), layout="constrained")
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(counts):
        if count:
            dark = shares[row, column] > 0.55
            axes.text(
                column, row, str(count), ha="center", va="center", fontsize=9.5, color="white" if dark else INK,
                fontweight="bold" if row == column else "normal",
            )  # fmt: skip
    axes.set_xticks(range(len(counts)), [*answers.categories, "missed"], rotation=45, ha="right")
    axes.set_yticks(range(len(counts)), [*answers.categories, "false alarm"])
    edge = len(counts) - 1.5
    axes.axhline(edge, color=INK, linewidth=1)
    axes.axvline(edge, color=INK, linewidth=1)
    axes.set_xlabel("what it said", fontsize=11, color=INK)
    axes.set_ylabel("what is there", fontsize=11, color=INK)
    axes.set_title(
        f"{title}\n{len(answers.truth)} pictures, at confidence {answers.confidence:g} and IoU .5; shade: share of row",
        fontsize=11, color=INK,
    )  # fmt: skip
    return figure
