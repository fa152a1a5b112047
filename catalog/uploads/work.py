"""The worker's part of an upload: rows in batches, each committed with how far the upload has come.

    claim -> open the feed -> [check all rows] -> batches: products, errors, counts and checkpoint in one transaction
          -> withdraw what is missing -> done

Killed at any moment, an upload goes on at its checkpoint under another worker. A worker that lost its claim meanwhile
commits nothing: the transaction that would ends with the claim it began with, or not at all.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, transaction
from django.db.models import F
from django.utils import timezone

from catalog.feeds import Feed, FeedRow, RowError, SeenIds
from catalog.feeds.glance import glance_at
from catalog.jobs.renewal import Renewal
from catalog.models import FeedMapping, Pause, Product, Upload, UploadError
from catalog.models.upload_querysets import LEASE
from catalog.pictures.disk import check_space
from catalog.uploads.accept import drop_file, file_of
from catalog.uploads.asking import said_before
from catalog.uploads.imports import ImportReport, Source, import_rows, open_source
from catalog.uploads.webhooks import announce
from shop_search.errors import InputError, ServiceError

log = logging.getLogger("catalog.worker")

MOST_ERRORS = 10_000  # that are kept of one upload; all are counted
MOST_WITHDRAWN = 0.2  # of a merchant's products, unless he confirms it
PART = "uploads"  # of the worker, in what it says that it waits for
_CHUNK = 500

Status = Upload.Status


class ClaimLostError(Exception):
    """Another worker has taken the upload over; it will do what is left."""


def do_next_upload(is_stopped: Callable[[], bool] = lambda: False) -> bool:
    """Takes an upload and does it to its end, or until `is_stopped`; returns whether there was one.

    Raises ServiceError or OperationalError when the disk, the media storage or the database fails: the upload waits.
    """
    upload = Upload.objects.claim()
    if upload is None:
        return False
    try:
        with Renewal(lambda: _renew(upload), lease=LEASE):
            _Run(upload, is_stopped).run()
    except ClaimLostError:
        log.warning("Upload %s was taken over by another worker.", upload.pk)
    except InputError as error:
        _close(upload, Status.FAILED, error.code, error.message)
    except (ServiceError, OperationalError, InterfaceError, OSError) as error:
        _release(upload)
        if isinstance(error, OSError):
            failure = ServiceError("uploads_unreadable", f"An upload can't be read: {error}.")
            Pause.objects.note(PART, failure)
            raise failure from error
        if isinstance(error, ServiceError):
            Pause.objects.note(PART, error)
        raise
    except Exception:
        log.exception("Upload %s can't be done.", upload.pk)
        _close(upload, Status.FAILED, "internal_error", "Something went wrong on our side. It has been logged.")
    Pause.objects.clear(PART)
    return True


class _Run:
    """One worker's time with one upload."""

    def __init__(self, upload: Upload, is_stopped: Callable[[], bool]) -> None:
        self._upload = upload
        self._is_stopped = is_stopped
        self._is_canceled = upload.cancel_requested
        self._cells: dict[int, Mapping[str, str]] = {}  # of the rows in hand, for their errors
        self._errors_kept = upload.errors.count()

    def run(self) -> None:
        """Raises ClaimLostError, InputError when the file can't be read, and what `import_rows` raises."""
        upload = self._upload
        path = file_of(upload)
        if not path.is_file():
            raise InputError("upload_file_lost", "The file is gone from our disk. Send it again.")
        check_space(path.parent)
        if self._must_ask(path):
            return
        with open_source(path, columns=upload.mapping or None, currency=upload.currency) as source:
            self._begin(source.feed)
            if upload.on_error == Upload.OnError.REJECT_ALL and not upload.dry_run and upload.status == Status.CHECKING:
                if not self._take(source, is_dry=True):
                    return
                if upload.rows_failed:
                    message = f"{upload.rows_failed} of {upload.rows_done} rows failed, so nothing was changed."
                    self._reset_counts()
                    _close(upload, Status.REJECTED, "rows_failed", message)
                    return
                self._start_over()
            self._take(source, is_dry=upload.dry_run, is_last=True)

    def _must_ask(self, path: Path) -> bool:
        """Takes what the merchant has said of such columns before; returns whether he has to be asked, and is."""
        upload = self._upload
        is_told = bool(upload.mapping) or upload.status != Status.QUEUED
        if is_told or not (upload.ask_columns or FeedMapping.objects.filter(merchant=upload.merchant).exists()):
            return False
        glance = glance_at(path)
        if glance is None:
            return False
        if said := said_before(upload.merchant, glance):
            self._write(mapping=said)
            return False
        if not upload.ask_columns or not (glance.missing or glance.proposed):
            return False
        self._write(status=Status.ASKING, columns={"glance": glance.as_json()}, format=glance.format)
        Upload.objects.held(upload).update(claimed_until=None, claim="")
        return True

    def _begin(self, feed: Feed) -> None:
        upload = self._upload
        if upload.status == Status.QUEUED:
            checks_first = upload.on_error == Upload.OnError.REJECT_ALL and not upload.dry_run
            upload.status = Status.CHECKING if checks_first else Status.RUNNING
        self._write(
            status=upload.status,
            format=feed.format,
            columns={"used": feed.columns.used, "unknown": list(feed.columns.unknown)[:100]},
            rows_total=feed.most_rows,
            started_at=upload.started_at or timezone.now(),
        )

    def _take(self, source: Source, *, is_dry: bool, is_last: bool = False) -> bool:
        """Takes every row after the checkpoint; False when it was stopped before the last."""
        with SeenIds() as seen:
            rows = _Rows(self, source.feed, seen, self._upload.checkpoint)
            import_rows(
                rows,
                merchant=self._upload.merchant,
                pictures=source.pictures,
                column_name=source.feed.columns.name,
                dry_run=is_dry,
                acknowledge=self._acknowledge,
                upload=self._upload,
            )
            if self._is_canceled:
                _close(self._upload, Status.CANCELED, "", "")
                return False
            if rows.is_cut:
                _release(self._upload)
                return False
            if is_last:
                self._finish(seen)
        return True

    @property
    def must_stop(self) -> bool:
        return self._is_canceled or self._is_stopped()

    def note(self, row: int, cells: Mapping[str, str]) -> None:
        self._cells[row] = cells

    def _acknowledge(self, report: ImportReport, last_row: int) -> None:
        """Writes how far the upload is, inside the batch's transaction."""
        check_space(settings.UPLOADS_ROOT)
        self._write(
            checkpoint=last_row,
            rows_done=F("rows_done") + report.rows,
            rows_failed=F("rows_failed") + report.failed,
            added=F("added") + report.added,
            changed=F("changed") + report.changed,
            unchanged=F("unchanged") + report.unchanged,
        )
        self._keep_errors(report)
        self._cells = {row: cells for row, cells in self._cells.items() if row > last_row}
        self._is_canceled = Upload.objects.filter(pk=self._upload.pk, cancel_requested=True).exists()

    def _keep_errors(self, report: ImportReport) -> None:
        kept = report.errors[: max(0, MOST_ERRORS - self._errors_kept)]
        with_cells: set[int] = set()
        rows = []
        for error in kept:
            cells = None if error.row in with_cells else dict(self._cells.get(error.row, {}))
            with_cells.add(error.row)
            rows.append(_stored(self._upload, error, cells))
        UploadError.objects.bulk_create(rows)
        self._errors_kept += len(rows)

    def _start_over(self) -> None:
        """All rows are good: now they are written, and what was only told is told again."""
        with transaction.atomic():
            self._reset_counts(status=Status.RUNNING, checkpoint=0, rows_done=0)
            self._upload.errors.all().delete()
        self._errors_kept = 0

    def _reset_counts(self, **fields: Any) -> None:
        self._write(added=0, changed=0, unchanged=0, **fields)

    def _finish(self, seen: SeenIds) -> None:
        upload = self._upload
        code = message = ""
        with transaction.atomic():
            withdrawn = 0
            if upload.withdraw_missing:
                withdrawn, code, message = _withdraw_missing(upload, seen)
            if upload.dry_run and upload.on_error == Upload.OnError.REJECT_ALL and upload.rows_failed and not code:
                code = "rows_failed"
                message = f"{upload.rows_failed} of {upload.rows_done} rows failed, so nothing would be changed."
            self._write(withdrawn=withdrawn, rows_total=F("rows_done"))
            _close(upload, Status.DONE, code, message)

    def _write(self, **fields: Any) -> None:
        """Raises ClaimLostError where the claim is another's by now."""
        held = Upload.objects.held(self._upload)
        if not held.update(claimed_until=timezone.now() + LEASE, **fields):
            raise ClaimLostError
        self._upload.refresh_from_db()


