"""What a feed with names of its own is probably about; nothing is taken before a merchant says yes."""

import zipfile
from pathlib import Path

import pytest

from catalog.feeds.glance import Glance, glance_at, header_key


def glance(folder: Path, text: str) -> Glance:
    path = folder / "feed.csv"
    path.write_text(text, encoding="utf-8")
    found = glance_at(path)
    assert found is not None
    return found


def test_names_in_other_languages_are_proposed(tmp_path):
    found = glance(tmp_path, "Artikelnr;Bezeichnung;Bild;Preis;Lager\nA-1;Stiefel;a.png;19,90;3\n")

    assert found.proposed == {
        "id": "Artikelnr",
        "title": "Bezeichnung",
        "image_link": "Bild",
        "price": "Preis",
        "availability": "Lager",
    }
    assert (found.used, found.missing, found.rows) == ({}, [], (("A-1", "Stiefel", "a.png", "19,90", "3"),))


def test_misspelled_names_and_telling_cells_are_proposed(tmp_path):
    found = glance(tmp_path, "sku,tittle,X1,X2\nA-1,Boot,https://cdn.example/a.jpg?w=1,12.50 EUR\nA-2,Bag,b.png,\n")

    assert found.used == {"id": "sku"}
    assert found.proposed == {"title": "tittle", "image_link": "X1", "price": "X2"}


def test_what_nothing_speaks_for_is_left_to_the_merchant(tmp_path):
    found = glance(tmp_path, "a,b,c\n1,2,3\n4,5,6\n")

    assert (found.proposed, found.missing) == ({}, ["id", "title", "image_link"])


def test_a_feed_with_our_names_needs_no_proposal(tmp_path):
    found = glance(tmp_path, "id,title,image_link,price,season\nA-1,Boot,a.png,5 EUR,winter\n")

    assert (found.proposed, found.missing) == ({}, [])


def test_the_order_of_names_makes_no_other_header():
    assert header_key(["Artikel", " Preis "]) == header_key(["preis", "ARTIKEL", ""])
    assert header_key(["Artikel"]) != header_key(["Preis"])


@pytest.mark.parametrize("text", ["<rss><item/></rss>", '{"id": "A"}', "Handle,Title,Variant Price\na,b,1\n"])
def test_kinds_that_tell_their_columns_themselves_are_not_looked_at(tmp_path, text):
    path = tmp_path / "feed.txt"
    path.write_text(text)

    assert glance_at(path) is None


def test_a_feed_in_a_zip_is_looked_at_too(tmp_path):
    with zipfile.ZipFile(tmp_path / "feed.zip", "w") as archive:
        archive.writestr("feed.csv", "Artikel;Foto\nA-1;a.png\n")

    assert glance_at(tmp_path / "feed.zip").header == ("Artikel", "Foto")
