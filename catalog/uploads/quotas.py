"""How much one merchant may have and send: products, pictures, uploads and bytes a day.

Uploads are refused before anything is kept. Where products or pictures reach the limit in the middle of a feed, rows
that add more fail, each with its cells in errors.csv to be sent again; rows of products that are there already go on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Sum
from django.utils import timezone

from catalog.feeds import RowError
from catalog.models import AwaitedImage, Merchant, MerchantQuota, Product, ProductImage, Upload
from catalog.models.upload_querysets import UploadQuerySet
from catalog.uploads.product_changes import Change
from shop_search.errors import InputError

DAY = timedelta(days=1)
NAMES = ("products", "pictures", "uploads_a_day", "bytes_a_day")


class QuotaError(InputError):
    """A merchant has sent what a day allows: `quota_uploads` or `quota_bytes`, and when there is room again."""

    def __init__(self, code: str, message: str, *, limit: int, reset_s: int) -> None:
        super().__init__(code, message)
        self.limit = limit
        self.reset_s = reset_s


@dataclass(frozen=True, slots=True)
class Usage:
    """One of a merchant's limits and how much of it is taken."""

    name: str
    limit: int
    used: int

    @property
    def remaining(self) -> int:
        return max(0, self.limit - self.used)


def limits_of(merchant: Merchant) -> dict[str, int]:
    """Returns the merchant's limits by name: its own, else those of all."""
    own = None if merchant._state.adding else MerchantQuota.objects.filter(merchant=merchant).first()
    said = {name: getattr(own, name) for name in NAMES} if own is not None else {}
    return {name: settings.MERCHANT_QUOTAS[name] if said.get(name) is None else said[name] for name in NAMES}


def usage_of(merchant: Merchant) -> list[Usage]:
    """Returns each limit and what is taken of it now."""
    uploads = _of_a_day(merchant)
    used = {
        "products": _products(merchant),
        "pictures": _pictures(merchant),
        "uploads_a_day": uploads.count(),
        "bytes_a_day": uploads.aggregate(sum=Sum("size"))["sum"] or 0,
    }
    return [Usage(name, limit, used[name]) for name, limit in limits_of(merchant).items()]


def check_uploads(merchant: Merchant) -> int:
    """Returns how many bytes the merchant may still send today.

    Raises QuotaError `quota_uploads` or `quota_bytes` where nothing may be sent any more.
    """
    limits, uploads = limits_of(merchant), _of_a_day(merchant)
    count, sent = uploads.count(), uploads.aggregate(sum=Sum("size"))["sum"] or 0
    if count >= limits["uploads_a_day"]:
        message = f"You have sent {count} uploads within a day; the limit is {limits['uploads_a_day']}."
        raise QuotaError("quota_uploads", message, limit=limits["uploads_a_day"], reset_s=_reset_s(merchant))
    if sent >= limits["bytes_a_day"]:
        raise over_bytes(merchant, limits["bytes_a_day"])
    return limits["bytes_a_day"] - sent


def over_bytes(merchant: Merchant, limit: int | None = None) -> QuotaError:
    """Returns the error for a file that is more than the rest of the day's bytes."""
    limit = limits_of(merchant)["bytes_a_day"] if limit is None else limit
    message = f"With this file you would send more than {limit / 2**20:,.0f} MiB within a day, which is the limit."
    return QuotaError("quota_bytes", message, limit=limit, reset_s=_reset_s(merchant))


class Allowance:
    """What a merchant may still add, counted once an import and kept while it goes on."""

    def __init__(self, merchant: Merchant) -> None:
        self._merchant = merchant
        self._limits: dict[str, int] | None = None
        self._products = self._pictures = 0

    def admit(self, changes: Sequence[Change]) -> tuple[list[Change], list[RowError]]:
        """Returns the changes that fit, and an error for each row that doesn't: in the feed's order, the first fit."""
        if not any(_grows(change) for change in changes):
            return list(changes), []
        limits = self._counted()
        kept: list[Change] = []
        errors: list[RowError] = []
        for change in changes:
            products, pictures = change.is_new or change.is_restored, _more_pictures(change)
            over = (
                "products"
                if products and self._products + 1 > limits["products"]
                else "pictures"
                if pictures > 0 and self._pictures + pictures > limits["pictures"]
                else ""
            )
            if over:
                errors.append(_error(change, over, limits[over]))
                continue
            self._products += products
            self._pictures += pictures
            kept.append(change)
        return kept, errors

    def _counted(self) -> dict[str, int]:
        if self._limits is None:
            self._limits = limits_of(self._merchant)
            if not self._merchant._state.adding:
                self._products, self._pictures = _products(self._merchant), _pictures(self._merchant)
        return self._limits


def _grows(change: Change) -> bool:
    return change.is_new or change.is_restored or _more_pictures(change) > 0


def _more_pictures(change: Change) -> int:
    before = 0 if change.is_new or change.is_restored else change.pictures_before
    return len(change.wanted.pictures) - before


def _error(change: Change, what: str, limit: int) -> RowError:
    message = (
        f"You may have {limit:,} {what}, and this row would be over it. Withdraw others or ask whoever runs the shop "
        "for more, then send the row again."
    )
    return RowError.of(change.wanted.row.row, "", f"quota_{what}", message, change.wanted.row.sku)


def _products(merchant: Merchant) -> int:
    return Product.objects.for_merchant(merchant).shown().count()


def _pictures(merchant: Merchant) -> int:
    of_shown = {"product__merchant": merchant, "product__withdrawn_at": None}
    return ProductImage.objects.filter(**of_shown).count() + AwaitedImage.objects.filter(**of_shown).count()


def _of_a_day(merchant: Merchant) -> UploadQuerySet:
    return Upload.objects.for_merchant(merchant).filter(created_at__gt=timezone.now() - DAY)


def _reset_s(merchant: Merchant) -> int:
    """Returns the seconds until the first upload of the day counts no more."""
    first: datetime | None = _of_a_day(merchant).order_by("created_at").values_list("created_at", flat=True).first()
    return 1 if first is None else max(1, round((first + DAY - timezone.now()).total_seconds()))
