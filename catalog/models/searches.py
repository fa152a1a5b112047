"""Answered searches, and what shoppers said of them."""

import uuid

from django.db import models

from catalog.models.products import Product


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