class _Rows:
    """The feed's rows after a checkpoint. The ones before are read too, for their ids."""

    def __init__(self, run: _Run, feed: Feed, seen: SeenIds, after: int) -> None:
        self._run = run
        self._feed = feed
        self._seen = seen
        self._after = after
        self.is_cut = False

    def __iter__(self) -> Iterator[FeedRow | RowError]:
        for reading in self._feed.readings(self._seen):
            if self._run.must_stop:
                self.is_cut = True
                return
            if reading.row > self._after:
                self._run.note(reading.row, reading.cells)
                yield from reading.found


def _withdraw_missing(upload: Upload, seen: SeenIds) -> tuple[int, str, str]:
    """Withdraws the products that a full feed names no more; returns how many, and a code and message where it didn't.

    Products that came after the upload did are not missing from it.
    """
    if seen.unreadable:
        message = (
            f"Nothing was withdrawn: {seen.unreadable} rows could not be read far enough to know their products. "
            "Mend them and send the whole feed again."
        )
        return 0, "withdraw_unsure", message
    own = Product.objects.for_merchant(upload.merchant).shown().filter(created_at__lt=upload.created_at)
    total, missing = 0, list[int]()
    skus: dict[str, int] = {}
    for pk, sku in own.values_list("pk", "sku").order_by("pk").iterator(chunk_size=2000):
        total += 1
        skus[sku] = pk
        if len(skus) >= _CHUNK:
            missing.extend(skus[one] for one in seen.unmentioned(skus))
            skus = {}
    missing.extend(skus[one] for one in seen.unmentioned(skus))
    if len(missing) > MOST_WITHDRAWN * total and not upload.confirm_withdraw:
        message = (
            f"Nothing was withdrawn: {len(missing)} of {total} products are missing from the feed, more than "
            f"{MOST_WITHDRAWN:.0%}. If that is right, send it again with confirm_withdraw=true."
        )
        return 0, "withdraw_needs_confirmation", message
    if not upload.dry_run:
        for start in range(0, len(missing), _CHUNK):
            Product.objects.for_merchant(upload.merchant).filter(pk__in=missing[start : start + _CHUNK]).withdraw()
    return len(missing), "", ""


