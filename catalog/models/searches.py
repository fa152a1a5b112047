"""Answered searches, and what shoppers said of them."""

from __future__ import annotations

import uuid
from typing import Self, TypeVar

from django.conf import settings
from django.db import models

from catalog.models.products import Product

_Row = TypeVar("_Row", bound=models.Model, covariant=True)


class SimulatedQuerySet(models.QuerySet[_Row]):
    """Rows of shoppers; those of `simulate_shoppers` are marked, and count only where somebody asks for it."""

    def counted(self) -> Self:
        """Rows that insights and ranking count: no simulated ones, unless the settings say so."""
        return self if settings.COUNT_SIMULATED else self.filter(is_simulated=False)


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
    is_simulated = models.BooleanField(default=False, help_text="Made by simulate_shoppers, not by a person.")
    versions = models.JSONField(
        default=dict, blank=True, help_text="Kind to id of the versions that answered; what isn't named is as set."
    )
    visit = models.ForeignKey(
        "catalog.TrialVisit", on_delete=models.SET_NULL, null=True, blank=True, related_name="searches"
    )

    objects = SimulatedQuerySet.as_manager()

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
    is_simulated = models.BooleanField(default=False, help_text="As its search is.")

    objects = SimulatedQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "feedback"

    def __str__(self) -> str:
        return f"{self.verdict} on {self.product_id}"
