"""What people say of answers, and what was measured. Nothing here is read by a search or changes a product.

SearchRecord 1─* Verdict *─1 reviewer        Measurement: one run of `measure_catalog`
"""

from django.conf import settings
from django.db import models


class Verdict(models.Model):
    """What one reviewer said of one result of one search. A reviewer who changes her mind changes the row."""

    class Kind(models.TextChoices):
        SAME_PRODUCT = "same_product", "Same product"
        GOOD = "good", "Good match"
        NEAR = "near", "Near"
        WRONG = "wrong", "Wrong"
        WRONG_CATEGORY = "wrong_category", "Wrong category"

    search = models.ForeignKey("catalog.SearchRecord", on_delete=models.CASCADE, related_name="verdicts")
    product = models.ForeignKey("catalog.Product", on_delete=models.CASCADE, related_name="verdicts")
    rank = models.PositiveSmallIntegerField(help_text="1 is the first result, as the reviewer saw them.")
    band = models.CharField(max_length=20, blank=True, help_text="What the answer called this result.")
    verdict = models.CharField(max_length=20, choices=Kind)
    # A reviewer who leaves is deactivated: her verdicts still count, and agreement needs to know whose they are.
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="verdicts")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        permissions = [("review", "Can review match quality")]
        constraints = [
            models.UniqueConstraint(
                fields=["search", "product", "reviewer"], name="one_verdict_per_search_product_and_reviewer"
            ),
            models.CheckConstraint(condition=models.Q(rank__gte=1), name="verdict_rank_gte_1"),
        ]
        indexes = [models.Index(fields=["reviewer", "-created_at"], name="latest_verdicts_of_a_reviewer")]

    def __str__(self) -> str:
        return f"{self.verdict} on {self.product_id} by {self.reviewer_id}"


class SightVerdict(models.Model):
    """A reviewer's word that a search looked at the wrong part of the photo."""

    class Kind(models.TextChoices):
        MISSED = "missed", "Nothing found where there is a product"
        WRONG_THING = "wrong_thing", "Wrong thing boxed"

    search = models.ForeignKey("catalog.SearchRecord", on_delete=models.CASCADE, related_name="sight_verdicts")
    kind = models.CharField(max_length=12, choices=Kind)
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="sight_verdicts")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["search", "reviewer"], name="one_sight_verdict_per_search_and_reviewer")
        ]

    def __str__(self) -> str:
        return f"{self.kind} by {self.reviewer_id}"


class Measurement(models.Model):
    """How often this shop found what it was asked for, with queries made of its own catalog: synthetic ones."""

    created_at = models.DateTimeField(auto_now_add=True, db_index=True)
    encoder = models.CharField(max_length=120, help_text="Label of the encoder that was measured.")
    detector = models.CharField(max_length=120, help_text="Label of the detector that cropped.")
    products = models.PositiveIntegerField(help_text="Products that were looked for.")
    seed = models.PositiveIntegerField(default=0)
    report = models.JSONField(help_text="Kind of query -> category, or all -> recall@k with interval and n.")

    class Meta:
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.encoder}, {self.created_at:%Y-%m-%d %H:%M}"