def _stored(upload: Upload, error: RowError, cells: Mapping[str, str] | None) -> UploadError:
    return UploadError(
        upload=upload,
        row=error.row,
        column=error.column[:200],
        code=error.code,
        message=error.message[:1000],
        value=error.value[:300],
        is_fatal=error.is_fatal,
        cells=cells or None,
    )


def _close(upload: Upload, status: Status, code: str, message: str) -> None:
    """Ends the upload; its file is deleted once that is committed. Raises ClaimLostError."""
    with transaction.atomic():
        ended = Upload.objects.held(upload).update(
            status=status,
            error_code=code,
            error=message.encode("utf-8", "replace").decode()[:1000],
            finished_at=timezone.now(),
            claimed_until=None,
            claim="",
        )
        if not ended:
            raise ClaimLostError
        announce(upload)
        transaction.on_commit(lambda: drop_file(upload))
    log.info("Upload %s: %s%s.", upload.pk, status, f" ({code})" if code else "")


def _release(upload: Upload) -> None:
    """Lets any worker go on with the upload at once."""
    try:
        Upload.objects.held(upload).update(claimed_until=None)
    except (DatabaseError, InterfaceError):
        log.warning("Upload %s can't be released; its claim ends by itself.", upload.pk)


def _renew(upload: Upload) -> None:
    Upload.objects.held(upload).update(claimed_until=timezone.now() + LEASE)
