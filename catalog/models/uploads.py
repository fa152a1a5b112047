"""Bulk uploads, what was wrong with their rows, and the pictures that they name by URL."""

import uuid

from django.db import models

from catalog.models.merchants import Merchant
from catalog.models.products import Product
from catalog.models.upload_querysets import ASKING, UNFINISHED, RemotePictureQuerySet, UploadQuerySet


class Upload(models.Model):
    """A feed that a merchant sent, and how far it has come.

        queued <──> asking                     columns that nobody can name but the merchant (ask_columns)
           │
           ├─────> [checking ──> rejected]     on_error=reject_all looks at every row before it writes one
           │           │
           └──────> running ──> done
                       └──────> failed (the file as a whole can't be read) | canceled (what was written stays)

    A worker holds it by `claim` and notes each batch's counts and last row (`checkpoint`) in the batch's transaction.
    """

    class Status(models.TextChoices):
        QUEUED = "queued"
        ASKING = "asking"
        CHECKING = "checking"
        RUNNING = "running"
        DONE = "done"
        REJECTED = "rejected"
        FAILED = "failed"
        CANCELED = "canceled"

    class OnError(models.TextChoices):
        KEEP_GOOD = "keep_good"
        REJECT_ALL = "reject_all"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="uploads")
    name = models.CharField(max_length=200, help_text="What the merchant calls the file.")
    size = models.BigIntegerField(default=0, help_text="Bytes.")
    format = models.CharField(max_length=10, blank=True)
    mapping = models.JSONField(default=dict, blank=True, help_text="Our columns -> the feed's, as the merchant says.")
    currency = models.CharField(max_length=3, blank=True, help_text="Of prices that name none.")
    dry_run = models.BooleanField(default=False)
    on_error = models.CharField(max_length=10, choices=OnError, default=OnError.KEEP_GOOD)
    withdraw_missing = models.BooleanField(default=False)
    ask_columns = models.BooleanField(default=False, help_text="Wait for the merchant where columns are unclear.")
    confirm_withdraw = models.BooleanField(default=False)

    status = models.CharField(max_length=10, choices=Status, default=Status.QUEUED)
    columns = models.JSONField(default=dict, blank=True, help_text="Which of the feed's columns were taken for ours.")
    rows_total = models.PositiveIntegerField(null=True, blank=True, help_text="At most, until every row was read.")
    rows_done = models.PositiveIntegerField(default=0)
    rows_failed = models.PositiveIntegerField(default=0)
    added = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    withdrawn = models.PositiveIntegerField(default=0)
    checkpoint = models.PositiveIntegerField(default=0, help_text="The last row that is done.")
    error_code = models.CharField(max_length=60, blank=True)
    error = models.CharField(max_length=1000, blank=True)
    cancel_requested = models.BooleanField(default=False)
    claim = models.CharField(max_length=16, blank=True)
    claimed_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = UploadQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["status", "created_at"]), models.Index(fields=["merchant", "-created_at"])]

    def __str__(self) -> str:
        return f"{self.name} ({self.status})"

    @property
    def is_finished(self) -> bool:
        return self.status not in (*UNFINISHED, ASKING)


class UploadError(models.Model):
    """One thing wrong with one row of an upload. The row's cells are kept, to be put right and sent again."""

    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="errors")
    row = models.PositiveIntegerField(help_text="As a spreadsheet counts; in XML the number of the item.")
    column = models.CharField(max_length=200, blank=True, help_text="The feed's own name for it.")
    code = models.CharField(max_length=60)
    message = models.CharField(max_length=1000)
    value = models.CharField(max_length=300, blank=True)
    is_fatal = models.BooleanField(default=True, help_text="No: the row was kept without this value.")
    cells = models.JSONField(null=True, blank=True, help_text="By our columns; with the first error of a row.")

    class Meta:
        ordering = ["row", "pk"]
        indexes = [models.Index(fields=["upload", "row"])]

    def __str__(self) -> str:
        return f"{self.row}: {self.code}"


class RemotePicture(models.Model):
    """A picture that a feed names by URL: fetched once however many products show it, and again when it may differ."""

    url_hash = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the URL.")
    url = models.CharField(max_length=1000)
    host = models.CharField(max_length=255, db_index=True)
    next_try_at = models.DateTimeField(null=True, blank=True, db_index=True, help_text="None: nothing to fetch.")
    attempts = models.PositiveSmallIntegerField(default=0, help_text="That failed since the last that did not.")
    claimed_until = models.DateTimeField(null=True, blank=True)
    error_code = models.CharField(max_length=60, blank=True)
    error = models.CharField(max_length=500, blank=True)
    etag = models.CharField(max_length=300, blank=True)
    last_modified = models.CharField(max_length=60, blank=True)
    fetched_at = models.DateTimeField(null=True, blank=True)
    file = models.CharField(max_length=200, blank=True)
    sha256 = models.CharField("SHA-256", max_length=64, blank=True)
    width = models.PositiveIntegerField(default=0)
    height = models.PositiveIntegerField(default=0)

    objects = RemotePictureQuerySet.as_manager()

    def __str__(self) -> str:
        return self.url


class AwaitedImage(models.Model):
    """A place among a product's pictures that a remote picture will take once it is fetched."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="awaited")
    position = models.PositiveSmallIntegerField()
    picture = models.ForeignKey(RemotePicture, on_delete=models.CASCADE, related_name="awaited")
    upload = models.ForeignKey(Upload, on_delete=models.SET_NULL, null=True, blank=True, related_name="awaited")
    row = models.PositiveIntegerField(default=0, help_text="Of the upload, to tell what went wrong.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["product", "position"], name="one_awaited_image_per_product_and_position")
        ]

    def __str__(self) -> str:
        return f"{self.product_id}/{self.position} awaits {self.picture_id}"
