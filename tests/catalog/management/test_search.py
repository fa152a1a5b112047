import json

import pytest
from django.core.management import CommandError, call_command

from catalog.models import SearchRecord
from tests.fakes import picture


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "photo.png"
    path.write_bytes(picture(3))
    return path


def test_a_photo_finds_its_product_in_a_terminal(shelf, photo, capsys):
    for seed in range(5):
        shelf.put(f"S-{seed}", seed)

    call_command("search", photo)

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Found in the photo:"
    assert "<- searched" in lines[1]
    assert next(line for line in lines if line.startswith("  1.")).split()[3] == "S-3"


def test_words_alone_are_a_search_too(shelf, capsys):
    shelf.put("S-1", 1, colors=["Red"], gtin="4006381333931")
    shelf.put("S-2", 2, colors=["Red"], gtin="4006381333931")
    shelf.put("S-3", 3, colors=["Blue"])

    call_command("search", text="red shoes")

    out = capsys.readouterr().out
    assert "Only: Red, Shoes" in out
    assert "and 1 more" in out
    assert "S-3" not in out


def test_json_is_the_apis_body_and_the_search_is_kept(shelf, photo, capsys):
    shelf.put("S-3", 3)

    call_command("search", photo, "--json", "--outfit")

    body = json.loads(capsys.readouterr().out)
    assert body["results"][0]["product"]["sku"] == "S-3"
    assert body["outfit"][0]["region"] == 0
    assert str(SearchRecord.objects.get().pk) == body["id"]


def test_a_missing_file_and_an_empty_question_are_refused(shelf, tmp_path):
    with pytest.raises(CommandError, match="Can't read"):
        call_command("search", tmp_path / "nothing.png")
    with pytest.raises(CommandError, match="question_missing"):
        call_command("search")
