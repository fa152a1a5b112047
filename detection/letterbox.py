"""Fits a picture of any shape into the square that a YOLO model takes, and maps its boxes back."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

GRAY = 114  # what ultralytics pads with in training


@dataclass(frozen=True, slots=True)
class Letterboxed:
    """One picture in its square. A pixel x of the picture lies at x * scale + left in the square."""

    pixels: NDArray[np.uint8]  # (side, side, 3) uint8, RGB
    scale_x: float
    scale_y: float
    left: int
    top: int
    size: tuple[int, int]  # of the picture: width, height

    def unmap(self, boxes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Returns (n, 4) float32 xyxy boxes of the square as boxes of the picture, clipped to it."""
        back = boxes - np.array([self.left, self.top, self.left, self.top], np.float32)
        back /= np.array([self.scale_x, self.scale_y, self.scale_x, self.scale_y], np.float32)
        width, height = self.size
        limits = np.array([width, height, width, height], np.float32)
        clipped: NDArray[np.float32] = np.clip(back, 0, limits)
        return clipped


def letterbox(image: Image.Image, side: int) -> Letterboxed:
    """Returns the RGB picture scaled to fit a square of `side` pixels, centered on gray.

    Scaled with antialiasing, unlike ultralytics' own letterbox: photos come in at twice the square's side and more,
    where plain bilinear sampling drops thin things; by whole factors first (reducing_gap), which halves the time.
    Both backends use this one, so they see the same pixels.
    """
    scale = min(side / image.width, side / image.height)
    width, height = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    left, top = (side - width) // 2, (side - height) // 2
    square = np.full((side, side, 3), GRAY, np.uint8)
    if (width, height) != image.size:
        scaled = image.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=1.0)
    else:
        scaled = image
    square[top : top + height, left : left + width] = np.asarray(scaled)
    return Letterboxed(
        pixels=square,
        scale_x=width / image.width,
        scale_y=height / image.height,
        left=left,
        top=top,
        size=image.size,
    )
