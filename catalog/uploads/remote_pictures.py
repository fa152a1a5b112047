"""Pictures that feeds name by URL: fetched by a worker, politely, and put where products wait for them.

    claim -> fetch (catalog.pictures.fetch, in threads, few at once of one server) -> check, store
          -> products' pictures, pending

Nothing is fetched while a merchant waits for an answer. An address is fetched once however many products show it; when
a feed names it again after a while its server is asked whether it has changed. A server that is slow or busy is asked
again later, and left alone for as long as it says.
"""

import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone

from catalog.feeds import RowError
from catalog.models import AwaitedImage, ProductImage, RemotePicture, UploadError
from catalog.models.pauses import noting_pauses
from catalog.pictures.blocked import BlockedPhotos, among, refusal
from catalog.pictures.fetch import AnswerStatusError, Fetched, fetch_changed_image
from catalog.pictures.files import Awaited, Picture, take_picture
from catalog.uploads.product_changes import show_fetched
from detection.images import MAX_BYTES
from shop_search.errors import InputError

log = logging.getLogger("catalog.worker")

BATCH = 32
PER_HOST = 4  # at once: fewer than the six that every browser opens
THREADS = 8
TIMEOUT_S = 15.0
FRESH = timedelta(hours=1)  # after which a feed that names the address again has it checked
# Tries again after half a minute, then two, eight and half an hour; then the merchant is told.
RETRIES = tuple(timedelta(seconds=seconds) for seconds in (30, 120, 480, 1800))
LONGEST_WAIT = timedelta(hours=6)
_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})

Fetch = Callable[..., Fetched | None]


@dataclass(frozen=True, slots=True)
class _Outcome:
    picture: Picture | None = None  # None: as it was
    fetched: Fetched | None = None
    error: InputError | None = None
    was_asked: bool = True  # no: its server had just asked to be left alone


def look_up(urls: Iterable[str], *, keep: bool = True) -> dict[str, Picture | Awaited]:
    """Returns the picture of each address, or that it is yet to be fetched; with `keep`, old ones are due again."""
    urls = set(urls)
    found: dict[str, Picture | Awaited] = {url: Awaited(url) for url in urls}
    if not urls:
        return found
    rows = [row for row in RemotePicture.objects.at(urls).values() if row.sha256]
    for row in rows:
        if default_storage.exists(row.file):
            found[row.url] = Picture(row.sha256, row.file, row.width, row.height)
    now = timezone.now()
    old = [
        row.pk for row in rows if row.next_try_at is None and (row.fetched_at is None or row.fetched_at < now - FRESH)
    ]
    if keep and old:
        RemotePicture.objects.filter(pk__in=old, next_try_at=None).update(next_try_at=now)
    return found


def fetch_due(*, fetch: Fetch = fetch_changed_image, limit: int = BATCH) -> int:
    """Fetches up to `limit` pictures that are due and returns how many; 0 when none was.

    Raises ServiceError `media_unwritable`; then the pictures are due again once their claim ends.
    """
    with noting_pauses("pictures"):
        return _fetch_due(fetch, limit)


