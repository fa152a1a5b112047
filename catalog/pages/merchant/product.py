"""One of a merchant's products: how it was cropped and understood, what lies nearest to it, and a form to mend it."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_http_methods, require_POST

from catalog.curation.told import decisions_about
from catalog.doctor.neighbors import Neighbor, neighbors_of
from catalog.doctor.report import patients, sick
from catalog.models import Category, Member, Product, ProductImage
from catalog.pages.cards import price_text, thumb
from catalog.pages.merchant.access import member_page
from catalog.pages.merchant.crops import View, view_of
from catalog.uploads.edit_product import FIELDS, cells_of, edit_product
from shop_search.errors import InputError, ServiceError

logger = logging.getLogger(__name__)

NEIGHBORS = 8
_GENDERS = ("", "female", "male", "unisex", "girls", "boys", "kids")


@dataclass(frozen=True, slots=True)
class Swatch:
    """A color of the crop, as CSS says it, and its share."""

    fill: str
    x: str
    width: str


@dataclass(frozen=True, slots=True)
class Seen:
    """One picture, and what was made of it."""

    image: ProductImage
    view: View | None
    category: str  # name of what was detected
    confidence: str
    swatches: list[Swatch]
    attributes: list[tuple[str, str, str]]  # name, value, confidence


@dataclass(frozen=True, slots=True)
class Near:
    neighbor: Neighbor
    picture: str
    price: str
    score: str


@member_page()
@require_http_methods(["GET", "HEAD"])
def product(request: HttpRequest, member: Member, product_id: int) -> HttpResponseBase:
    """The product, withdrawn ones too."""
    return _shown(request, member, product_id)


@member_page(must_edit=True)
@require_POST
def edit(request: HttpRequest, member: Member, product_id: int) -> HttpResponseBase:
    """Saves the form and shows the product anew, or says what is wrong with it and keeps what was typed."""
    edited = {name: request.POST[name] for name in FIELDS if name in request.POST}
    seen = _moment(request.POST.get("seen", ""))
    try:
        edit_product(member.merchant, product_id, edited, seen=seen)
    except InputError as error:
        if error.code == "product_unknown":
            raise Http404(error.message) from error
        return _shown(request, member, product_id, edited=edited, error=error)
    except ServiceError as error:
        logger.error("%s: %s", error.code, error.message, exc_info=error)
        return _shown(request, member, product_id, edited=edited, error=error)
    address = reverse("merchant:product", kwargs={"slug": member.merchant.slug, "product_id": product_id})
    return redirect(f"{address}?saved=1")


def _moment(text: str) -> datetime:
    """Returns the moment that the form was shown at; a time long ago for what is none, so that nothing is saved."""
    try:
        return parse_datetime(text) or datetime.min
    except ValueError:
        return datetime.min


def _shown(
    request: HttpRequest,
    member: Member,
    product_id: int,
    *,
    edited: Mapping[str, str] | None = None,
    error: InputError | ServiceError | None = None,
) -> HttpResponseBase:
    found = Product.objects.for_merchant(member.merchant).for_cards().filter(pk=product_id).first()
    if found is None:
        raise Http404("There is no such product.")
    names = dict(Category.objects.values_list("slug", "name"))
    ill = patients(member.merchant, list(sick(member.merchant).filter(product=found)))
    context = {
        "member": member,
        "tab": "products",
        "product": found,
        "price": price_text(found.price, found.currency),
        "pictures": [_seen(image, names) for image in found.images.all()],
        "neighbors": _neighbors(found),
        "decisions": decisions_about([found]).get(found.pk, []),
        "findings": ill[0].findings if ill else [],
        "values": {**cells_of(found), **(edited or {})},
        "categories": sorted(names.values()),
        "genders": list(dict.fromkeys([*_GENDERS, found.gender])),
        "error": error,
        "wrong": error.fields if error else {},
        "seen": found.updated_at.isoformat(),
        "is_saved": "saved" in request.GET,
    }
    status = 503 if isinstance(error, ServiceError) else 400 if error else 200
    return render(request, "merchant/product.html", context, status=status)


def _seen(image: ProductImage, names: Mapping[str, str]) -> Seen:
    return Seen(
        image=image,
        view=view_of(image),
        category=names.get(image.detected_category, image.detected_category),
        confidence=_percent(image.detected_confidence),
        swatches=_swatches(image.palette),
        attributes=[
            (name.replace("_", " "), str(value), _percent(confidence))
            for name, (value, confidence) in image.seen_attributes.items()
        ],
    )


def _swatches(palette: list[list[float]]) -> list[Swatch]:
    """Returns the colors side by side, as wide as their share of 100. Numbers are texts: no language respells them."""
    swatches, x = [], 0.0
    for lightness, a, b, share in palette:
        swatches.append(Swatch(f"lab({lightness:.1f}% {a:.1f} {b:.1f})", f"{x:.1f}", f"{100 * share:.1f}"))
        x += 100 * share
    return swatches


def _neighbors(found: Product) -> list[Near] | None:
    """Returns what is nearest; None when the store is out of order."""
    try:
        return [_near(one) for one in neighbors_of(found, NEIGHBORS)]
    except ServiceError as error:
        logger.error("%s: %s", error.code, error.message, exc_info=error)
        return None


def _near(one: Neighbor) -> Near:
    images = list(one.product.images.all())
    picture = thumb(images[0].file.url) if images else ""
    return Near(one, picture, price_text(one.product.price, one.product.currency), f"{one.score:.2f}")


def _percent(share: Any) -> str:
    return f"{100 * share:.0f} %" if isinstance(share, int | float) else ""
