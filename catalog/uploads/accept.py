"""A merchant's bulk upload, from the file that arrives to the list of what was wrong with it.

    accept (file kept, row written: 202) -> a worker takes the rows in (work) -> status, errors.csv

An upload is accepted once its row is committed; from then on it is done even if every process dies. Nobody waits: the
request writes a file and a row, whatever the size of the catalog.
"""

import errno
import os
import re
import shutil
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from catalog.feeds.columns import COLUMNS
from catalog.feeds.prices import is_currency
from catalog.models import AwaitedImage, Delivery, Merchant, Pause, ProductImage, Upload
from catalog.pictures.disk import check_space
from catalog.uploads.pauses import current_pauses, why_waiting
from catalog.uploads.quotas import check_uploads, over_bytes
from catalog.uploads.tasks import call_worker
from catalog.uploads.webhooks import announce
from shop_search.errors import InputError, ServiceError

MAX_WAITING = 20  # unfinished uploads of one merchant
_YOUNG_S = 24 * 3600  # a file whose row may still come
_CHECK_EVERY = 16 << 20  # bytes between two looks at how full the disk is
_ASKED_FOR = timedelta(days=7)  # then an upload whose columns nobody has named is given up
_UNSAFE = re.compile(r"[^\w.-]+")


@dataclass(frozen=True, slots=True)
class UploadOptions:
    """What the merchant wants done. Raises InputError `column_unknown` or `currency_unknown` for what can't be."""

    dry_run: bool = False
    ask_columns: bool = False  # wait for the merchant where columns are unclear, instead of failing
    on_error: str = Upload.OnError.KEEP_GOOD
    withdraw_missing: bool = False
    confirm_withdraw: bool = False
    mapping: Mapping[str, str] = field(default_factory=dict)
    currency: str = ""

    def __post_init__(self) -> None:
        for ours in self.mapping:
            if ours not in COLUMNS:
                message = f"{ours!r} is none of our columns, which are: {', '.join(COLUMNS)}."
                raise InputError("column_unknown", message, fields={"mapping": message})
        if self.currency and not is_currency(self.currency):
            message = f"{self.currency!r} is no currency we know. Write its ISO code, like EUR."
            raise InputError("currency_unknown", message, fields={"currency": message})


def accept_upload(
    merchant: Merchant, name: str, chunks: Iterable[bytes], options: UploadOptions | None = None
) -> Upload:
    """Keeps the file and returns its upload, queued.

    Raises InputError `uploads_too_many`, `upload_too_large` or `feed_empty`, QuotaError, ServiceError
    `uploads_unwritable` or `disk_full`.
    """
    options = options or UploadOptions()
    if Upload.objects.for_merchant(merchant).unfinished().count() >= MAX_WAITING:
        raise InputError("uploads_too_many", f"{MAX_WAITING} uploads wait already. Send more when some are done.")
    left = check_uploads(merchant)
    upload = Upload(
        id=uuid4(),
        merchant=merchant,
        name=_UNSAFE.sub("_", name.replace("\\", "/").rsplit("/", 1)[-1]).lstrip(".")[-100:] or "feed",
        dry_run=options.dry_run,
        ask_columns=options.ask_columns,
        on_error=options.on_error,
        withdraw_missing=options.withdraw_missing,
        confirm_withdraw=options.confirm_withdraw,
        mapping=dict(options.mapping),
        currency=options.currency.upper(),
    )
    try:
        upload.size = _keep(file_of(upload), chunks)
        if upload.size > left:
            raise over_bytes(merchant)
        upload.save(force_insert=True)
    except BaseException:
        drop_file(upload)
        raise
    call_worker()
    return upload


def file_of(upload: Upload) -> Path:
    """Returns where the file is until the upload is finished. Its folder holds nothing else."""
    return Path(settings.UPLOADS_ROOT) / str(upload.pk) / upload.name


def drop_file(upload: Upload) -> None:
    """Deletes the file of an upload that is finished; what its bad rows held is kept with the errors."""
    shutil.rmtree(file_of(upload).parent, ignore_errors=True)


def sweep() -> int:
    """Forgets uploads that ended long ago, and files that no upload waits for; returns how many files.

    A request that dies between writing its file and its row leaves such a file: nobody was told that it is accepted.
    """
    long_ago = timezone.now() - timedelta(days=settings.UPLOADS_KEPT_DAYS)
    Upload.objects.filter(finished_at__lt=long_ago).delete()
    Delivery.objects.filter(created_at__lt=long_ago).delete()
    root = Path(settings.UPLOADS_ROOT)
    if not root.is_dir():
        return 0
    forgotten = timezone.now() - _ASKED_FOR
    Upload.objects.filter(status=Upload.Status.ASKING, created_at__lt=forgotten).update(
        status=Upload.Status.CANCELED, finished_at=timezone.now()
    )
    open_ = Upload.objects.unfinished() | Upload.objects.filter(status=Upload.Status.ASKING)
    waiting = {str(pk) for pk in open_.values_list("pk", flat=True)}
    young = time.time() - _YOUNG_S
    orphans = [path for path in root.iterdir() if path.name not in waiting and path.stat().st_mtime < young]
    for path in orphans:
        shutil.rmtree(path, ignore_errors=True)
    return len(orphans)


