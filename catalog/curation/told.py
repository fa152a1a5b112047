"""What a merchant is told of what the shop's admins decided about her products: what, why, and what she can do.

Three things keep a product that she sells from shoppers: it is blocked, a photo of it is blocked, or a rule hides it
from some searches. Pins and boosts take nothing away and stay the admins' own; who decided is not said either.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db.models import Exists, OuterRef, Q, QuerySet

from catalog.models import Curation, Product, ProductImage, TakenPicture


class Kind(StrEnum):
    """How much of a product is kept from shoppers, the most first."""

    BLOCKED = "blocked"  # it is nowhere
    PHOTO = "photo"  # one of its pictures is nowhere
    HIDDEN = "hidden"  # it is not in some searches


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision that holds now."""

    kind: Kind
    why: str
    category: str = ""  # name; of a rule for a category. Other rules are for photos of one kind
    until: datetime | None = None  # of a rule that ends by itself
    is_bare: bool = False  # the product has no picture left


def decisions_about(products: Iterable[Product]) -> Mapping[int, list[Decision]]:
    """Returns what was decided about each of these products, by id, the gravest first: two queries for any number.

    A blocked photo is told until the product has a picture in its place.
    """
    own = {product.pk: product for product in products}
    told: dict[int, list[Decision]] = defaultdict(list)
    for product in own.values():
        if product.blocked_at:
            told[product.pk].append(Decision(Kind.BLOCKED, product.blocked_why))
    pictured = Exists(ProductImage.objects.filter(product=OuterRef("product")))
    taken = _not_replaced().filter(product__in=own).annotate(is_pictured=pictured).select_related("photo")
    for picture in taken:
        told[picture.product_id].append(Decision(Kind.PHOTO, picture.photo.why, is_bare=not picture.is_pictured))
    rules = Curation.objects.in_force().filter(product__in=own, kind=Curation.Kind.HIDE).select_related("category")
    for rule in rules:
        category = rule.category.name if rule.category else ""
        told[rule.product_id].append(Decision(Kind.HIDDEN, rule.why, category, rule.ends_at))
    # Two pictures that went for one photo are one decision.
    return {pk: list(dict.fromkeys(some)) for pk, some in told.items()}


def decided() -> Q:
    """Returns the filter of products about which something is told. Withdrawn ones are the merchant's own decision."""
    hidden = Curation.objects.in_force().filter(product=OuterRef("pk"), kind=Curation.Kind.HIDE)
    taken = _not_replaced().filter(product=OuterRef("pk"))
    return Q(withdrawn_at=None) & (Q(blocked_at__isnull=False) | Q(Exists(taken)) | Q(Exists(hidden)))


def _not_replaced() -> QuerySet[TakenPicture]:
    there = ProductImage.objects.filter(product=OuterRef("product"), position=OuterRef("position"))
    return TakenPicture.objects.filter(~Exists(there), photo__lifted_at=None).order_by("product", "position")
