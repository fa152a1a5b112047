"""The catalog's tables.

    Merchant 1─* Product 1─* ProductImage        Category 1─* Product
             1─* ApiKey          │
          pending ──index──> indexed             SearchRecord: one answered search
             └─────fail────> failed ──retry──> pending

The database is the truth; the vector store holds one point per indexed image and can be rebuilt from here. What the
store has yet to hear of is kept in the same transaction that changed it: `ProductImage.payload_due`, `DroppedPoint`.
"""

import hashlib
import secrets
import uuid
from decimal import Decimal

from django.conf import settings
from django.db import models

from catalog.querysets import (
    ApiKeyQuerySet,
    BandCalibrationQuerySet,
    MerchantQuerySet,
    ProductImageQuerySet,
    ProductQuerySet,
    WidgetKeyQuerySet,
)
from catalog.review_models import Measurement, Verdict  # noqa: F401 - Django finds an app's models here
from catalog.upload_querysets import UNFINISHED, RemotePictureQuerySet, UploadQuerySet


class Merchant(models.Model):
    """A seller with a catalog."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=120)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = MerchantQuerySet.as_manager()

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.name


class Member(models.Model):
    """A person of a merchant: a viewer reads, an editor uploads and withdraws too, and an owner also keeps the keys."""

    class Role(models.TextChoices):
        OWNER = "owner"
        EDITOR = "editor"
        VIEWER = "viewer"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="members")
    role = models.CharField(max_length=10, choices=Role, default=Role.VIEWER)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "merchant"], name="one_role_per_user_and_merchant")]

    def __str__(self) -> str:
        return f"{self.user_id} is {self.role} of {self.merchant_id}"

    @property
    def may_edit(self) -> bool:
        return self.role in (self.Role.OWNER, self.Role.EDITOR)

    @property
    def may_own(self) -> bool:
        return self.role == self.Role.OWNER


class ApiKey(models.Model):
    """A merchant's key to the API. The key is shown once; the table holds its hash."""

    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=12, help_text="How people tell their keys apart.")
    hash = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the whole key.")
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        verbose_name = "API key"

    def __str__(self) -> str:
        return f"{self.prefix}… ({self.name})"

    @classmethod
    def issue(cls, merchant: Merchant, *, name: str) -> "tuple[ApiKey, str]":
        """Returns a new key's row and the key itself, which can't be had again."""
        key = f"shop_{secrets.token_urlsafe(32)}"
        return cls.objects.create(merchant=merchant, name=name, prefix=key[:12], hash=cls.hash_of(key)), key

    @staticmethod
    def hash_of(key: str) -> str:
        """Returns what is stored of a key. It holds 256 random bits, so a fast hash is as safe as a slow one."""
        return hashlib.sha256(key.encode()).hexdigest()


class WidgetKey(models.Model):
    """A key that a shop's own pages carry in the open: it only searches, and only from pages of its origins."""

    key = models.CharField(max_length=48, unique=True)
    name = models.CharField(max_length=80, blank=True)
    merchant = models.ForeignKey(
        Merchant, on_delete=models.CASCADE, null=True, blank=True, related_name="widget_keys", help_text="Empty: all."
    )
    origins = models.JSONField(help_text='Origins of pages, like ["https://shop.example"].')
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = WidgetKeyQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.name or self.key

    @staticmethod
    def new_key() -> str:
        return f"pub_{secrets.token_urlsafe(24)}"


class Category(models.Model):
    """A shop category. `is_detected` says whether the detector can see it in a picture."""

    slug = models.SlugField(unique=True, max_length=80)
    name = models.CharField(max_length=80)
    is_detected = models.BooleanField(default=False)

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "categories"

    def __str__(self) -> str:
        return self.name


class Product(models.Model):
    """What a merchant sells, keyed by (merchant, SKU). Its columns follow the Google Merchant feed."""

    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="products")
    sku = models.CharField("SKU", max_length=100)
    title = models.CharField(max_length=300)
    description = models.TextField(blank=True)
    category = models.ForeignKey(Category, on_delete=models.PROTECT, related_name="products")
    product_type = models.CharField(max_length=300, blank=True, help_text="The feed's own words for the category.")
    brand = models.CharField(max_length=120, blank=True)
    colors = models.JSONField(default=list, blank=True)
    gender = models.CharField(max_length=20, blank=True)
    price = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    in_stock = models.BooleanField(default=True)
    url = models.URLField(max_length=1000, blank=True, help_text="The product's page in the merchant's shop.")
    gtin = models.CharField("GTIN", max_length=20, blank=True)
    item_group = models.CharField(max_length=100, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True, db_index=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ProductQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["merchant", "sku"], name="one_product_per_merchant_and_sku"),
            models.CheckConstraint(
                condition=models.Q(price=None) | models.Q(price__gte=Decimal(0)), name="price_gte_0"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sku}: {self.title}"


