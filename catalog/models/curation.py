"""What admins decide about searches: products pinned, hidden or boosted for a category or for photos of one kind.

A rule holds for a category (by slug, so that it survives the category being merged) or for a cluster: photos whose
embedding is as near to a kept one as `least_score`. Embeddings of two encoders don't compare, so a cluster of another
encoder's is ignored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

if TYPE_CHECKING:
    from datetime import datetime


class CurationQuerySet(models.QuerySet["Curation"]):
    def in_force(self, now: datetime | None = None) -> CurationQuerySet:
        """Rules whose time has come and isn't over."""
        now = now or timezone.now()
        return self.filter(
            Q(starts_at=None) | Q(starts_at__lte=now), Q(ends_at=None) | Q(ends_at__gt=now), removed_at=None
        )

    def kept(self) -> CurationQuerySet:
        """Rules that nobody took back, those of the past and the future among them."""
        return self.filter(removed_at=None)


class Curation(models.Model):
    """One product pinned to a rank, hidden, or moved by a factor, where a search is about something."""

    class Kind(models.TextChoices):
        PIN = "pin", "Pin"
        HIDE = "hide", "Hide"
        BOOST = "boost", "Boost"

    kind = models.CharField(max_length=10, choices=Kind)
    product = models.ForeignKey("catalog.Product", on_delete=models.CASCADE, related_name="curations")
    rank = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Of a pin; 1 is the first result.")
    factor = models.FloatField(null=True, blank=True, help_text="Of a boost: what its score is multiplied by.")
    category = models.ForeignKey(
        "catalog.Category", on_delete=models.CASCADE, null=True, blank=True, related_name="curations"
    )
    # The crop itself goes when its time is over (settings.SEARCH_CROP_RETENTION_DAYS); the rule stays.
    search = models.ForeignKey(
        "catalog.SearchRecord", on_delete=models.SET_NULL, null=True, blank=True, related_name="curations"
    )
    embedding = models.BinaryField(null=True, blank=True, help_text="Of a cluster: (dim,) float32, unit length.")
    encoder = models.CharField(max_length=12, blank=True, help_text="Fingerprint of the cluster's encoder.")
    least_score = models.FloatField(null=True, blank=True, help_text="From which a photo belongs to the cluster.")
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    why = models.CharField(max_length=300)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="curations")
    created_at = models.DateTimeField(auto_now_add=True)
    removed_at = models.DateTimeField(null=True, blank=True)

    objects = CurationQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(category__isnull=False, embedding=None) | Q(category=None, embedding__isnull=False),
                name="curation_of_a_category_or_a_cluster",
            ),
            models.CheckConstraint(
                condition=~Q(kind="pin") | Q(rank__gte=1, rank__isnull=False), name="a_pin_has_a_rank"
            ),
            models.CheckConstraint(
                condition=~Q(kind="boost") | Q(factor__gt=0, factor__isnull=False), name="a_boost_has_a_factor"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.product_id}"
