"""What the detection room takes and gives."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from PIL.Image import Image

from shop_search.model_card import ModelCard

Box = tuple[float, float, float, float]  # x1, y1, x2, y2


@dataclass(frozen=True, slots=True)
class Detection:
    """One product found in a picture."""

    xyxy: Box  # pixels of the image that was given
    category: str  # shop category slug
    confidence: float  # [0, 1]


class Detector(Protocol):
    """Finds products. Thread-safe; loads its weights on construction."""

    card: ModelCard

    def detect(self, images: Sequence[Image], categories: Sequence[str | None] | None = None) -> list[list[Detection]]:
        """Returns, for each upright RGB image, its detections by falling confidence; an empty list where none.

        `categories` tells what each image is known to show, None where that isn't known: things of that category are
        found that would else be too unsure, or be taken for another. One the detector doesn't know changes nothing.
        Source: Kim et al., "Visual Fashion-Product Search at SK Planet", 2016.
        """
        ...
