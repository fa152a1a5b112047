"""One product's page: its pictures, its facts, the way to the shop, and what looks like it."""

import logging

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from catalog.listing import shown_product
from catalog.models import Product
from catalog.pages.cards import Card, cards_of, price_text, shop_link
from catalog.pages.goes_with import goes_with
from catalog.pages.security import page
from catalog.pages.wording import GENDERS
from catalog.search.answers import as_json
from catalog.search.questions import Question
from catalog.search.search import search
from catalog.words.genders import word_of
from shop_search.errors import InputError, ServiceError

logger = logging.getLogger(__name__)

SIMILAR = 12


@page
@require_safe
def product_page(request: HttpRequest, product_id: int) -> HttpResponse:
    """A product that shoppers may see, or 404."""
    try:
        product = shown_product(product_id)
    except InputError as error:
        raise Http404(error.message) from error
    context = {
        "product": product,
        "gender": GENDERS.get(word_of(product.gender), product.gender) if product.gender else "",
        "price": price_text(product.price, product.currency),
        "shop_url": shop_link(product.url),
        "images": [image.file.url for image in product.images.all()],
        "similar": _similar(product),
        "goes_with": _goes_with(product),
    }
    return render(request, "catalog/product.html", context)


def _goes_with(product: Product) -> list[Card]:
    """Returns what goes with it; nothing when the search is out of order, which the similar ones say already."""
    try:
        return goes_with(product)
    except ServiceError as error:
        logger.error("%s: %s", error.code, error.message, exc_info=error)
        return []


def _similar(product: Product) -> list[Card] | None:
    """Returns what looks like it; an empty list before it is indexed; None when the search is out of order."""
    try:
        return cards_of(as_json(search(Question(product=product.pk, limit=SIMILAR))))
    except InputError:
        return []
    except ServiceError as error:
        logger.error("%s: %s", error.code, error.message, exc_info=error)
        return None
