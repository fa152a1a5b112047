"""The command on drawn patterns and fake models: what is counted, and what is refused."""

import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from catalog.pictures.montage import CAPTION, CELL, GAP
from tests.catalog.shop import use_fakes

COLORS = {"red": (200, 20, 20), "green": (20, 160, 40), "blue": (30, 40, 200), "gray": (120, 120, 120)}


@pytest.fixture
def folder(settings, tmp_path) -> Path:
    """Four products of one color each, on white; the fake detector finds shoes where it is not white."""
    use_fakes(settings)
    for name, color in COLORS.items():
        image = Image.new("RGB", (120, 120), "white")
        image.paste(color, (30, 30, 90, 90))
        image.save(tmp_path / f"{name}.png")
    rows = "".join(f"{name.upper()},{name}.png,{'Shoes' if name != 'gray' else ''}\n" for name in COLORS)
    (tmp_path / "catalog.csv").write_text("id,image_link,product_type\n" + rows)
    return tmp_path


def evaluate(folder: Path, queries: str, capsys: pytest.CaptureFixture[str], *options: str) -> dict:
    (folder / "queries.csv").write_text(queries)
    catalog, asked = str(folder / "catalog.csv"), str(folder / "queries.csv")
    call_command("evaluate_retrieval", "--catalog", catalog, "--queries", asked, "--json", *options)
    document: dict = json.loads(capsys.readouterr().out)
    return document


def test_a_photo_of_the_product_itself_is_found_first(folder, capsys):
    found = evaluate(folder, "image,sku\nred.png,RED\nblue.png,BLUE\n", capsys)
    assert (found["measures"]["recall@1"]["value"], found["measures"]["recall@1"]["n"]) == (1.0, 2)
    assert found["catalog"] == {"products": 4, "images": 4}


def test_a_photo_of_another_product_is_a_miss_that_still_counts(folder, capsys):
    measures = evaluate(folder, "image,sku\nred.png,RED\nred.png,BLUE\n", capsys)["measures"]
    assert measures["recall@1"]["value"] == 0.5
    assert measures["recall@5"]["value"] == 1.0
    assert 0.5 < measures["mAP"]["value"] < 1


def test_a_box_says_which_part_of_the_photo_is_asked_for(folder, capsys):
    both = Image.new("RGB", (240, 120), "white")
    both.paste(COLORS["red"], (10, 10, 110, 110))
    both.paste(COLORS["blue"], (130, 10, 230, 110))
    both.save(folder / "both.png")
    queries = 'image,sku,box\nboth.png,RED,"10,10,110,110"\nboth.png,BLUE,"130,10,230,110"\n'
    assert evaluate(folder, queries, capsys)["measures"]["recall@1"]["value"] == 1.0


def test_measures_are_told_by_category(folder, capsys):
    found = evaluate(folder, "image,sku\nred.png,RED\ngray.png,GRAY\n", capsys)["categories"]
    assert {name: row["mAP"]["n"] for name, row in found.items()} == {"other": 1, "shoes": 1}


def test_every_category_has_an_interval(folder, capsys):
    found = evaluate(folder, "image,sku\nred.png,RED\nred.png,BLUE\n", capsys)["categories"]["shoes"]["recall@1"]
    assert (found["low"], found["value"], found["high"]) == (0.0, 0.5, 1.0)


def test_failures_are_drawn_with_what_was_asked_what_is_right_and_what_came_first(folder, capsys):
    sheet = folder / "worst.png"
    found = evaluate(folder, "image,sku\nred.png,RED\nred.png,BLUE\n", capsys, "--montage", str(sheet))
    assert found["montage"] == str(sheet)
    counts = Image.open(sheet).convert("RGB").getcolors(1 << 24)
    assert {COLORS["red"], COLORS["blue"]} <= {color for count, color in counts if count > 500}
    assert COLORS["green"] not in {color for _, color in counts}


def test_a_sheet_without_failures_says_so(folder, capsys):
    evaluate(folder, "image,sku\nred.png,RED\n", capsys, "--montage", str(folder / "worst.png"))
    assert Image.open(folder / "worst.png").height < 200


def test_no_more_failures_are_drawn_than_asked_for(folder, capsys):
    queries = "image,sku\nred.png,BLUE\nred.png,GREEN\nblue.png,GREEN\nblue.png,RED\n"
    heights = []
    for worst in ("2", "4"):
        evaluate(folder, queries, capsys, "--montage", str(folder / "worst.png"), "--worst", worst)
        heights.append(Image.open(folder / "worst.png").height)
    assert heights[1] - heights[0] == CELL + CAPTION + GAP


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--montage", "worst.txt"], "picture file"),
        (["--montage", "nowhere/worst.png"], "Can't write"),
        (["--worst", "0"], "at least 1"),
    ],
)
def test_a_sheet_that_cannot_be_drawn_is_refused(folder, capsys, options, complaint):
    with pytest.raises(CommandError, match=complaint):
        evaluate(folder, "image,sku\nred.png,BLUE\n", capsys, *options)


@pytest.mark.parametrize(
    ("queries", "complaint"),
    [
        ("image,sku\nred.png,PINK\n", "PINK"),
        ("image,sku\nlost.png,RED\n", "lost.png"),
        ("nothing,sku\nred.png,RED\n", "column"),
        ("image,sku,box\nred.png,RED,1-2-3\n", "1-2-3"),
        ("image,sku\nred.png\n", "1 cells"),
        ("", "empty"),
    ],
)
def test_what_cannot_be_measured_is_said(folder, capsys, queries, complaint):
    with pytest.raises(CommandError, match=complaint):
        evaluate(folder, queries, capsys)
