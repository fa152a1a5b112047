"""What reviewers said, as files that training and evaluation read."""

import csv
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command

from catalog.management.commands.evaluate_retrieval import read_pictures
from catalog.pictures import searched_crops
from catalog.review.verdicts import judge, sheet
from catalog.search.answers import record
from catalog.search.questions import Question
from catalog.search.search import search
from tests.fakes import picture


@pytest.fixture
def judged(shelf, settings, tmp_path):
    """One search of two products, the first the same and the second wrong."""
    settings.SEARCH_CROPS_ROOT = tmp_path / "searched"
    shelf.put("A", 1, 2)
    shelf.put("B", 3)
    rae = get_user_model().objects.create_user("rae", is_staff=True)
    answer = search(Question(image=picture(1)))
    record(answer)
    searched_crops.wait()
    for item, verdict in zip(sheet(answer.id, rae).items, ("same_product", "wrong"), strict=True):
        judge(answer.id, product=item.product["id"], verdict=verdict, reviewer=rae)
    return answer.id


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_a_crop_stands_beside_the_pictures_of_the_product_it_shows(judged, tmp_path):
    call_command("export_reviews", str(tmp_path / "out"), stdout=StringIO())
    pairs = rows(tmp_path / "out" / "pairs.csv")

    assert [row["sku"] for row in pairs] == ["atelier/A"] * 3
    assert pairs[-1]["image"] == f"queries/{judged}.jpg"
    assert all((tmp_path / "out" / row["image"]).is_file() for row in pairs)
    assert {row["category"] for row in pairs} == {"shoes"}


def test_evaluation_reads_what_was_written(judged, tmp_path):
    call_command("export_reviews", str(tmp_path / "out"), stdout=StringIO())
    catalog, queries = (read_pictures(tmp_path / "out" / name) for name in ("catalog.csv", "queries.csv"))

    assert [one.sku for one in queries] == ["atelier/A"]
    assert {one.sku for one in catalog} == {"atelier/A", "atelier/B"}


def test_every_verdict_is_written_even_without_its_crop(judged, tmp_path, settings):
    settings.SEARCH_CROP_RETENTION_DAYS = 0
    searched_crops.delete_old()
    out = StringIO()
    call_command("export_reviews", str(tmp_path / "out"), "--json", stdout=out)

    said = rows(tmp_path / "out" / "verdicts.csv")
    assert [(row["sku"], row["rank"], row["verdict"]) for row in said] == [
        ("atelier/A", "1", "same_product"),
        ("atelier/B", "2", "wrong"),
    ]
    assert {row["image"] for row in said} == {""}
    assert rows(tmp_path / "out" / "pairs.csv") == []
    assert '"without_crop": 2' in out.getvalue()


def test_the_later_word_counts(judged, tmp_path):
    ray = get_user_model().objects.create_user("ray", is_staff=True)
    judge(judged, product=sheet(judged, ray).items[0].product["id"], verdict="near", reviewer=ray)
    call_command("export_reviews", str(tmp_path / "out"), stdout=StringIO())

    assert [row["verdict"] for row in rows(tmp_path / "out" / "verdicts.csv")] == ["near", "wrong"]
    assert rows(tmp_path / "out" / "queries.csv") == []


def test_a_folder_that_holds_something_is_left_alone(judged, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("mine")
    with pytest.raises(CommandError, match="holds something"):
        call_command("export_reviews", str(tmp_path / "out"))
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine"]
