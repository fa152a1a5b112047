"""The catalog doctor's tables: what was measured of a picture, what is wrong with a product, how far a checkup is.

    Merchant 1─1 Checkup      Product 1─* Finding      ProductImage 1─1 PictureCheck

All of it can be thrown away and made again from the catalog and the index.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

if TYPE_CHECKING:
    from catalog.models import Merchant

# A checkup whose worker died is taken over after this time. One slice takes seconds.
LEASE = timedelta(minutes=2)


class CheckupQuerySet(models.QuerySet["Checkup"]):
    def ask(self, merchant: Merchant) -> Checkup:
        """Has all products of the merchant looked at, from the first, as soon as a worker is free."""
        asked = {"is_due": True, "after": 0, "products": 0, "requested_at": timezone.now(), "claimed_until": None}
        return self.update_or_create(merchant=merchant, defaults=asked)[0]

    def claim(self) -> Checkup | None:
        """Takes the checkup that was asked for first, for this process alone; None when none is due."""
        now = timezone.now()
        free = self.filter(Q(claimed_until=None) | Q(claimed_until__lt=now), is_due=True).order_by("requested_at", "pk")
        if not free.exists():  # looking costs nothing; claiming locks out other writers
            return None
        with transaction.atomic():
            rows = free.select_for_update(skip_locked=True, of=("self",))
            checkup = rows.select_related("merchant").first()
            if checkup is not None:
                checkup.claimed_until = now + LEASE
                checkup.save(update_fields=["claimed_until"])
            return checkup


class Checkup(models.Model):
    """A look at every product of a merchant, slice by slice; the last product that is done is its checkpoint."""

    merchant = models.OneToOneField("catalog.Merchant", on_delete=models.CASCADE, related_name="checkup")
    is_due = models.BooleanField(default=False)
    requested_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True, help_text="When the last complete one was done.")
    after = models.PositiveBigIntegerField(default=0, help_text="Id of the last product that is done.")
    products = models.PositiveIntegerField(default=0, help_text="How many are done.")
    claimed_until = models.DateTimeField(null=True, blank=True)

    objects = CheckupQuerySet.as_manager()

    def __str__(self) -> str:
        return f"checkup of {self.merchant_id}"


class PictureCheck(models.Model):
    """What was measured of a picture's pixels, kept so that no picture is opened twice for it."""

    image = models.OneToOneField(
        "catalog.ProductImage", on_delete=models.CASCADE, primary_key=True, related_name="check_of_pixels"
    )
    sha256 = models.CharField("SHA-256", max_length=64, help_text="Of the file that was measured.")
    box = models.JSONField(null=True, blank=True, help_text="The crop that was measured.")
    detector = models.CharField(max_length=12, help_text="Fingerprint of the detector.")
    brightness = models.FloatField(help_text="Mean luminance of the picture, of 255.")
    highlight = models.FloatField(help_text="Luminance that one pixel in twenty exceeds, of 255.")
    contrast = models.FloatField(help_text="Standard deviation of the crop's luminance.")
    sharpness = models.FloatField(help_text="Variance of the Laplacian of the crop.")
    seen = models.JSONField(default=list, help_text="Detections: category, confidence, x1, y1, x2, y2.")
    lettering = models.FloatField(null=True, help_text="Over 0: text lies over the picture. None: nobody has looked.")
    lettering_box = models.JSONField(null=True, blank=True, help_text="Where the likeliest text is: x1, y1, x2, y2.")

    def __str__(self) -> str:
        return f"check of picture {self.image_id}"


class FindingQuerySet(models.QuerySet["Finding"]):
    def for_merchant(self, merchant: Merchant) -> FindingQuerySet:
        """Findings on the merchant's own products that are on sale: every query on behalf of one starts here."""
        return self.filter(merchant=merchant, product__withdrawn_at=None, product__blocked_at=None)


class Finding(models.Model):
    """One thing that is wrong with a product, at most one of each code, on the picture where it is worst."""

    merchant = models.ForeignKey("catalog.Merchant", on_delete=models.CASCADE, related_name="findings")
    product = models.ForeignKey("catalog.Product", on_delete=models.CASCADE, related_name="findings")
    image = models.ForeignKey("catalog.ProductImage", on_delete=models.SET_NULL, null=True, blank=True)
    code = models.CharField(max_length=40)
    detail = models.JSONField(default=dict, help_text="Values that its sentence names.")
    urgency = models.PositiveSmallIntegerField(help_text="Of the product: the weights of all its findings.")
    is_first = models.BooleanField(default=False, help_text="The gravest of its product.")

    objects = FindingQuerySet.as_manager()

    class Meta:
        ordering = ["-urgency", "product", "pk"]
        constraints = [models.UniqueConstraint(fields=["product", "code"], name="one_finding_per_product_and_code")]
        indexes = [
            models.Index(fields=["merchant", "code", "-urgency", "product"], name="findings_by_code"),
            models.Index(fields=["merchant", "is_first", "-urgency", "product"], name="findings_by_urgency"),
        ]

    def __str__(self) -> str:
        return f"{self.product_id}: {self.code}"
