"""A picture and the crop drawn on it, as numbers for an SVG in the picture's own pixels.

Numbers are texts: no language may respell them.
"""

from dataclasses import dataclass

from catalog.models import ProductImage
from catalog.pages.cards import thumb


@dataclass(frozen=True, slots=True)
class View:
    url: str
    width: str
    height: str
    box: tuple[str, str, str, str] | None  # x, y, width, height; None when the whole picture is the crop
    stroke: str


def view_of(image: ProductImage | None) -> View | None:
    """Returns how to draw the picture; None where there is none."""
    if image is None or not image.width or not image.height:
        return None
    stroke = max(image.width, image.height) / 90
    return View(thumb(image.file.url), str(image.width), str(image.height), _box(image), f"{stroke:.1f}")


def _box(image: ProductImage) -> tuple[str, str, str, str] | None:
    x1, y1, x2, y2 = image.box or (0, 0, image.width, image.height)
    if x2 - x1 >= image.width - 1 and y2 - y1 >= image.height - 1:
        return None
    return f"{x1:.0f}", f"{y1:.0f}", f"{max(0, x2 - x1):.0f}", f"{max(0, y2 - y1):.0f}"