def _fetch_due(fetch: Fetch, limit: int) -> int:
    rows = RemotePicture.objects.claim(limit, per_host=max(1, limit // 2))
    if not rows:
        return 0
    doors: dict[str, threading.Semaphore] = defaultdict(lambda: threading.Semaphore(PER_HOST))
    blocked = BlockedPhotos.read()
    closed: dict[str, InputError] = {}  # servers that have asked to be left alone meanwhile

    def work(row: RemotePicture) -> _Outcome:
        with doors[row.host]:
            if row.host in closed:
                return _Outcome(error=closed[row.host], was_asked=False)
            outcome = _fetch_one(row, fetch, blocked)
            if isinstance(outcome.error, AnswerStatusError) and outcome.error.status in {429, 503}:
                closed[row.host] = outcome.error
            return outcome

    for row in rows:
        doors[row.host]  # made here, for threads would make two
    with ThreadPoolExecutor(THREADS, thread_name_prefix="fetch") as pool:
        outcomes = list(pool.map(work, rows))
    for row, outcome in zip(rows, outcomes, strict=True):
        with transaction.atomic():
            _apply(row, outcome)
    _leave_alone(closed)
    return len(rows)


def _leave_alone(closed: Mapping[str, InputError]) -> None:
    """Puts off all that is due of servers that have asked to be left alone, for as long as they said."""
    for host, error in closed.items():
        if isinstance(error, AnswerStatusError) and error.retry_after_s is not None:
            until = timezone.now() + min(timedelta(seconds=error.retry_after_s), LONGEST_WAIT)
            RemotePicture.objects.filter(host=host, next_try_at__lt=until).update(next_try_at=until)


def _fetch_one(row: RemotePicture, fetch: Fetch, blocked: BlockedPhotos) -> _Outcome:
    known = bool(row.sha256) and default_storage.exists(row.file)
    try:
        fetched = fetch(
            row.url,
            max_bytes=MAX_BYTES,
            timeout_s=TIMEOUT_S,
            etag=row.etag if known else "",
            last_modified=row.last_modified if known else "",
        )
        if fetched is None:
            return _Outcome(picture=Picture(row.sha256, row.file, row.width, row.height))
        return _Outcome(picture=take_picture(row.url, fetched.data, blocked), fetched=fetched)
    except InputError as error:
        return _Outcome(error=error)


def _apply(row: RemotePicture, outcome: _Outcome) -> None:
    """Writes what came of one picture; inside a transaction."""
    picture = outcome.picture
    if picture is not None and among([picture.sha256]):  # blocked since it was fetched, now or long ago
        outcome = _Outcome(error=refusal(row.url))
    if outcome.error is not None and not outcome.was_asked:
        row.claimed_until, row.next_try_at = None, timezone.now() + RETRIES[0]
        row.save(update_fields=["claimed_until", "next_try_at"])
        return
    if outcome.error is not None:
        _fail(row, outcome.error)
        return
    assert picture is not None
    old = row.sha256
    if outcome.fetched is not None:
        row.etag, row.last_modified = outcome.fetched.etag, outcome.fetched.last_modified
        row.sha256, row.file, row.width, row.height = picture.sha256, picture.name, picture.width, picture.height
    row.fetched_at, row.next_try_at, row.claimed_until = timezone.now(), None, None
    row.attempts, row.error_code, row.error = 0, "", ""
    row.save()
    for waiting in row.awaited.select_related("product"):
        show_fetched(waiting, row.url, picture)
    if old and old != picture.sha256:
        _replace(row.url, old, picture)


def _replace(url: str, old: str, picture: Picture) -> None:
    """Shows the new picture where products show the old one of this address."""
    now = timezone.now()
    ProductImage.objects.filter(sha256=old, source=url).update(
        file=picture.name,
        sha256=picture.sha256,
        width=picture.width,
        height=picture.height,
        state=ProductImage.State.PENDING,
        error_code="",
        error="",
        payload_due=now,
    )


def _fail(row: RemotePicture, error: InputError) -> None:
    """Notes a failure: to be tried again where that may help, else told to the uploads that wait."""
    row.claimed_until = None
    row.error_code, row.error = error.code, error.message[:500]
    row.next_try_at = _next_try(row, error)
    row.attempts = min(row.attempts + 1, 100)
    row.save()
    if row.next_try_at is not None:
        return
    waiting = list(row.awaited.all())
    for one in waiting:
        if one.upload_id is not None:
            _tell(one, one.upload_id, row)
    AwaitedImage.objects.filter(pk__in=[one.pk for one in waiting]).delete()


def _next_try(row: RemotePicture, error: InputError) -> datetime | None:
    """Returns when to ask again: never where the server has said what is wrong, or has been asked often enough."""
    wait: timedelta | None = RETRIES[row.attempts] if row.attempts < len(RETRIES) else None
    if isinstance(error, AnswerStatusError):
        if error.status not in _BUSY:
            return None
        if error.retry_after_s is not None and wait is not None:
            wait = min(max(wait, timedelta(seconds=error.retry_after_s)), LONGEST_WAIT)
    elif error.code not in {"image_url_unreachable", "image_url_timeout"}:
        return None
    return timezone.now() + wait if wait is not None else None


def _tell(waiting: AwaitedImage, upload: UUID, row: RemotePicture) -> None:
    column = "additional_image_link" if waiting.position else "image_link"
    error = RowError.of(waiting.row, column, row.error_code, row.error, row.url, is_fatal=False)
    UploadError.objects.create(
        upload_id=upload,
        row=error.row,
        column=column,
        code=error.code,
        message=error.message[:1000],
        value=error.value,
        is_fatal=False,
    )