def _keep(path: Path, chunks: Iterable[bytes]) -> int:
    """Writes the file so that a crash of the machine doesn't lose it; returns its size."""
    limit, size, checked = settings.UPLOADS_MAX_BYTES, 0, 0
    check_space(settings.UPLOADS_ROOT)
    try:
        path.parent.mkdir(parents=True, mode=0o700)
        with path.open("wb") as stream:
            for chunk in chunks:
                size += len(chunk)
                if size > limit:
                    message = f"The file is larger than {limit / 2**20:.0f} MiB. Send it in parts."
                    raise InputError("upload_too_large", message)
                if size - checked >= _CHECK_EVERY:
                    check_space(path.parent, len(chunk))
                    checked = size
                stream.write(chunk)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise ServiceError("disk_full", "The shop's disk is full. Send the file again later.") from error
        raise ServiceError("uploads_unwritable", f"The file can't be kept: {error.strerror}.") from error
    if not size:
        raise InputError("feed_empty", "The file is empty.", fields={"file": "The file is empty."})
    return size


def upload_of(merchant: Merchant, upload_id: UUID) -> Upload:
    """Returns one of the merchant's uploads. Raises InputError `upload_unknown`, for another's too."""
    upload = Upload.objects.for_merchant(merchant).filter(pk=upload_id).first()
    if upload is None:
        raise InputError("upload_unknown", f"There is no upload {upload_id}.")
    return upload


def cancel_upload(merchant: Merchant, upload_id: UUID) -> Upload:
    """Stops an upload after the rows in hand and returns it; what was written stays. A finished one stays as it is."""
    upload = upload_of(merchant, upload_id)
    Upload.objects.filter(pk=upload.pk).unfinished().update(cancel_requested=True)
    idle = (Upload.Status.QUEUED, Upload.Status.ASKING)
    nobody_has_it = Upload.objects.filter(pk=upload.pk, status__in=idle, claimed_until=None)
    with transaction.atomic():
        is_ended = nobody_has_it.update(status=Upload.Status.CANCELED, finished_at=timezone.now())
        if is_ended:
            announce(upload)
    if is_ended:
        drop_file(upload)
    return upload_of(merchant, upload_id)


def images_pending(merchant: Merchant) -> int:
    """Returns how many of the merchant's pictures are yet to be fetched or indexed."""
    awaited = AwaitedImage.objects.filter(product__merchant=merchant, product__withdrawn_at=None).count()
    return awaited + ProductImage.objects.due().filter(product__merchant=merchant).count()


def uploads_as_json(merchant: Merchant, base_url: str, *, most: int) -> list[dict[str, Any]]:
    """Returns what programs are told of the merchant's last uploads, newest first."""
    pending, pauses = images_pending(merchant), current_pauses()
    return [
        upload_as_json(one, base_url, pending=pending, pauses=pauses)
        for one in Upload.objects.for_merchant(merchant)[:most]
    ]


def upload_as_json(
    upload: Upload, base_url: str, *, pending: int | None = None, pauses: Mapping[str, Pause] | None = None
) -> dict[str, Any]:
    """Returns what programs are told of an upload. `pending` and `pauses` save asking for them again."""
    pending = 0 if upload.dry_run else images_pending(upload.merchant) if pending is None else pending
    waiting = why_waiting(upload, current_pauses() if pauses is None else pauses, images_pending=pending)
    problem = {"code": upload.error_code, "message": upload.error} if upload.error_code else None
    return {
        "id": str(upload.pk),
        "status": upload.status,
        "name": upload.name,
        "format": upload.format,
        "columns": upload.columns.get("used", {}),
        "unknown_columns": upload.columns.get("unknown", []),
        "dry_run": upload.dry_run,
        "on_error": upload.on_error,
        "withdraw_missing": upload.withdraw_missing,
        "rows_total": upload.rows_total,
        "rows_done": upload.rows_done,
        "rows_failed": upload.rows_failed,
        "added": upload.added,
        "changed": upload.changed,
        "unchanged": upload.unchanged,
        "withdrawn": upload.withdrawn,
        "images_pending": pending,
        "problem": problem,
        "asks": upload.columns.get("glance") if upload.status == Upload.Status.ASKING else None,
        "paused": waiting.as_json() if waiting else None,
        "errors_url": f"{base_url}/api/v1/uploads/{upload.pk}/errors.csv",
        "created_at": _moment(upload.created_at),
        "started_at": _moment(upload.started_at),
        "finished_at": _moment(upload.finished_at),
        "eta_s": _eta_s(upload),
    }


def _moment(when: Any) -> str | None:
    return when.isoformat().replace("+00:00", "Z") if when is not None else None


def _eta_s(upload: Upload) -> int | None:
    """Returns the seconds the rows will still take, None before anything can be said."""
    if upload.is_finished:
        return 0
    if not upload.rows_total or not upload.rows_done or upload.started_at is None:
        return None
    elapsed_s = (timezone.now() - upload.started_at).total_seconds()
    return round(elapsed_s / upload.rows_done * max(0, upload.rows_total - upload.rows_done))
