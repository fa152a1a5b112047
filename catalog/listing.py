"""Products as lists and one by one, for pages and programs."""

from collections.abc import Sequence

from django.db.models import Q

from catalog.models import Product
from catalog.words.category_words import find_category
from shop_search.errors import InputError


def list_products(
    *, q: str = "", category: str | None = None, merchant: str | None = None, limit: int = 24, offset: int = 0
) -> tuple[int, Sequence[Product]]:
    """Returns how many shown products match, and one window of them, newest first."""
    products = Product.objects.shown()
    if q.strip():
        products = products.filter(Q(title__icontains=q) | Q(brand__icontains=q) | Q(sku__iexact=q))
    if category:
        found = find_category(category)
        products = products.filter(category=found) if found else products.none()
    if merchant:
        products = products.filter(merchant__slug=merchant)
    return products.count(), list(products.for_cards().order_by("-pk")[offset : offset + limit])


def shown_product(product_id: int) -> Product:
    """Returns one product that shoppers may see. Raises InputError `product_unknown`."""
    product = Product.objects.shown().for_cards().filter(pk=product_id).first()
    if product is None:
        raise InputError("product_unknown", f"There is no product {product_id}.")
    return product
