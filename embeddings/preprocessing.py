"""How a picture becomes an encoder's input, read from the model card, so that training and serving prepare alike.

crop    shorter side to size, then the center        (open_clip "shortest": CLIP)
pad     longer side to size, then a border of `fill` (open_clip "longest")
squash  both sides to size, aspect ratio lost        (open_clip "squash": SigLIP, ours)
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from shop_search.errors import ServiceError

MODES = ("crop", "pad", "squash")
INTERPOLATIONS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """The card's `preprocessing` of an encoder; `mean` and `std` are those of RGB in [0, 1], `fill` is 0 to 255."""

    size: tuple[int, int]  # height, width
    mean: tuple[float, ...]
    std: tuple[float, ...]
    resize: str = "squash"
    interpolation: str = "bicubic"
    fill: tuple[int, int, int] = (0, 0, 0)

    @classmethod
    def from_card(cls, facts: Mapping[str, Any]) -> "Preprocessing":
        """Returns the card's preprocessing. Raises ServiceError when a fact is missing or unknown."""
        try:
            size = facts["size"]
            height, width = (size, size) if isinstance(size, int) else size
            made = cls(
                size=(int(height), int(width)),
                mean=tuple(float(v) for v in facts["mean"]),
                std=tuple(float(v) for v in facts["std"]),
                resize=facts.get("resize", "squash"),
                interpolation=facts.get("interpolation", "bicubic"),
                fill=tuple(facts.get("fill", (0, 0, 0))),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ServiceError(
                "model_card_unreadable", f"The card's preprocessing is incomplete: {error!r}."
            ) from error
        if made.resize not in MODES or made.interpolation not in INTERPOLATIONS:
            raise ServiceError(
                "model_card_unreadable",
                f"The card asks for resize {made.resize!r} with {made.interpolation!r}; "
                f"known are {', '.join(MODES)} and {', '.join(INTERPOLATIONS)}.",
            )
        return made

    def to_card(self) -> dict[str, Any]:
        """Returns what `from_card` reads."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}

    def pixels(self, images: Sequence[Image.Image]) -> NDArray[np.uint8]:
        """Returns (n, height, width, 3) uint8 RGB: resized, not yet normalized."""
        height, width = self.size
        if not images:
            return np.zeros((0, height, width, 3), np.uint8)
        return np.stack([np.asarray(self.fit(image.convert("RGB")), np.uint8) for image in images])

    def normalize(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Returns (n, 3, height, width) float32, normalized by mean and std."""
        scaled = pixels.astype(np.float32) / 255
        normal = (scaled - np.array(self.mean, np.float32)) / np.array(self.std, np.float32)
        return np.asarray(normal.transpose(0, 3, 1, 2), np.float32)

    def fit(self, image: Image.Image) -> Image.Image:
        """Returns the RGB image at the model's size."""
        height, width = self.size
        how = INTERPOLATIONS[self.interpolation]
        if self.resize == "squash":
            return image.resize((width, height), how)
        if self.resize == "pad":
            ratio = max(image.width / width, image.height / height)
            small = image.resize((max(1, round(image.width / ratio)), max(1, round(image.height / ratio))), how)
            sheet = Image.new("RGB", (width, height), self.fill)
            sheet.paste(small, ((width - small.width) // 2, (height - small.height) // 2))
            return sheet
        # As torchvision's Resize and CenterCrop do it: the longer side is cut down, not rounded.
        if image.width * height <= image.height * width:
            scaled = (width, max(height, int(width * image.height / image.width)))
        else:
            scaled = (max(width, int(height * image.width / image.height)), height)
        small = image.resize(scaled, how)
        left, top = round((small.width - width) / 2), round((small.height - height) / 2)
        return small.crop((left, top, left + width, top + height))
