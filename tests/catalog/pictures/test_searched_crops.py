"""What is kept of a shopper's photo, for how long, and who can see it."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from PIL import Image

from catalog.models import SearchRecord
from catalog.pictures import searched_crops
from catalog.search.answers import record
from catalog.search.questions import Question
from catalog.search.search import search
from tests.fakes import picture


@pytest.fixture(autouse=True)
def folder(settings, tmp_path) -> Path:
    settings.SEARCH_CROPS_ROOT = tmp_path / "searched"
    return tmp_path / "searched"


def searched(**question) -> SearchRecord:
    answer = search(Question(**question))
    record(answer)
    searched_crops.wait()
    return SearchRecord.objects.get(pk=answer.id)


def test_a_search_keeps_a_small_picture_of_what_was_searched_and_nothing_else(shelf, folder):
    shelf.put("A", 1)
    kept = searched(image=picture(1, size=(900, 1200), format="JPEG"))

    path = searched_crops.path_of(kept.crop)
    assert path is not None
    with Image.open(path) as crop:
        assert crop.format == "JPEG"
        assert max(crop.size) == searched_crops.LONGEST_PX
        assert crop.size[0] / crop.size[1] == pytest.approx(_shape(kept), abs=0.02)
        assert not crop.getexif()
        assert set(crop.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert [one for one in folder.rglob("*") if one.is_file()] == [path]
    assert path.stat().st_mode & 0o077 == 0


def _shape(kept: SearchRecord) -> float:
    x1, y1, x2, y2 = kept.answer["selected"]["box"]
    return (x2 - x1) / (y2 - y1)


def test_the_name_of_a_crop_says_nothing_of_the_search(shelf):
    shelf.put("A", 1)
    first, second = searched(image=picture(1)), searched(image=picture(1))

    assert first.crop != second.crop
    assert str(first.pk) not in first.crop
    assert len(Path(first.crop).stem) >= 32


def test_a_crop_is_never_served_with_the_shops_pictures(shelf, settings, client):
    shelf.put("A", 1)
    settings.SEARCH_CROPS_ROOT = Path(settings.MEDIA_ROOT).parent / "searched"
    kept = searched(image=picture(1))

    for name in (kept.crop, f"searched/{kept.crop}", f"../searched/{kept.crop}"):
        assert client.get(f"/media/{name}").status_code == 404


def test_a_shop_may_keep_no_crops(shelf, settings, folder):
    settings.SEARCH_CROP_RETENTION_DAYS = 0
    shelf.put("A", 1)

    assert searched(image=picture(1)).crop == ""
    assert not folder.exists()


def test_words_have_no_crop(shelf):
    shelf.put("A", 1)
    assert searched(text="a shoe").crop == ""


def test_old_crops_go_and_younger_ones_stay(shelf, settings, folder):
    settings.SEARCH_CROP_RETENTION_DAYS = 30
    shelf.put("A", 1)
    kept = searched(image=picture(1))
    today = timezone.now()

    assert searched_crops.delete_old(now=today + timedelta(days=30)) == 0
    assert searched_crops.path_of(kept.crop) is not None
    assert searched_crops.delete_old(now=today + timedelta(days=31)) == 1
    assert list(folder.iterdir()) == []
    kept.refresh_from_db()
    assert kept.crop == ""


def test_deleting_leaves_alone_what_is_not_a_days_folder(shelf, folder):
    (folder / "notes").mkdir(parents=True)
    assert searched_crops.delete_old(now=timezone.now() + timedelta(days=999)) == 0
    assert (folder / "notes").is_dir()


def test_crops_that_the_disk_cannot_take_in_time_are_let_go(shelf, monkeypatch):
    for _ in range(searched_crops.MOST_WAITING):
        searched_crops._places.acquire()
    try:
        assert searched_crops.keep(Image.new("RGB", (50, 50))) == ""
    finally:
        for _ in range(searched_crops.MOST_WAITING):
            searched_crops._places.release()


def test_a_crop_that_cannot_be_written_costs_no_answer(shelf, settings, tmp_path, caplog):
    (tmp_path / "file").write_text("")
    settings.SEARCH_CROPS_ROOT = tmp_path / "file"
    shelf.put("A", 1)

    kept = searched(image=picture(1))
    assert searched_crops.path_of(kept.crop) is None
    assert "was not kept" in caplog.text
