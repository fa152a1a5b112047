"""Takes README's picture: `python -m tests.browser.screenshot ADDRESS PHOTO docs/images/search.png` on a running demo.

PHOTO is a scene that the project drew; no other picture belongs into the docs.
"""

import argparse
import io
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import sync_playwright

from tests.browser.conftest import ARGUMENTS, DESKTOP, chromium
from tests.browser.search_page import SearchPage

# Grain costs most of a PNG's bytes. Rounding it to steps of 4 isn't seen; the page's own flat colors stay exact.
STEP = 4
FLAT_PIXELS = 1500


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address")
    parser.add_argument("photo", type=Path)
    parser.add_argument("out", type=Path)
    asked = parser.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        page = SearchPage(browser.new_context(base_url=asked.address, **DESKTOP).new_page())
        page.open()
        page.search(asked.photo)
        page.page.wait_for_load_state("networkidle")
        picture = Image.open(io.BytesIO(page.page.screenshot()))
        browser.close()
    lighter(picture).save(asked.out, optimize=True)


def lighter(picture: Image.Image) -> Image.Image:
    """Returns the screenshot with the grain of its photos rounded."""
    pixels = np.asarray(picture.convert("RGB")).astype(np.int32)
    rounded = np.clip((pixels + STEP // 2) // STEP * STEP, 0, 255)
    keys = pixels @ np.array([65536, 256, 1])
    colors, counts = np.unique(keys, return_counts=True)
    flat = np.isin(keys, colors[counts > FLAT_PIXELS])
    rounded[flat] = pixels[flat]
    return Image.fromarray(rounded.astype(np.uint8))


if __name__ == "__main__":
    main()
