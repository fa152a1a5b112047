"""A sheet of failures to look at: the query's crop, the product that it shows, and the product that came first."""

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont, ImageOps

from detection.types import Box

CELL, GAP, CAPTION, MARGIN = 190, 8, 40, 24  # pixels
COLUMNS = 2
HEADINGS = ("asked", "right", "came first")
PAPER, INK, PALE, RIGHT, WRONG = "#ffffff", "#1d2733", "#e7ebef", "#1a7f37", "#d1242f"


@dataclass(frozen=True, slots=True)
class Panel:
    """One picture with what is written under it. `box` is outlined, in the picture's pixels."""

    image: Image.Image
    caption: str
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """A query that went wrong."""

    asked: Panel
    right: Panel
    first: Panel


def montage(failures: Sequence[Failure], *, title: str) -> Image.Image:
    """Returns the sheet, RGB, failures row by row. Without failures it says so."""
    columns = min(COLUMNS, max(1, len(failures)))
    rows = -(-len(failures) // columns)
    width = 3 * CELL + 2 * GAP
    height = CELL + CAPTION
    top = MARGIN + 56
    sheet = Image.new("RGB", (columns * (width + MARGIN) + MARGIN, top + rows * (height + GAP) + MARGIN), PAPER)
    pen = ImageDraw.Draw(sheet)
    pen.text((MARGIN, MARGIN // 2), _fitting(title, 15, sheet.width - 2 * MARGIN), INK, ImageFont.load_default(15))
    if not failures:
        pen.text((MARGIN, MARGIN + 24), "No query went wrong.", INK, ImageFont.load_default(15))
    for index, failure in enumerate(failures):
        left = MARGIN + (index % columns) * (width + MARGIN)
        if index < columns:
            for place, heading in enumerate(HEADINGS):
                pen.text((left + place * (CELL + GAP), top - 24), heading, INK, ImageFont.load_default(14))
        y = top + (index // columns) * (height + GAP)
        for place, (panel, frame) in enumerate(((failure.asked, INK), (failure.right, RIGHT), (failure.first, WRONG))):
            _draw(sheet, panel, (left + place * (CELL + GAP), y), frame)
    return sheet


def _draw(sheet: Image.Image, panel: Panel, at: tuple[int, int], frame: str) -> None:
    x, y = at
    pen = ImageDraw.Draw(sheet)
    pen.rectangle((x, y, x + CELL - 1, y + CELL - 1), fill=PALE, outline=frame, width=2)
    small = ImageOps.contain(panel.image.convert("RGB"), (CELL - 8, CELL - 8))
    left, top = x + (CELL - small.width) // 2, y + (CELL - small.height) // 2
    sheet.paste(small, (left, top))
    if panel.box is not None:
        share = small.width / panel.image.width
        x1, y1, x2, y2 = (value * share for value in panel.box)
        pen.rectangle((left + x1, top + y1, left + x2, top + y2), outline=frame, width=1)
    for row, line in enumerate(panel.caption.split("\n")[:2]):
        pen.text((x + 2, y + CELL + 2 + row * 16), _fitting(line, 12, CELL), INK, ImageFont.load_default(12))


def _fitting(text: str, size: int, width: int) -> str:
    """Returns the text, cut where it would be wider than `width` pixels."""
    font = ImageFont.load_default(size)
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(f"{text}…") > width:
        text = text[:-1]
    return f"{text}…"
