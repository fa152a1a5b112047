"""A zip that somebody sent, opened only after every check: nothing in it is ever written under a name that it chose.

    end record -> directory counted -> entries checked -> opened

Everything that makes a zip dangerous is refused before anything is unpacked, by what the directory says, and again
while reading, for a directory may lie.
"""

import stat
import struct
import unicodedata
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from shop_search.errors import InputError

MAX_ENTRIES = 99_999  # two pictures each for 50,000 products
MAX_DIRECTORY = 24 << 20  # bytes; 240 for each entry
MAX_RATIO = 100  # of everything: text packs 20 to 1 at best, pictures not at all
MAX_UNPACKED = 16 << 30
_SMALL = 1 << 20  # a bomb worth the name is larger than this
_LITTER = frozenset({".ds_store", "thumbs.db", "desktop.ini", "readme.txt"})


def is_zip(path: Path) -> bool:
    """Returns whether the file begins as a zip does."""
    try:
        with path.open("rb") as stream:
            return stream.read(4) in {b"PK\x03\x04", b"PK\x05\x06"}
    except OSError:
        return False


@contextmanager
def open_zip(path: Path) -> Iterator[zipfile.ZipFile]:
    """Opens a zip that passes every check.

    Raises InputError archive_unreadable, archive_too_many_entries, archive_bomb, archive_path_forbidden,
    archive_link_forbidden, archive_duplicate_name or archive_encrypted.
    """
    with path.open("rb") as stream:
        _check_directory(stream, path.stat().st_size)
    try:
        zipped = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, ValueError, NotImplementedError, struct.error) as error:
        raise _unreadable(str(error)) from error
    with zipped:
        _check_entries(zipped.infolist(), path.stat().st_size)
        yield zipped


def _check_directory(stream: BinaryIO, size: int) -> None:
    """Counts the directory's entries before a library makes an object of each."""
    tail_size = min(size, 65_557)
    stream.seek(size - tail_size)
    tail = stream.read(tail_size)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < 22:
        raise _unreadable("its end is missing")
    length, start = struct.unpack("<LL", tail[at + 12 : at + 20])
    end = size - tail_size + at
    locator = tail.rfind(b"PK\x06\x07", 0, at)
    if 0xFFFFFFFF in (length, start) and locator >= 0:
        (end64,) = struct.unpack("<Q", tail[locator + 8 : locator + 16])
        stream.seek(min(end64, size))
        record = stream.read(56)
        if len(record) < 56 or record[:4] != b"PK\x06\x06":
            raise _unreadable("its end is damaged")
        (length,) = struct.unpack("<Q", record[40:48])
        end = end64
    if length > MAX_DIRECTORY or length > end:
        raise _too_many()
    stream.seek(end - length)  # where zipfile looks for it too, whatever `start` says
    directory, count, place = stream.read(length), 0, 0
    while directory[place : place + 4] == b"PK\x01\x02" and place + 46 <= length:
        name, extra, comment = struct.unpack("<HHH", directory[place + 28 : place + 34])
        place += 46 + name + extra + comment
        count += 1
        if count > MAX_ENTRIES:
            raise _too_many()


def _check_entries(entries: list[zipfile.ZipInfo], size: int) -> None:
    if len(entries) > MAX_ENTRIES:
        raise _too_many()
    names: set[str] = set()
    end = 0
    for info in sorted(entries, key=lambda info: info.header_offset):
        _check_name(info)
        if is_litter(info.filename):
            continue
        if info.flag_bits & 1:
            raise InputError("archive_encrypted", "The zip is locked with a password. Send it without one.")
        name = normal_name(info.filename)
        if name in names:
            raise InputError("archive_duplicate_name", f"The zip holds {info.filename[:100]!r} twice. Which is right?")
        names.add(name)
        if info.header_offset < end:
            raise _bomb("entries of it share their bytes")
        end = info.header_offset + 30 + info.compress_size
        if info.file_size > _SMALL and info.file_size > 1000 * max(1, info.compress_size):
            raise _bomb(f"{info.filename[:100]!r} unpacks to {info.file_size:,} bytes from {info.compress_size:,}")
    total = sum(info.file_size for info in entries)
    if total > MAX_UNPACKED or (total > _SMALL and total > MAX_RATIO * size):
        raise _bomb(f"it would unpack to {total:,} bytes from {size:,}")


def _check_name(info: zipfile.ZipInfo) -> None:
    name = info.filename.replace("\\", "/")
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or ":" in name[:3] or "\0" in info.orig_filename:
        raise InputError("archive_path_forbidden", f"The zip holds {name[:100]!r}, which leads out of it.")
    mode = info.external_attr >> 16
    if mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise InputError(
            "archive_link_forbidden", f"The zip holds {name[:100]!r}, a link. Put the file itself into it."
        )


@contextmanager
def readable_entry(name: str) -> Iterator[None]:
    """Raises InputError `archive_unreadable` for whatever zipfile and its unpackers raise while an entry is read."""
    try:
        yield
    except InputError:
        raise
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError, ValueError, EOFError) as error:
        raise _unreadable(f"{name[:100]!r}: {error}") from error
    except Exception as error:
        if type(error).__module__ in {"zlib", "lzma"}:  # zlib.error and LZMAError have no common base
            raise _unreadable(f"{name[:100]!r}: {error}") from error
        raise


def normal_name(name: str) -> str:
    """Returns a name as it is compared: macOS takes letters and their accents apart, Windows writes backslashes."""
    return unicodedata.normalize("NFC", str(PurePosixPath(name.replace("\\", "/"))))


def is_litter(name: str) -> bool:
    """Returns whether an entry is what computers put into zips beside what people do."""
    path = PurePosixPath(name)
    # ~$ is what Excel keeps beside a workbook that is open.
    return "__MACOSX" in path.parts or path.name.lower() in _LITTER or path.name.startswith("~$")


def _bomb(reason: str) -> InputError:
    return InputError("archive_bomb", f"The zip is not unpacked: {reason}.")


def _too_many() -> InputError:
    message = f"The zip holds more than {MAX_ENTRIES:,} files. Send it in parts; products of earlier parts stay."
    return InputError("archive_too_many_entries", message)


def _unreadable(reason: str) -> InputError:
    return InputError("archive_unreadable", f"The zip can't be read: {reason}. Pack it again.")
