"""What the database knows of candidates: which may be shown, how new and how often chosen, and which are one thing."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from catalog.models import Feedback, Product, ProductImage
from catalog.search.prepared import Prepared
from catalog.search.ranking import Candidate

# A picture of more products than this says "no picture yet"; it doesn't make them one product.
MOST_SHARING = 20
_CHOSEN = (Feedback.Verdict.CLICK, Feedback.Verdict.LIKE)
_COLUMNS = (
    "pk",
    "sha256",
    "product__withdrawn_at",
    "product__blocked_at",
    "product__title",
    "product__merchant_id",
    "product__gtin",
    "product__item_group",
    "product__created_at",
)


class Listing(NamedTuple):
    """One candidate's row, by its picture."""

    image_id: int
    picture: str  # SHA-256 of its bytes
    withdrawn_at: datetime | None
    blocked_at: datetime | None
    title: str
    merchant_id: int
    gtin: str
    item_group: str
    created_at: datetime
    clicks: int


def shown_listings(found: Sequence[Candidate]) -> dict[int, Listing]:
    """Returns the listings of those candidates that may be shown, by image id."""
    # Whether it may be shown is looked at here: as a condition it leads SQLite to scan all products (30 ms of 50,000).
    listings = map(Listing._make, _listings.rows([one.image_id for one in found]))
    return {one.image_id: one for one in listings if one.withdrawn_at is None and one.blocked_at is None}


def keys_of(
    found: Sequence[Candidate], listings: dict[int, Listing], groups: Mapping[int, int] | None = None
) -> dict[int, tuple[str, ...]]:
    """Returns by image id what makes a listing one thing with others.

    That is a GTIN, a merchant's group of sizes in one color, or the very same picture: the same file, or one of
    `groups` (catalog.search.same_pictures).
    """
    # JSON is slow to read, and only groups need it.
    grouped = [one.product_id for one in found if one.image_id in listings and listings[one.image_id].item_group]
    colors = dict(Product.objects.filter(pk__in=grouped).order_by().values_list("pk", "colors")) if grouped else {}
    sharing = Counter(listing.picture for listing in listings.values())
    shared = Counter((groups or {}).values())
    keys: dict[int, tuple[str, ...]] = {}
    for one in found:
        listing = listings.get(one.image_id)
        if listing is None:
            continue
        own: list[str] = []
        if listing.gtin:
            own.append(f"gtin {listing.gtin.lstrip('0')}")
        if listing.item_group:
            shade = "/".join(sorted(color.casefold() for color in colors.get(one.product_id, [])))
            own.append(f"group {listing.merchant_id} {shade} {listing.item_group}")
        if listing.picture and sharing[listing.picture] <= MOST_SHARING:
            own.append(f"picture {listing.picture}")
        group = (groups or {}).get(one.image_id)
        if group is not None and shared[group] <= MOST_SHARING:
            own.append(f"group of pictures {group}")
        keys[one.image_id] = tuple(own)
    return keys


def _clicks() -> Subquery:
    chosen = Feedback.objects.counted().filter(product=OuterRef("product_id"), verdict__in=_CHOSEN).order_by()
    return Subquery(chosen.values("product").annotate(count=Count("pk")).values("count"), output_field=IntegerField())


def _of_pictures(ids: Sequence[int]) -> QuerySet[ProductImage, tuple[Any, ...]]:
    return ProductImage.objects.filter(pk__in=ids).order_by().values_list(*_COLUMNS, Coalesce(_clicks(), 0))


_listings = Prepared(_of_pictures, depends_on=lambda: settings.COUNT_SIMULATED)
