import io
import stat
import struct
import time
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from catalog.feeds.archive import open_archive
from catalog.feeds.zips import MAX_ENTRIES
from shop_search.errors import InputError

FEED = b"id,title,image_link\n1,One,one.png\n"


def zipped(folder: Path, entries: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    path = folder / "upload.zip"
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return path


def refused(path: Path) -> str:
    with pytest.raises(InputError) as caught, open_archive(path):
        pass
    return caught.value.code


def test_the_feed_is_found_and_pictures_are_read_by_name(tmp_path):
    path = zipped(
        tmp_path,
        {
            "shop/feed.csv": FEED,
            "shop/img/one.png": b"1",
            "two.png": b"2",
            "__MACOSX/._feed.csv": b"",
            "ReadMe.txt": b"x",
        },
    )

    with open_archive(path) as archive:
        archive.copy_feed(tmp_path / "feed")
        found = {
            name: archive.find(name) for name in ["img/one.png", "one.png", "img\\ONE.png", "two.png", "three.png"]
        }
        data = archive.read("two.png", max_bytes=10)

    assert (tmp_path / "feed").read_bytes() == FEED
    assert data == b"2"
    assert found == {
        "img/one.png": "shop/img/one.png",
        "one.png": "shop/img/one.png",
        "img\\ONE.png": None,
        "two.png": "two.png",
        "three.png": None,
    }


def test_a_name_that_two_pictures_have_means_neither(tmp_path):
    with open_archive(zipped(tmp_path, {"feed.csv": FEED, "a/one.png": b"1", "b/one.png": b"2"})) as archive:
        assert archive.find("one.png") is None
        assert archive.find("b/one.png") == "b/one.png"


def test_letters_with_accents_are_found_as_macos_writes_them(tmp_path):
    with open_archive(zipped(tmp_path, {"feed.csv": FEED, "cafe\u0301.png": b"1"})) as archive:
        assert archive.find("caf\u00e9.png") is not None


@pytest.mark.parametrize(
    ("entries", "code"),
    [
        ({"../feed.csv": FEED}, "archive_path_forbidden"),
        ({"feed.csv": FEED, "a/../../etc/passwd": b""}, "archive_path_forbidden"),
        ({"feed.csv": FEED, "/etc/passwd": b""}, "archive_path_forbidden"),
        ({"feed.csv": FEED, "..\\evil.png": b""}, "archive_path_forbidden"),
        ({"feed.csv": FEED, "C:/evil.png": b""}, "archive_path_forbidden"),
        ({"one.png": b"1"}, "archive_no_feed"),
        ({"products.ods": b"PK"}, "feed_xlsx_unsupported"),
        ({"~$products.xlsx": b"", "one.png": b"1"}, "archive_no_feed"),
        ({"a.csv": FEED, "b.xml": b"<rss/>"}, "archive_feeds_several"),
        ({"feed.csv": FEED, "bomb.png": bytes(30_000_000)}, "archive_bomb"),
        ({"feed.csv": FEED, **{f"{n}.png": bytes(900_000) for n in range(20)}}, "archive_bomb"),
    ],
)
def test_a_dangerous_or_useless_zip_is_refused(tmp_path, entries, code):
    assert refused(zipped(tmp_path, entries)) == code


def test_a_link_is_refused(tmp_path):
    path = tmp_path / "upload.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("feed.csv", FEED)
        link = zipfile.ZipInfo("one.png")
        link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")

    assert refused(path) == "archive_link_forbidden"


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_comes_twice_is_refused(tmp_path):
    path = tmp_path / "upload.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ["feed.csv", "one.png", "./one.png"]:
            archive.writestr(name, FEED)

    assert refused(path) == "archive_duplicate_name"


def test_a_locked_zip_is_refused(tmp_path):
    data = bytearray(zipped(tmp_path, {"feed.csv": FEED}).read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "upload.zip").write_bytes(data)

    assert refused(tmp_path / "upload.zip") == "archive_encrypted"


def test_entries_that_share_their_bytes_are_refused(tmp_path):
    data = bytearray(zipped(tmp_path, {"feed.csv": FEED, "a.png": b"1" * 50, "b.png": b"2" * 50}).read_bytes())
    places = [at for at in range(len(data)) if data[at : at + 4] == b"PK\x01\x02"]
    data[places[2] + 42 : places[2] + 46] = data[places[1] + 42 : places[1] + 46]
    (tmp_path / "upload.zip").write_bytes(data)

    assert refused(tmp_path / "upload.zip") == "archive_bomb"


@pytest.mark.parametrize("cut", [10, 40, -5])
def test_a_damaged_zip_is_refused(tmp_path, cut):
    path = zipped(tmp_path, {"feed.csv": FEED, "one.png": b"1" * 500})
    path.write_bytes(path.read_bytes()[:cut])

    assert refused(path) == "archive_unreadable"


def test_a_damaged_entry_is_told_when_it_is_read(tmp_path):
    path = zipped(tmp_path, {"feed.csv": FEED, "one.png": b"1" * 500}, zipfile.ZIP_STORED)
    path.write_bytes(path.read_bytes().replace(b"1" * 500, b"2" * 500))

    with open_archive(path) as archive, pytest.raises(InputError) as caught:
        archive.read("one.png", max_bytes=1000)

    assert caught.value.code == "archive_unreadable"


def test_a_hundred_thousand_entries_are_refused_before_they_fill_the_memory(tmp_path):
    entry = struct.pack("<4s6H3L5H2L", b"PK\x01\x02", 20, 20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"a"
    directory = entry * (MAX_ENTRIES + 1)
    # The end record claims one entry.
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(directory), 0, 0)
    path = tmp_path / "upload.zip"
    path.write_bytes(directory + end)

    tracemalloc.start()
    started = time.monotonic()
    code = refused(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert code == "archive_too_many_entries"
    assert peak < 20_000_000
    assert time.monotonic() - started < 10


def test_no_more_is_unpacked_than_asked_for_whatever_the_directory_says(tmp_path):
    with open_archive(zipped(tmp_path, {"feed.csv": FEED, "one.png": b"1" * 900_000})) as archive:
        assert len(archive.read("one.png", max_bytes=1000)) == 1000


def test_a_zip_in_memory_of_zip64_is_read(tmp_path):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as writer, writer.open("feed.csv", "w", force_zip64=True) as entry:
        entry.write(FEED)
    (tmp_path / "upload.zip").write_bytes(stream.getvalue())

    with open_archive(tmp_path / "upload.zip") as archive:
        assert archive.feed_name == "feed.csv"
