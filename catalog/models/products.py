"""Products, their pictures, and what the vector store has yet to hear of them."""

from decimal import Decimal

from django.db import models

from catalog.models.merchants import Merchant
from catalog.models.querysets import ProductImageQuerySet, ProductQuerySet


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
    # Columns that feeds don't write: what admins decided stays, whatever a merchant uploads.
    blocked_at = models.DateTimeField(null=True, blank=True, db_index=True)
    blocked_why = models.CharField(max_length=300, blank=True)
    corrected = models.JSONField(
        default=dict, blank=True, help_text="What admins put right: category, colors, gender, pattern, article_type."
    )
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

    @property
    def is_shown(self) -> bool:
        """Whether shoppers may see it, as `ProductQuerySet.shown` has it."""
        return self.withdrawn_at is None and self.blocked_at is None


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
