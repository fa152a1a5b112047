"""What one merchant may bring in where that differs from all others, and the columns it has named once."""

from django.db import models

from catalog.models.merchants import Merchant


class MerchantQuota(models.Model):
    """A merchant's own limits; an empty one is that of all (settings.MERCHANT_QUOTAS)."""

    merchant = models.OneToOneField(Merchant, on_delete=models.CASCADE, related_name="quota")
    products = models.PositiveIntegerField(null=True, blank=True, help_text="Shown at the same time.")
    pictures = models.PositiveIntegerField(null=True, blank=True, help_text="Of all shown products.")
    uploads_a_day = models.PositiveIntegerField(null=True, blank=True)
    bytes_a_day = models.PositiveBigIntegerField(null=True, blank=True, help_text="Of feeds and zips together.")

    def __str__(self) -> str:
        return f"Quota of {self.merchant_id}"


class FeedMapping(models.Model):
    """What a merchant has said of a feed's column names, for the next feed that has the same."""

    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="feed_mappings")
    header = models.CharField(max_length=64, help_text="SHA-256 of the feed's column names.")
    mapping = models.JSONField(help_text="Our columns -> the feed's.")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["merchant", "header"], name="one_mapping_per_header")]

    def __str__(self) -> str:
        return f"{self.merchant_id}: {self.mapping}"
