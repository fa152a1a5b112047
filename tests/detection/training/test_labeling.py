from collections.abc import Sequence
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from PIL import Image, ImageDraw

from detection.types import Detection
from shop_search.errors import InputError
from shop_search.model_card import ModelCard

pytest.importorskip("cv2", reason="OpenCV comes with the 'train' extra")

from detection.training.dataset import read
from detection.training.labeling import Columns, label, read_rows


def shop(root: Path, rows: Sequence[tuple[str, str, str]]) -> Path:
    """A CSV of (name, category, title) with a studio photo each."""
    for name, _, _ in rows:
        image = Image.new("RGB", (120, 120), "white")
        ImageDraw.Draw(image).rectangle((30, 30, 89, 89), fill=(20, 60, 60))
        image.save(root / f"{name}.png")
    lines = [f"{name}.png,{category},{title}" for name, category, title in rows]
    (root / "shop.csv").write_text("\n".join(["image,category,title", *lines]) + "\n")
    return root / "shop.csv"


def test_all_variants_of_a_title_are_on_one_side_of_the_split(tmp_path: Path) -> None:
    path = shop(tmp_path, [(f"p{i}", "bag", f"Bag {i % 20}") for i in range(60)])
    sides: dict[int, set[str]] = {}
    for row in read_rows(path, Columns(title="title")):
        sides.setdefault(int(row.image.stem[1:]) % 20, set()).add(row.split)
    assert all(len(side) == 1 for side in sides.values())
    assert {next(iter(side)) for side in sides.values()} == {"train", "val"}


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'kind'"):
        read_rows(shop(tmp_path, [("a", "bag", "A")]), Columns(category="kind"))


def test_rows_whose_photo_is_missing_are_left_out(tmp_path: Path) -> None:
    path = shop(tmp_path, [("a", "bag", "A"), ("b", "bag", "B")])
    (tmp_path / "a.png").unlink()
    assert [row.image.name for row in read_rows(path, Columns())] == ["b.png"]


def test_foreign_categories_are_left_out_unless_they_are_background(tmp_path: Path) -> None:
    rows = read_rows(shop(tmp_path, [("a", "bag", "A"), ("b", "watch", "B"), ("c", "ring", "C")]), Columns())
    samples = label(rows, per_category=9, seed=0, background=["watch"])
    found = {s.image.stem: [x.category for x in s.labels] for s in samples["train"] + samples["val"]}
    assert found == {"a": ["bags"], "b": []}


def test_no_category_gets_more_than_its_share(tmp_path: Path) -> None:
    rows = read_rows(shop(tmp_path, [(f"p{i}", "bag", str(i)) for i in range(9)]), Columns())
    samples = label(rows, per_category=4, seed=0)
    assert len(samples["train"]) + len(samples["val"]) == 4


def test_a_worn_product_is_labeled_by_a_teacher_that_is_sure(tmp_path: Path) -> None:
    path = shop(tmp_path, [("a", "shirt", "A")])
    image = Image.new("RGB", (120, 120), "white")
    ImageDraw.Draw(image).rectangle((30, 0, 89, 119), fill=(205, 150, 120))
    image.save(tmp_path / "a.png")
    rows = read_rows(path, Columns())
    assert label(rows, per_category=9, seed=0) == {"train": [], "val": []}
    samples = label(rows, per_category=9, seed=0, teacher=SureTeacher())
    (sample,) = samples["train"] + samples["val"]
    assert [(x.category, x.box) for x in sample.labels] == [("tops", (0.25, 0.25, 0.75, 0.5))]


class SureTeacher:
    card = ModelCard(name="t", kind="detector", version="1", license="", files={}, preprocessing={})

    def detect(
        self, images: Sequence[Image.Image], categories: Sequence[str | None] | None = None
    ) -> list[list[Detection]]:
        return [[Detection((30, 30, 90, 60), "tops", 0.8)] for _ in images]


def test_the_command_writes_a_dataset_that_training_reads(tmp_path: Path) -> None:
    path = shop(tmp_path, [(f"p{i}", "Handbag", str(i)) for i in range(30)])
    call_command("label_products", str(path), "--into", str(tmp_path / "set"), stderr=StringIO(), stdout=StringIO())
    dataset = read(tmp_path / "set" / "data.yaml")
    samples = dataset.samples("train") + dataset.samples("val")
    assert len(samples) == 30
    assert samples[0].labels[0].box == pytest.approx((0.25, 0.25, 0.75, 0.75), abs=0.01)
