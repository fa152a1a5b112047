"""Photos as a phone sends them, made from drawn scenes: 12 megapixels, with the noise that fills real JPEG files."""

import io

import numpy as np
from PIL import Image

from fixtures import draw_scene

LANDSCAPE = (4000, 3000)
# In levels of 255, chosen so that a file has the 3 MB of a phone's: smooth pictures decode faster than real ones.
NOISE = 8.0
QUALITY = 90
FIRST_SEED = 950_000


def phone_photos(count: int) -> list[bytes]:
    """Returns `count` JPEG files of 4000 x 3000 or 3000 x 4000 pixels, the same for every run."""
    return [_photo(FIRST_SEED + number) for number in range(count)]


def _photo(seed: int) -> bytes:
    scene = draw_scene(seed).image
    size = LANDSCAPE if scene.width >= scene.height else LANDSCAPE[::-1]
    pixels = np.asarray(scene.resize(size, Image.Resampling.BICUBIC), dtype=np.float32)
    noise = np.random.default_rng(seed).normal(0.0, NOISE, pixels.shape).astype(np.float32)
    file = io.BytesIO()
    Image.fromarray(np.clip(pixels + noise, 0, 255).astype(np.uint8)).save(file, "JPEG", quality=QUALITY)
    return file.getvalue()
