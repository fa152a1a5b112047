"""Findings in sum and one by one, for the command and the merchant's page. Every query starts from the merchant."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, QuerySet

from catalog.doctor.diagnoses import DIAGNOSES, Severity
from catalog.doctor.wording import advice, sentence, severity, title
from catalog.models import Finding, Merchant, Product, ProductImage


@dataclass(frozen=True, slots=True)
class Sum:
    """How many products have one code."""

    code: str
    severity: Severity
    title: str
    advice: str
    products: int


@dataclass(frozen=True, slots=True)
class Told:
    """One finding in words."""

    code: str
    severity: Severity
    title: str
    sentence: str
    advice: str
    image: int | None


@dataclass(frozen=True, slots=True)
class Patient:
    """A product with all that is wrong with it, the gravest first, and the picture where that is seen."""

    product: Product
    urgency: int
    findings: Sequence[Told]
    image: ProductImage | None


def sums(merchant: Merchant) -> list[Sum]:
    """Returns the number of products with each code, the gravest code first; codes that nothing has are left out."""
    rows = Finding.objects.for_merchant(merchant).order_by().values_list("code").annotate(products=Count("pk"))
    counted = dict(rows)
    order = sorted(counted, key=lambda code: (-DIAGNOSES[code].weight if code in DIAGNOSES else 0, code))
    return [Sum(code, severity(code), title(code), advice(code), counted[code]) for code in order]


def sick(merchant: Merchant, code: str = "") -> QuerySet[Finding]:
    """Returns one finding of each product that has the code, or any: what to fix first is first."""
    rows = Finding.objects.for_merchant(merchant)
    rows = rows.filter(code=code) if code else rows.filter(is_first=True)
    return rows.order_by("-urgency", "product_id")


def patients(merchant: Merchant, chosen: Sequence[Finding]) -> list[Patient]:
    """Returns the products of these findings with all their findings, in the same order."""
    ids = [finding.product_id for finding in chosen]
    products = Product.objects.for_merchant(merchant).select_related("category").in_bulk(ids)
    own: dict[int, list[Finding]] = defaultdict(list)
    for finding in Finding.objects.for_merchant(merchant).filter(product__in=ids):
        own[finding.product_id].append(finding)
    images: dict[int, ProductImage] = {}
    pictures: dict[int, ProductImage] = {}
    for image in ProductImage.objects.filter(product__in=products).order_by("product", "position"):
        images.setdefault(image.product_id, image)
        pictures[image.pk] = image
    found: list[Patient] = []
    for finding in chosen:
        if finding.product_id not in products:
            continue
        told = sorted((_told(one) for one in own[finding.product_id]), key=_gravest_first)
        where = pictures.get(finding.image_id or next((one.image for one in told if one.image), None) or 0)
        product = products[finding.product_id]
        found.append(Patient(product, finding.urgency, told, where or images.get(product.pk)))
    return found


def _told(finding: Finding) -> Told:
    code = finding.code
    return Told(code, severity(code), title(code), sentence(code, finding.detail), advice(code), finding.image_id)


def _gravest_first(told: Told) -> tuple[int, str]:
    return -DIAGNOSES[told.code].weight if told.code in DIAGNOSES else 0, told.code
