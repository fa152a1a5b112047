"""Small data sets on disk, and tiny open_clip models with random weights."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

COLORS = ("red", "green", "blue", "black")
THINGS = ("Shoes", "Tshirts", "Handbags")


def picture(seed: int, size: tuple[int, int] = (60, 80)) -> Image.Image:
    """Returns a blotch on white, each seed another."""
    dice = np.random.default_rng(seed)
    image = Image.new("RGB", size, "white")
    patch = Image.fromarray(dice.integers(0, 200, (4, 3, 3), dtype=np.uint8)).resize((36, 48), Image.Resampling.BICUBIC)
    image.paste(patch, (12, 16))
    return image


@pytest.fixture
def products(tmp_path: Path) -> Path:
    return write_products(tmp_path)


@pytest.fixture
def views(tmp_path: Path) -> Path:
    return write_views(tmp_path)


def write_products(root: Path) -> Path:
    """Forty catalog pictures with titles; every title but the first occurs once."""
    folder = root / "products"
    (folder / "images").mkdir(parents=True)
    with (folder / "catalogue.csv").open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["id", "image", "title", "category", "gender", "article_type", "colour"])
        for index in range(40):
            color, thing = COLORS[index % 4], THINGS[index % 3]
            picture(index).save(folder / "images" / f"{index}.jpg")
            title = f"Acme Women {color} {thing} {index if index > 1 else ''}".strip()
            rows.writerow([index, f"images/{index}.jpg", title, "shoe", "Women", thing, color])
    return folder


def write_views(root: Path) -> Path:
    """Ten products with two pictures each, of two categories."""
    folder = root / "views"
    (folder / "images").mkdir(parents=True)
    rows = []
    for index in range(10):
        names = [f"images/{index}_{side}.jpg" for side in (1, 2)]
        for name in names:
            picture(100 + index).save(folder / name)
        category = "tops" if index < 5 else "shoes"
        rows.append({"id": str(index), "images": names, "title": f"top {index}", "category": category, "colour": "red"})
    (folder / "products.json").write_text(json.dumps(rows))
    return folder
