"""Pictures that a feed names -> files of our own, named by their content and checked to be pictures.

    image_link -> path inside the folder -> bytes -> SHA-256 -> decoded once -> MEDIA_ROOT/products/ab/ab12….jpg

The same content is one file, whoever sends it and under whatever name; a sender's file name never reaches our disk.
"""

import errno
import hashlib
import io
import os
import secrets
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage

from catalog.feeds.archive import Archive
from catalog.pictures.blocked import SIDE as COMPARED_SIDE
from catalog.pictures.blocked import BlockedPhotos, refusal
from catalog.pictures.disk import check_space
from detection.images import MAX_BYTES, Photo, decode
from detection.signatures import sniff
from shop_search.errors import InputError, ServiceError

# Formats that every browser shows, and the extension each is served under. Others are kept as JPEG.
_EXTENSIONS = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp", "GIF": "gif", "AVIF": "avif", "BMP": "bmp"}
_JPEG_QUALITY = 90
_JPEG_SIDE = 1280
# To know that a JPEG is whole, an eighth of its pixels is enough: libjpeg reads all of the file for them.
_CHECK_SIDE = 64
# Hashing, decoding and writing leave Python's lock; four threads keep two cores and a disk busy.
_THREADS = 4


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that is checked and stored."""

    sha256: str  # of the bytes as sent
    name: str  # in the media storage
    width: int  # upright, as stored
    height: int


@dataclass(frozen=True, slots=True)
class Awaited:
    """A picture on the web that is yet to be fetched."""

    url: str


class PictureSource(Protocol):
    """Where the pictures that a feed names by file name are."""

    def read(self, link: str) -> bytes:
        """Returns the file's bytes. Raises InputError; `image_not_found` when there is none of that name."""
        ...


class PictureFolder:
    """The folder that came with a feed; its links may name files inside it and nothing else."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()

    def find(self, link: str) -> Path:
        """Returns the file that a link names.

        Raises InputError `image_url_not_supported`, `image_path_forbidden` or `image_not_found`.
        """
        _refuse_url(link)
        for name in dict.fromkeys([link, unquote(link)]):
            path = self._inside(name.replace("\\", "/"))
            if path is not None and path.is_file():
                return path
        raise InputError("image_not_found", f"There is no file {link!r} among the pictures.")

    def read(self, link: str) -> bytes:
        """Returns the file's bytes. Raises as `find` does, and InputError `image_too_large` or `image_not_found`."""
        path = self.find(link)
        try:
            with path.open("rb") as stream:
                data = stream.read(MAX_BYTES + 1)
        except OSError as error:
            raise InputError("image_not_found", f"Can't read {link!r}: {error.strerror}.") from error
        if len(data) > MAX_BYTES:
            raise _too_large(link)
        return data

    def _inside(self, name: str) -> Path | None:
        """Returns the path if it lies in the folder with all links followed, None when there is nothing."""
        pure = PurePosixPath(name)
        if pure.is_absolute() or ".." in pure.parts or ":" in name[:3] or "\0" in name:
            raise InputError("image_path_forbidden", f"{name!r} is not a path inside the pictures' folder.")
        try:
            path = (self._root / pure).resolve(strict=True)
        except (OSError, RuntimeError):
            return None
        if not path.is_relative_to(self._root):
            raise InputError("image_path_forbidden", f"{name!r} leads out of the pictures' folder.")
        return path


