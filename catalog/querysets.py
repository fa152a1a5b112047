"""Who may see and do what, as querysets. Views and journeys never start from `.objects.all()`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

if TYPE_CHECKING:
    from catalog.models import Product, ProductImage  # noqa: F401

# A worker that died leaves its claim; another takes the images over after this time. One batch takes seconds.
CLAIM_LASTS = timedelta(minutes=2)


class ProductQuerySet(models.QuerySet["Product"]):
    def shown(self) -> ProductQuerySet:
        """Products that a shopper may see."""
        return self.filter(withdrawn_at=None)

    def for_cards(self) -> ProductQuerySet:
        """With everything a result card prints, in three queries however many products."""
        return self.select_related("merchant", "category").prefetch_related("images")


class ProductImageQuerySet(models.QuerySet["ProductImage"]):
    def indexable(self) -> ProductImageQuerySet:
        """Images whose product may be found."""
        return self.filter(product__withdrawn_at=None)

    def due(self) -> ProductImageQuerySet:
        """Pending images that nobody works on and whose last failure is long enough ago."""
        now = timezone.now()
        unclaimed = Q(claimed_until=None) | Q(claimed_until__lt=now)
        return self.indexable().filter(unclaimed, state="pending")

    def claim(self, limit: int) -> list[ProductImage]:
        """Takes up to `limit` due images for this process; two workers never get the same one."""
        with transaction.atomic():
            rows = self.due().order_by("pk")
            if _locks_rows():
                rows = rows.select_for_update(skip_locked=True, of=("self",))
            ids: Sequence[int] = list(rows.values_list("pk", flat=True)[:limit])
            self.filter(pk__in=ids).update(claimed_until=timezone.now() + CLAIM_LASTS)
        return list(self.filter(pk__in=ids).select_related("product__merchant", "product__category").order_by("pk"))


def _locks_rows() -> bool:
    """SQLite has no row locks: there, IMMEDIATE transactions let one claim happen at a time."""
    from django.db import connection

    return connection.features.has_select_for_update_skip_locked
