"""How shoppers met a merchant's products: shown, clicked, never shown, and what was searched for. Counted in SQL.

Impressions are rows of their own (catalog.search.impressions). A click counts once for a search and a product. Every
count of products starts from the merchant; searches are the whole shop's, since any of them could have shown her
products.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Avg, Count, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import TruncDate
from django.utils import timezone

from catalog.bands import Band
from catalog.models import Category, Feedback, Impression, Merchant, Product, SearchRecord

PERIODS = (7, 30, 90)  # days


@dataclass(frozen=True, slots=True)
class Period:
    """The last days, today among them."""

    days: int

    @property
    def first(self) -> date:
        return timezone.localdate() - timedelta(days=self.days - 1)

    @property
    def since(self) -> datetime:
        return timezone.make_aware(datetime.combine(self.first, datetime.min.time()))


@dataclass(frozen=True, slots=True)
class Day:
    day: date
    impressions: int
    clicks: int


@dataclass(frozen=True, slots=True)
class Shown:
    """One product and how shoppers met it."""

    product: Product
    impressions: int
    clicks: int
    mean_rank: float

    @property
    def click_rate(self) -> float:
        return self.clicks / self.impressions if self.impressions else 0.0


@dataclass(frozen=True, slots=True)
class Searched:
    """One category, by what shoppers asked of the whole shop."""

    slug: str
    name: str
    searches: int
    nothing_close: int
    stocked: int  # of the merchant's own products on sale


def by_day(merchant: Merchant, period: Period) -> list[Day]:
    """Returns every day of the period, the first day first, days without anything among them."""
    shown = _shown(merchant, period).order_by().values_list("day")
    clicked = _clicked(merchant, period).annotate(day=TruncDate("created_at")).order_by().values_list("day")
    impressions = dict(shown.annotate(n=Count("pk")))
    clicks = dict(clicked.annotate(n=Count("pk")))
    days = [period.first + timedelta(days=number) for number in range(period.days)]
    return [Day(day, impressions.get(day, 0), clicks.get(day, 0)) for day in days]


def most_shown(merchant: Merchant, period: Period, limit: int) -> list[Shown]:
    """Returns the products that were shown most, with their clicks."""
    rows = (
        _shown(merchant, period)
        .order_by()
        .values_list("product")
        .annotate(n=Count("pk"), rank=Avg("rank"))
        .order_by("-n", "product")[:limit]
    )
    counted = {product: (n, rank) for product, n, rank in rows}
    clicked = _clicked(merchant, period).filter(product__in=counted).order_by().values_list("product")
    clicks = dict(clicked.annotate(n=Count("pk")))
    products = Product.objects.for_merchant(merchant).in_bulk(list(counted))
    return [Shown(products[pk], n, clicks.get(pk, 0), rank) for pk, (n, rank) in counted.items() if pk in products]


def never_shown(merchant: Merchant, period: Period) -> QuerySet[Product]:
    """Returns the merchant's products on sale that no search of the period showed."""
    shown = _shown(merchant, period).values("product")
    return Product.objects.for_merchant(merchant).shown().exclude(pk__in=shown).order_by("pk")


def searched_categories(merchant: Merchant, period: Period, limit: int) -> list[Searched]:
    """Returns the categories that were searched for most, those of no category left out."""
    rows = (
        SearchRecord.objects.counted()
        .filter(created_at__gte=period.since)
        .exclude(category="")
        .order_by()
        .values_list("category")
        .annotate(n=Count("pk"), nothing=Count("pk", filter=Q(band=Band.NOTHING_CLOSE)))
        .order_by("-n", "category")[:limit]
    )
    counted = list(rows)
    slugs = [slug for slug, _, _ in counted]
    names = dict(Category.objects.filter(slug__in=slugs).values_list("slug", "name"))
    stock = stocked(merchant, slugs)
    return [Searched(slug, names.get(slug, slug), n, nothing, stock.get(slug, 0)) for slug, n, nothing in counted]


def stocked(merchant: Merchant, slugs: Sequence[str]) -> dict[str, int]:
    """Returns how many products the merchant has on sale in each of these categories."""
    own = Product.objects.for_merchant(merchant).shown().filter(category__slug__in=slugs)
    return dict(own.order_by().values_list("category__slug").annotate(n=Count("pk")))


def _shown(merchant: Merchant, period: Period) -> QuerySet[Impression]:
    return Impression.objects.counted().filter(merchant=merchant, day__gte=period.first)


def _clicked(merchant: Merchant, period: Period) -> QuerySet[Feedback]:
    clicks = Feedback.objects.counted().filter(verdict=Feedback.Verdict.CLICK)
    earlier = clicks.filter(search=OuterRef("search"), product=OuterRef("product"), pk__lt=OuterRef("pk"))
    return clicks.filter(product__merchant=merchant, created_at__gte=period.since).filter(~Exists(earlier))
