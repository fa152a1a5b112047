"""What a product lies on in a made photo."""

import numpy as np
from PIL import Image

from fixtures.surfaces import draw_surface


def surface(dice: np.random.Generator, width: int, height: int) -> Image.Image:
    """Returns wood, linen or a rug, drawn at half the size, as out of focus."""
    drawn = draw_surface(dice, max(2, width // 2), max(2, height // 2))
    return Image.fromarray(drawn.astype(np.uint8)).resize((width, height), Image.Resampling.BILINEAR)
