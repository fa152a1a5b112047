"""Who may see and do what, as querysets. Views and journeys never start from `.objects.all()`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser
    from django.contrib.auth.models import AnonymousUser

    from catalog.models import ApiKey, BandCalibration, Merchant, Product, ProductImage, WidgetKey  # noqa: F401

# A worker that died leaves its claim; another takes the images over after this time. One batch takes seconds.
CLAIM_LASTS = timedelta(minutes=2)


class MerchantQuerySet(models.QuerySet["Merchant"]):
    def for_user(self, user: AbstractBaseUser | AnonymousUser) -> MerchantQuerySet:
        """Merchants that this person works for: every page for merchants starts here."""
        return self.filter(members__user=user) if user.is_authenticated else self.none()


class ProductQuerySet(models.QuerySet["Product"]):
    def shown(self) -> ProductQuerySet:
        """Products that a shopper may see."""
        return self.filter(withdrawn_at=None, blocked_at=None)

    def for_merchant(self, merchant: Merchant) -> ProductQuerySet:
        """A merchant's own products, withdrawn ones too: every query on behalf of a merchant starts here."""
        return self.filter(merchant=merchant)

    def withdraw(self) -> int:
        """Takes these products from the shop and returns how many; their points are due for deletion."""
        from catalog.models import ProductImage

        now = timezone.now()
        with transaction.atomic():
            ids = list(self.filter(withdrawn_at=None).values_list("pk", flat=True))
            ProductImage.objects.filter(product__in=ids).update(payload_due=now)
            return self.model._default_manager.filter(pk__in=ids).update(withdrawn_at=now, updated_at=now)

    def restore(self) -> int:
        """Brings withdrawn ones of these products back and returns how many; their pictures are due for the index."""
        from catalog.models import ProductImage

        now = timezone.now()
        with transaction.atomic():
            ids = list(self.filter(withdrawn_at__isnull=False).values_list("pk", flat=True))
            ProductImage.objects.filter(product__in=ids).update(payload_due=now)
            return self.model._default_manager.filter(pk__in=ids).update(withdrawn_at=None, updated_at=now)

    def set_stock(self, in_stock: bool) -> int:
        """Says of these products whether they can be bought and returns how many that changed; none is embedded."""
        from catalog.models import ProductImage

        now = timezone.now()
        with transaction.atomic():
            ids = list(self.filter(in_stock=not in_stock).values_list("pk", flat=True))
            ProductImage.objects.filter(product__in=ids).update(payload_due=now)
            return self.model._default_manager.filter(pk__in=ids).update(in_stock=in_stock, updated_at=now)

    def for_cards(self) -> ProductQuerySet:
        """With everything a result card prints, in three queries however many products."""
        return self.select_related("merchant", "category").prefetch_related("images")


class ProductImageQuerySet(models.QuerySet["ProductImage"]):
    def indexable(self) -> ProductImageQuerySet:
        """Images whose product may be found."""
        return self.filter(product__withdrawn_at=None, product__blocked_at=None)

    def due(self) -> ProductImageQuerySet:
        """Images that wait for indexing, or whose point an earlier version of ours made."""
        return self.indexable().filter(Q(state="pending") | self._is_of_earlier_format)

    def with_payload_due(self) -> ProductImageQuerySet:
        """Images with a point that doesn't show what its product is now, withdrawn and blocked ones among them."""
        is_gone = Q(product__withdrawn_at__isnull=False) | Q(product__blocked_at__isnull=False)
        has_point = Q(state="indexed") | is_gone
        return self.filter(has_point, payload_due__isnull=False)

    def outdated(self, encoder: str) -> ProductImageQuerySet:
        """Images that this encoder (a fingerprint) has not embedded as they are now, in the format of now."""
        is_of_another = Q(state="indexed") & ~Q(encoder=encoder)
        return self.indexable().filter(Q(state="pending") | is_of_another | self._is_of_earlier_format)

    def embedded_by_another(self, encoder: str) -> ProductImageQuerySet:
        """Indexed images whose point is in the collection of another encoder or of an earlier format of ours.

        `encoder` is a fingerprint.
        """
        is_of_another = Q(state="indexed") & ~Q(encoder=encoder)
        return self.indexable().filter(is_of_another | self._is_of_earlier_format)

    @property
    def _is_of_earlier_format(self) -> Q:
        return Q(state="indexed", index_format__lt=self.model.INDEX_FORMAT)

    def unclaimed(self) -> ProductImageQuerySet:
        """Images that nobody works on, or whose worker died."""
        return self.filter(Q(claimed_until=None) | Q(claimed_until__lt=timezone.now()))

    def claim(self, limit: int) -> list[ProductImage]:
        """Takes up to `limit` of these images for this process; two workers never get the same one."""
        everything = self.model._default_manager
        if not self.unclaimed().exists():  # looking costs nothing; claiming locks out other writers
            return []
        with transaction.atomic():
            rows = self.unclaimed().order_by("pk")
            if _locks_rows():
                rows = rows.select_for_update(skip_locked=True, of=("self",))
            ids: Sequence[int] = list(rows.values_list("pk", flat=True)[:limit])
            everything.filter(pk__in=ids).update(claimed_until=timezone.now() + CLAIM_LASTS)
        return list(
            everything.filter(pk__in=ids).select_related("product__merchant", "product__category").order_by("pk")
        )

    def release(self) -> None:
        """Gives claimed images back, so that any worker may take them at once."""
        self.update(claimed_until=None)


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def find(self, key: str) -> ApiKey | None:
        """Returns the key's row unless it is unknown or revoked. Looking up a hash tells nothing by its timing."""
        return self.filter(hash=self.model.hash_of(key), revoked_at=None).select_related("merchant").first()


class WidgetKeyQuerySet(models.QuerySet["WidgetKey"]):
    def active(self) -> WidgetKeyQuerySet:
        """Keys that were not revoked."""
        return self.filter(revoked_at=None)

    def find(self, key: str) -> WidgetKey | None:
        """Returns the active key of this text, with its merchant."""
        return self.active().filter(key=key).select_related("merchant").first()


class BandCalibrationQuerySet(models.QuerySet["BandCalibration"]):
    def of_encoder(self, fingerprint: str) -> BandCalibrationQuerySet:
        """Calibrations of this encoder's scores, the latest first."""
        return self.filter(encoder=fingerprint).order_by("-created_at", "-pk")


def _locks_rows() -> bool:
    """SQLite has no row locks: there, IMMEDIATE transactions let one claim happen at a time."""
    from django.db import connection

    return connection.features.has_select_for_update_skip_locked
