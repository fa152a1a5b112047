"""A zip of a feed and its pictures, read in place: nothing in it is ever written under a name that it chose.

opened and checked (zips) -> one feed found -> feed copied out, pictures read by name
"""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from catalog.feeds.workbook_parts import unsupported_workbook
from catalog.feeds.zips import is_litter, normal_name, open_zip, readable_entry
from shop_search.errors import InputError

MAX_FEED = 2 << 30
FEED_SUFFIXES = frozenset(
    {".csv", ".tsv", ".txt", ".xml", ".rss", ".atom", ".jsonl", ".ndjson", ".json", ".xlsx", ".xlsm"}
)
_COPY = 1 << 20


class Archive:
    """An open zip that passed every check. Safe to read from several threads."""

    def __init__(self, zipped: zipfile.ZipFile) -> None:
        self._zip = zipped
        self._entries: dict[str, zipfile.ZipInfo] = {}
        for info in zipped.infolist():
            if not info.is_dir() and not is_litter(info.filename):
                self._entries[normal_name(info.filename)] = info
        self._by_folded: dict[str, list[str]] = {}
        for name in self._entries:
            for key in {name.casefold(), PurePosixPath(name).name.casefold()}:
                self._by_folded.setdefault(key, []).append(name)
        self.feed_name = self._find_feed()

    def _find_feed(self) -> str:
        found = [name for name in self._entries if PurePosixPath(name).suffix.lower() in FEED_SUFFIXES]
        depth = min((name.count("/") for name in found), default=0)
        found = [name for name in found if name.count("/") == depth]
        if not found:
            other = next((name for name in self._entries if name.lower().endswith((".xls", ".xlsb", ".ods"))), None)
            if other is not None:
                raise unsupported_workbook(other)
            raise InputError(
                "archive_no_feed", "The zip holds no feed. Put the CSV, TSV, XLSX, XML or JSONL file into it."
            )
        if len(found) > 1:
            names = ", ".join(sorted(found)[:5])
            raise InputError("archive_feeds_several", f"The zip holds several feeds: {names}. Leave one in it.")
        return found[0]

    def copy_feed(self, target: Path) -> None:
        """Writes the feed to `target`. Raises InputError `archive_bomb` or `archive_unreadable`."""
        left = MAX_FEED
        with readable_entry(self.feed_name), self._zip.open(self._entries[self.feed_name]) as stream:
            with target.open("wb") as out:
                while chunk := stream.read(_COPY):
                    left -= len(chunk)
                    if left < 0:
                        raise InputError("archive_bomb", f"The feed in the zip is larger than {MAX_FEED >> 30} GiB.")
                    out.write(chunk)

    def find(self, name: str) -> str | None:
        """Returns the entry that a feed means by `name`: as written, else of that name in any folder, if it is one."""
        wanted = normal_name(name)
        folder = self.feed_name.rpartition("/")[0]
        for candidate in (f"{folder}/{wanted}" if folder else wanted, wanted):
            if candidate in self._entries:
                return candidate
        found = self._by_folded.get(wanted.casefold(), [])
        return found[0] if len(found) == 1 else None

    def read(self, entry: str, *, max_bytes: int) -> bytes:
        """Returns an entry's bytes, at most `max_bytes` of them. Raises InputError `archive_unreadable`."""
        with readable_entry(entry), self._zip.open(self._entries[entry]) as stream:
            return stream.read(max_bytes)


@contextmanager
def open_archive(path: Path) -> Iterator[Archive]:
    """Opens a zip. Raises InputError as `open_zip` does, and archive_no_feed or archive_feeds_several."""
    with open_zip(path) as zipped:
        yield Archive(zipped)
