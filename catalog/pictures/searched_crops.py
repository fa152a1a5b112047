"""Small pictures of what shoppers searched with, kept for a while so that people can judge the answers.

The photo itself is never kept: only the part that was searched with, at most 224 px, as a JPEG without metadata. It
lies outside of MEDIA_ROOT, which is served to all, under a name that can't be guessed; staff see it in the console.

    search -> keep: a name at once ──> (thread) small JPEG in a folder of the day ──> delete_old: days that are over
"""

import logging
import os
import secrets
import shutil
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from time import monotonic

from django.conf import settings
from django.utils import timezone
from PIL import Image

from catalog.models import SearchRecord

logger = logging.getLogger(__name__)

LONGEST_PX = 224  # what the encoder looked at; more would tell a reviewer more than the search knew
QUALITY = 80
# A crop that waits holds its pixels. More than these wait only where the disk stands still: then crops are let go.
MOST_WAITING = 16
TIDY_EVERY_S = 3600.0

_writer: ThreadPoolExecutor | None = None
_places = threading.BoundedSemaphore(MOST_WAITING)
_lock = threading.Lock()
_latest: Future[None] | None = None
_tidied_at: float | None = None


def keep(crop: Image.Image) -> str:
    """Returns the name under which a small picture of the crop will lie, or "" where none is kept.

    The answer doesn't wait for it. A crop that can't be written costs a line in the log and a picture in the console.
    """
    global _latest
    if settings.SEARCH_CROP_RETENTION_DAYS <= 0 or not _places.acquire(blocking=False):
        return ""
    name = f"{timezone.now().astimezone(UTC).date().isoformat()}/{secrets.token_urlsafe(24)}.jpg"
    _latest = _pool().submit(_write, crop, _root() / name)
    return name


def wait() -> None:
    """Returns when every crop that was handed over is written."""
    if _latest is not None:
        _latest.result()


def path_of(name: str) -> Path | None:
    """Returns the file of a kept crop; None where it is gone or not yet written."""
    path = _root() / name
    return path if name and path.is_file() else None


def delete_old(*, now: datetime | None = None) -> int:
    """Deletes crops of days beyond SEARCH_CROP_RETENTION_DAYS and returns how many days there were."""
    today = (now or timezone.now()).astimezone(UTC).date()
    # A crop of 23:59 is a day old a minute later: whole days are kept, so a crop goes at most one day late.
    oldest = today - timedelta(days=max(0, settings.SEARCH_CROP_RETENTION_DAYS))
    none_kept = settings.SEARCH_CROP_RETENTION_DAYS <= 0
    gone = 0
    for folder in sorted(_root().iterdir()) if _root().is_dir() else []:
        day = _day(folder.name)
        if day is not None and (none_kept or day < oldest):
            shutil.rmtree(folder)
            SearchRecord.objects.filter(crop__startswith=f"{folder.name}/").update(crop="")
            gone += 1
    return gone


def tidy() -> bool:
    """Deletes old crops, once an hour and process; returns whether any went."""
    global _tidied_at
    if _tidied_at is not None and monotonic() - _tidied_at < TIDY_EVERY_S:
        return False
    gone = delete_old()
    _tidied_at = monotonic()
    if gone:
        logger.info("Deleted the searched crops of %d days.", gone)
    return bool(gone)


def _root() -> Path:
    return Path(settings.SEARCH_CROPS_ROOT)


def _day(name: str) -> date | None:
    try:
        return date.fromisoformat(name)
    except ValueError:
        return None


def _pool() -> ThreadPoolExecutor:
    global _writer
    with _lock:
        if _writer is None:
            _writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="crops")
        return _writer


def _write(crop: Image.Image, path: Path) -> None:
    try:
        small = crop.convert("RGB")
        small.thumbnail((LONGEST_PX, LONGEST_PX), Image.Resampling.BILINEAR, reducing_gap=2.0)
        bare = Image.new("RGB", small.size)
        bare.paste(small)  # pixels alone: no EXIF, no profile, no comment
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            bare.save(stream, "JPEG", quality=QUALITY)
        part.replace(path)
    except (OSError, ValueError) as error:
        logger.warning("A searched crop was not kept: %s", error)
    finally:
        _places.release()
