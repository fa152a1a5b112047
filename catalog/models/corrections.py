"""What people say a box, a category or an attribute should have been. Training reads it; the index does not."""

from django.conf import settings
from django.db import models
from django.db.models import Q


class Correction(models.Model):
    """One thing put right on a shopper's kept crop or on a product's picture, beside what it was before."""

    class Field(models.TextChoices):
        BOX = "box", "Box"
        CATEGORY = "category", "Category"
        COLOR = "color", "Color"
        GENDER = "gender", "Gender"
        PATTERN = "pattern", "Pattern"
        ARTICLE_TYPE = "article_type", "Article type"

    field = models.CharField(max_length=20, choices=Field)
    search = models.ForeignKey(
        "catalog.SearchRecord", on_delete=models.CASCADE, null=True, blank=True, related_name="corrections"
    )
    product = models.ForeignKey(
        "catalog.Product", on_delete=models.CASCADE, null=True, blank=True, related_name="corrections"
    )
    image = models.ForeignKey(
        "catalog.ProductImage", on_delete=models.SET_NULL, null=True, blank=True, related_name="corrections"
    )
    sha256 = models.CharField("SHA-256", max_length=64, blank=True, help_text="Of the picture that was looked at.")
    before = models.JSONField(null=True, blank=True)
    after = models.JSONField(help_text="A box is x1, y1, x2, y2 in shares of the picture's sides; the rest are words.")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="corrections")
    created_at = models.DateTimeField(auto_now_add=True)
    applied_at = models.DateTimeField(null=True, blank=True, help_text="When an admin made it the product's own.")

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(search__isnull=False, product=None) | Q(search=None, product__isnull=False),
                name="correction_of_a_search_or_a_product",
            )
        ]

    def __str__(self) -> str:
        return f"{self.field} of {self.search_id or self.product_id}"
