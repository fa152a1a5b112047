"""The products and scenes that the project draws itself, as training pairs: a crop of a scene shows a known product."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL.Image import Image

from embeddings.training.augment import developed, framed
from embeddings.training.dataset import HELD_OUT_DRAWN, is_held_out
from fixtures import DrawnProduct, demo_products, draw_product, draw_scene
from fixtures.packshots import product_box

TRAIN_SEED = 500_000  # far from the seeds that tests and the demo use
EVALUATE_SEED = 900_000


@dataclass(frozen=True, slots=True)
class SceneCrop:
    """One product's crop in a drawn scene."""

    sku: str
    images: tuple[Image, ...]  # the box itself, then variants of it


def is_held_out_sku(sku: str) -> bool:
    """Returns whether a drawn product is never trained on."""
    return is_held_out("drawn", sku, HELD_OUT_DRAWN)


def catalog_pictures(product: DrawnProduct) -> list[Image]:
    """Returns the product's pictures as a catalog may show them: both views, whole and cropped to the product."""
    made = []
    for view in (0, 1):
        image = draw_product(product, view=view, size=320)
        made += [image, framed(image, product_box(product, view=view, size=320), margins=(0.03,) * 4)]
    return made


def products() -> tuple[DrawnProduct, ...]:
    """Returns the demo catalog."""
    return demo_products()


def scene_crops(count: int, *, seed: int, variants: int = 1) -> Iterator[list[SceneCrop]]:
    """Yields the crops of each of `count` scenes: the true box, and `variants` that are framed and lit otherwise."""
    for index in range(count):
        dice = np.random.default_rng((seed, index))
        scene = draw_scene(seed + index)
        yield [
            SceneCrop(
                item.sku,
                (
                    framed(scene.image, item.xyxy, margins=(0.0,) * 4),
                    *(
                        developed(framed(scene.image, item.xyxy, margins=dice.uniform(-0.06, 0.18, 4).tolist()), dice)
                        for _ in range(variants)
                    ),
                ),
            )
            for item in scene.items
        ]
