"""The catalog doctor: looks at each product of a merchant and notes what is wrong with it, and what to fix first.

    asked -> slice of products by rising id -> rows, measures of pixels (picture_checks), the index
    (findability) -> examine (diagnoses) -> findings of the slice and the checkpoint, one transaction

A slice is all that is in memory, however large the catalog. A checkup that is killed goes on at its checkpoint, and
doing a slice again writes the same findings.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from catalog.doctor.diagnoses import Evidence, Symptom, examine, urgency
from catalog.doctor.findability import Standing, standings
from catalog.doctor.picture_checks import checks_of
from catalog.models import AwaitedImage, Checkup, Finding, Merchant, Product, ProductImage
from catalog.models.doctor import LEASE
from catalog.taxonomy import taxonomy

# Products of one slice: a second or two, so that a worker that is asked to stop stops.
SLICE = 64
# Products that are named as users of one file.
_SHARED = 8


@dataclass(frozen=True, slots=True)
class Slice:
    """What one step of a checkup did. `is_last`: no product is left."""

    products: int
    findings: int
    is_last: bool


def examine_all(
    merchant: Merchant,
    *,
    is_stopped: Callable[[], bool] = lambda: False,
    progress: Callable[[int], None] = lambda done: None,
) -> Checkup:
    """Looks at every product of the merchant now, from the first, and returns the checkup.

    Raises ServiceError when the detector or the store fails; what was noted until then stays.
    """
    checkup = Checkup.objects.ask(merchant)
    Checkup.objects.filter(pk=checkup.pk).update(claimed_until=timezone.now() + LEASE)
    while not is_stopped():
        done = _examine_slice(checkup)
        progress(done.products)
        if done.is_last:
            break
    checkup.refresh_from_db()
    return checkup


def examine_some() -> bool:
    """Does one slice of the checkup that was asked for first; returns whether there was one.

    Raises ServiceError as `examine_all` does; any worker may take the slice again.
    """
    checkup = Checkup.objects.claim()
    if checkup is None:
        return False
    try:
        _examine_slice(checkup)
    finally:
        Checkup.objects.filter(pk=checkup.pk, claimed_until=checkup.claimed_until).update(claimed_until=None)
    return True


def _examine_slice(checkup: Checkup) -> Slice:
    """Looks at the products that follow the checkpoint, and moves both `checkup` and its row on."""
    own = Product.objects.for_merchant(checkup.merchant)
    later = own.filter(pk__gt=checkup.after).shown().select_related("category").order_by("pk")
    products = list(later[:SLICE])
    last = products[-1].pk if products else checkup.after
    is_last = len(products) < SLICE
    findings = [finding for evidence in _evidence(products) for finding in _findings(checkup.merchant, evidence)]
    with transaction.atomic():
        looked_at = own.filter(pk__gt=checkup.after)
        if not is_last:
            looked_at = looked_at.filter(pk__lte=last)
        # Withdrawn products between them lose their findings too.
        Finding.objects.filter(merchant=checkup.merchant, product__in=looked_at).delete()
        here = set(own.filter(pk__in=[one.product_id for one in findings]).values_list("pk", flat=True))
        Finding.objects.bulk_create([one for one in findings if one.product_id in here])
        _move_on(checkup, last=last, products=len(products), is_last=is_last)
    return Slice(len(products), len(findings), is_last)


def _move_on(checkup: Checkup, *, last: int, products: int, is_last: bool) -> None:
    now = timezone.now()
    before = checkup.after
    checkup.after, checkup.products, checkup.is_due = last, checkup.products + products, not is_last
    changes: dict[str, Any] = {"after": last, "products": checkup.products, "is_due": checkup.is_due}
    if is_last:
        checkup.finished_at = changes["finished_at"] = now
    # Another one that was asked for meanwhile begins anew: its checkpoint stays where it is.
    Checkup.objects.filter(pk=checkup.pk, after=before, requested_at=checkup.requested_at).update(**changes)


def _evidence(products: Sequence[Product]) -> list[Evidence]:
    ids = [product.pk for product in products]
    images: dict[int, list[ProductImage]] = defaultdict(list)
    for image in ProductImage.objects.filter(product__in=ids).order_by("product", "position"):
        images[image.product_id].append(image)
    awaited = set(AwaitedImage.objects.filter(product__in=ids).values_list("product", flat=True))
    checks = checks_of([image for own in images.values() for image in own])
    found = standings(products, images)
    same = _same_pictures(products, images, found)
    names = taxonomy()
    return [
        Evidence(
            product=product,
            images=images[product.pk],
            checks={image.pk: checks[image.pk] for image in images[product.pk] if image.pk in checks},
            standing=found.get(product.pk),
            taxonomy=names,
            is_awaited=product.pk in awaited,
            same_own=[(mine, other.sku) for mine, other in same[product.pk] if _is_of_one_shop(product, other)],
            same_elsewhere=[
                (mine, other.merchant.name) for mine, other in same[product.pk] if not _is_of_one_shop(product, other)
            ],
        )
        for product in products
    ]


def _is_of_one_shop(product: Product, other: Product) -> bool:
    return product.merchant_id == other.merchant_id


def _same_pictures(
    products: Sequence[Product], images: dict[int, list[ProductImage]], found: dict[int, Standing]
) -> dict[int, list[tuple[int, Product]]]:
    """Returns, by product id, own image ids with another product on sale that shows the same picture.

    The same file is told by its content; saved again, by what the index knows. Variants of one item share pictures
    rightly. Other merchants' products are those that every shopper sees.
    """
    own = {product.pk: product for product in products}
    mine = [image for some in images.values() for image in some]
    twin_ids = {twin for standing in found.values() for _, twin in standing.twins}
    by_id = {image.pk: image.product for image in _others().filter(pk__in=twin_ids)}
    by_hash = _by_hash({image.sha256: own[image.product_id].merchant_id for image in mine if image.sha256})
    same: dict[int, list[tuple[int, Product]]] = defaultdict(list)
    for image in mine:
        same[image.product_id] += [(image.pk, other) for other in by_hash.get(image.sha256, ())]
    for pk, standing in found.items():
        same[pk] += [(image, by_id[twin]) for image, twin in standing.twins if twin in by_id]
    return defaultdict(list, {pk: [one for one in some if _is_another(own[pk], one[1])] for pk, some in same.items()})


def _others() -> QuerySet[ProductImage]:
    rows = ProductImage.objects.indexable().select_related("product__merchant").order_by("pk")
    names = ("sku", "item_group", "merchant__name")
    return rows.only("sha256", *(f"product__{name}" for name in names))


def _by_hash(merchants: Mapping[str, int]) -> dict[str, list[Product]]:
    """Returns some products on sale that use each file that several use, by its hash.

    `merchants` are who asks, by hash. A placeholder that thousands share costs no more than a few rows.
    """
    rows = ProductImage.objects.indexable().filter(sha256__in=merchants).order_by()
    shared = rows.values("sha256").annotate(products=Count("product", distinct=True)).filter(products__gt=1)
    found: dict[str, list[Product]] = {}
    for sha256 in shared.values_list("sha256", flat=True):
        own = Q(product__merchant=merchants[sha256])
        users = [image for whose in (own, ~own) for image in _others().filter(whose, sha256=sha256)[:_SHARED]]
        found[sha256] = [image.product for image in users]
    return found


def _is_another(product: Product, other: Product) -> bool:
    is_variant = _is_of_one_shop(product, other) and product.item_group and product.item_group == other.item_group
    return product.pk != other.pk and not is_variant


def _findings(merchant: Merchant, evidence: Evidence) -> list[Finding]:
    symptoms: list[Symptom] = examine(evidence)
    weight = urgency(symptoms, in_stock=evidence.product.in_stock)
    return [
        Finding(
            merchant=merchant,
            product=evidence.product,
            image_id=symptom.image,
            code=symptom.code,
            detail=dict(symptom.detail),
            urgency=weight,
            is_first=index == 0,
        )
        for index, symptom in enumerate(symptoms)
    ]
