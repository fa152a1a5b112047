"""Packshots: the foreground is the truth, only held-out photos count, and what isn't found is wrong."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from PIL import Image, ImageDraw

pytest.importorskip("cv2", reason="OpenCV comes with the 'train' extra")

from detection.training.labeling import Columns, read_rows
from detection.training.packshot_scores import packshots, score
from detection.types import Detection


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Sixty bags on white, of as many titles: some of them are held out."""
    lines = ["image,category,title"]
    for number in range(60):
        image = Image.new("RGB", (80, 80), "white")
        ImageDraw.Draw(image).rectangle((20, 10, 59, 69), fill="navy")
        image.save(tmp_path / f"{number}.png")
        lines.append(f"{number}.png,{'bag' if number else 'watch'},Bag {number}")
    (tmp_path / "shop.csv").write_text("\n".join(lines))
    return tmp_path / "shop.csv"


def test_only_held_out_photos_of_our_categories_count_and_their_box_is_the_foreground(shop: Path) -> None:
    rows = read_rows(shop, Columns(title="title"))
    shots = packshots(rows)
    held_out = [row.image for row in rows if row.split == "val" and row.word == "bag"]
    assert [shot.path for shot in shots] == held_out
    assert 0 < len(held_out) < 60
    assert {(shot.category, shot.box) for shot in shots} == {("bags", (20, 10, 60, 70))}


def test_category_and_box_are_both_right_or_wrong(shop: Path) -> None:
    shot = packshots(read_rows(shop, Columns(title="title")))[0]
    right = Detection((20, 10, 60, 70), "bags", 0.9)
    half = Detection((20, 10, 40, 70), "bags", 0.9)
    other = Detection((20, 10, 60, 70), "shoes", 0.9)
    made = score([shot] * 4, [right, half, other, None])
    assert (made.n, made.category, made.near, made.iou) == (4, 0.5, 0.25, 0.75)


def test_the_command_prints_both_numbers_with_n(shop: Path) -> None:
    out = StringIO()
    call_command("evaluate_packshots", str(shop), "--title-column", "title", stdout=out)
    assert "category unknown" in out.getvalue()
    assert "bags" in out.getvalue()


def test_a_csv_without_held_out_packshots_is_a_sentence(shop: Path) -> None:
    shop.write_text("image,category,title\n0.png,watch,Bag 0\n")
    with pytest.raises(CommandError, match="held out"):
        call_command("evaluate_packshots", str(shop), "--title-column", "title")