class ProductImage(models.Model):
    """One picture of a product, and where it stands on its way into the index."""

    class State(models.TextChoices):
        PENDING = "pending"
        INDEXED = "indexed"
        FAILED = "failed"

    # Counts up when points get vectors or payload that only indexing can make; images of an earlier format are due.
    # 1: embedding. 2: and fingerprint, colors and attributes.
    INDEX_FORMAT = 2

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="images")
    position = models.PositiveSmallIntegerField(default=0, help_text="0 is the main picture.")
    source = models.CharField(max_length=1000, help_text="The feed's image_link.")
    file = models.ImageField(upload_to="products/", width_field="width", height_field="height", max_length=200)
    sha256 = models.CharField("SHA-256", max_length=64, db_index=True, help_text="Of the file's bytes.")
    width = models.PositiveIntegerField(default=0)
    height = models.PositiveIntegerField(default=0)

    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    error_code = models.CharField(max_length=60, blank=True)
    error = models.CharField(max_length=500, blank=True)
    claimed_until = models.DateTimeField(null=True, blank=True)
    # What indexing found: the crop that was embedded, and by which models.
    box = models.JSONField(null=True, blank=True, help_text="x1, y1, x2, y2 in pixels of the upright image.")
    detected_category = models.CharField(max_length=80, blank=True)
    detected_confidence = models.FloatField(null=True, blank=True)
    detector = models.CharField(max_length=12, blank=True, help_text="Fingerprint of the detector.")
    encoder = models.CharField(max_length=12, blank=True, help_text="Fingerprint of the encoder.")
    palette = models.JSONField(default=list, blank=True, help_text="L, a, b and share of each color of the crop.")
    seen_colors = models.JSONField(default=list, blank=True, help_text="Names that the palette is filed under.")
    seen_attributes = models.JSONField(
        default=dict, blank=True, help_text="What the embedding says, and how sure: gender, article_type, pattern."
    )
    index_format = models.PositiveSmallIntegerField(default=1, help_text="Which of our formats its point has.")
    indexed_at = models.DateTimeField(null=True, blank=True)
    payload_due = models.DateTimeField(
        null=True, blank=True, help_text="When the product changed in a way that its point doesn't show yet."
    )

    objects = ProductImageQuerySet.as_manager()

    class Meta:
        ordering = ["product", "position"]
        constraints = [
            models.UniqueConstraint(fields=["product", "position"], name="one_image_per_product_and_position")
        ]
        indexes = [
            models.Index(fields=["state", "claimed_until"]),
            models.Index(fields=["state", "index_format"]),
            models.Index(fields=["payload_due"], condition=~models.Q(payload_due=None), name="images_with_payload_due"),
        ]

    def __str__(self) -> str:
        return f"{self.product_id}/{self.position} ({self.state})"


class DroppedPoint(models.Model):
    """A point whose image row is gone and which the vector store must still delete. Ids are never used twice."""

    point = models.BigIntegerField(primary_key=True)

    def __str__(self) -> str:
        return str(self.point)


class BandCalibration(models.Model):
    """Thresholds of the bands, measured on the catalog as it was. The latest of the current encoder counts."""

    encoder = models.CharField(max_length=12, help_text="Fingerprint of the encoder whose scores these are.")
    detector = models.CharField(max_length=12, help_text="Fingerprint of the detector that cropped.")
    created_at = models.DateTimeField(auto_now_add=True)
    products = models.PositiveIntegerField(help_text="Products on sale at the time.")
    thresholds = models.JSONField(help_text="Band to score, by category slug; the empty slug is for all others.")
    counts = models.JSONField(default=dict, help_text="How many scores of each kind.")
    report = models.JSONField(default=dict, help_text="What the bands reached on products they were not fitted to.")

    objects = BandCalibrationQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [models.Index(fields=["encoder", "-created_at"], name="latest_bands_of_an_encoder")]

    def __str__(self) -> str:
        return f"bands of {self.encoder}, {self.created_at:%Y-%m-%d %H:%M}"


class SearchRecord(models.Model):
    """One answered search: enough to show the same answer again, never the photo."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)
    answer = models.JSONField(help_text="The SearchAnswer as JSON, with product ids in place of products.")
    category = models.CharField(max_length=80, blank=True, db_index=True)
    band = models.CharField(max_length=20, blank=True, db_index=True)
    crop = models.CharField(
        max_length=64, blank=True, help_text="Where a small picture of what was searched lies: catalog.searched_crops."
    )

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.id} ({self.category}, {self.band})"


class Feedback(models.Model):
    """What a shopper said of one result of a search."""

    class Verdict(models.TextChoices):
        CLICK = "click"
        LIKE = "like"
        DISLIKE = "dislike"
        WRONG_CATEGORY = "wrong_category"

    search = models.ForeignKey(SearchRecord, on_delete=models.CASCADE, related_name="feedback")
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="feedback")
    verdict = models.CharField(max_length=20, choices=Verdict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "feedback"

    def __str__(self) -> str:
        return f"{self.verdict} on {self.product_id}"


class Upload(models.Model):
    """A feed that a merchant sent, and how far it has come.

        queued ──> [checking ──> rejected]     on_error=reject_all looks at every row before it writes one
           │           │
           └──────> running ──> done
                       └──────> failed (the file as a whole can't be read) | canceled (what was written stays)

    A worker holds it by `claim` and notes each batch's counts and last row (`checkpoint`) in the batch's transaction.
    """

    class Status(models.TextChoices):
        QUEUED = "queued"
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
        return self.status not in UNFINISHED


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


from catalog.doctor_models import Checkup, Finding, PictureCheck  # noqa: E402, F401 - tables of this app too
from catalog.insight_models import Impression  # noqa: E402, F401