class PictureArchive:
    """The zip that came with a feed; its links name entries of it."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def read(self, link: str) -> bytes:
        """Returns the entry's bytes.

        Raises InputError `image_url_not_supported`, `image_not_found`, `image_too_large` or `archive_unreadable`.
        """
        _refuse_url(link)
        for name in dict.fromkeys([link, unquote(link)]):
            entry = self._archive.find(name)
            if entry is not None:
                data = self._archive.read(entry, max_bytes=MAX_BYTES + 1)
                if len(data) > MAX_BYTES:
                    raise _too_large(link)
                return data
        raise InputError("image_not_found", f"There is no file {link!r} in the zip, or several in different folders.")


def load_pictures(
    links: Iterable[str],
    folder: PictureSource,
    *,
    known: Mapping[str, Picture],
    keep: bool = True,
) -> dict[str, Picture | InputError]:
    """Returns each link's picture, read, checked and (unless `keep` is False) stored; or why not.

    Content in `known` (by SHA-256) was checked before and is only looked for. Blocked photos are refused
    (`photo_blocked`). Raises ServiceError `media_unwritable`.
    """
    blocked = BlockedPhotos.read()  # here, because the threads below have no database

    def load(link: str) -> Picture | InputError:
        try:
            return _load(link, folder.read(link), known, store if keep else _forget, blocked)
        except InputError as error:
            return error

    unique = list(dict.fromkeys(links))
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="pictures") as pool:
        return dict(zip(unique, pool.map(load, unique), strict=True))


def take_picture(link: str, data: bytes, blocked: BlockedPhotos) -> Picture:
    """Returns the picture of these bytes, checked and stored.

    Raises InputError as `decode` does and `photo_blocked`, ServiceError `media_unwritable`.
    """
    return _load(link, data, {}, store, blocked)


def _load(
    link: str,
    data: bytes,
    known: Mapping[str, Picture],
    keep: Callable[[str, bytes], None],
    blocked: BlockedPhotos,
) -> Picture:
    sha256 = hashlib.sha256(data).hexdigest()
    if blocked.of_file(sha256) is not None:
        raise refusal(link)
    if sha256 in known and default_storage.exists(known[sha256].name):
        return known[sha256]
    extension = _EXTENSIONS.get(sniff(data) or "")
    checked = COMPARED_SIDE if blocked else _CHECK_SIDE
    photo = decode(data, keep_side=checked if extension else _JPEG_SIDE)
    if blocked.of_picture(photo.image) is not None:
        raise refusal(link)
    name = f"products/{sha256[:2]}/{sha256}.{extension or 'jpg'}"
    if extension is None:
        keep(name, _as_jpeg(photo))
        return Picture(sha256, name, photo.image.width, photo.image.height)
    keep(name, data)
    return Picture(sha256, name, photo.width, photo.height)


def _as_jpeg(photo: Photo) -> bytes:
    stream = io.BytesIO()
    photo.image.save(stream, "JPEG", quality=_JPEG_QUALITY)
    return stream.getvalue()


def _forget(name: str, data: bytes) -> None:
    """Stores nothing."""


def store(name: str, data: bytes) -> None:
    """Writes a media file that is either whole or not there, whatever happens meanwhile; nothing if it exists.

    Raises ServiceError `disk_full` or `media_unwritable`.
    """
    try:
        if default_storage.exists(name):
            return
        if isinstance(default_storage, FileSystemStorage):
            check_space(settings.MEDIA_ROOT, len(data))
            _write_whole(Path(default_storage.path(name)), data)
        else:
            default_storage.save(name, ContentFile(data))
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise ServiceError("disk_full", f"Can't write {name}: {error.strerror}.") from error
        raise ServiceError("media_unwritable", f"Can't write {name}: {error.strerror}.") from error


def _write_whole(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with draft.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def _too_large(link: str) -> InputError:
    return InputError(
        "image_too_large", f"{link!r} is larger than {MAX_BYTES / 2**20:g} MiB, the most a picture can be."
    )


def _refuse_url(link: str) -> None:
    if is_url(link):
        message = f"{link[:100]!r} can't be fetched. Give an address that begins with https:// or http://."
        raise InputError("image_url_not_supported", message)


def web_address(link: str) -> str | None:
    """Returns the address of a picture on the web that a link names, None when it names something else."""
    link = link.strip()
    url = f"https:{link}" if link.startswith("//") else link
    return url if url[:8].lower().startswith(("http://", "https://")) else None


def is_url(link: str) -> bool:
    """Returns whether a link names something elsewhere, fetchable or not, and no file beside the feed."""
    try:
        return urlsplit(link).scheme.lower() in {"http", "https", "ftp", "file", "data", "s3", "gs"} or link[:2] == "//"
    except ValueError:
        return False
