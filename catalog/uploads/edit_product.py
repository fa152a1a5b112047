"""A merchant mends one product by hand: the same rules as a row of a feed, for the fields that a form has.

Only a new category embeds a product's pictures again, because the category chooses what is cropped.
"""

from collections.abc import Mapping
from datetime import datetime

from catalog.models import Merchant, Product
from catalog.uploads.one_product import Put, SentPictures, put_product
from catalog.words.category_words import CategoryBook, meaning_of
from shop_search.errors import InputError

# Our columns that the form shows, in its order.
FIELDS = (
    "title", "price", "availability", "product_type", "brand", "color", "gender", "description", "link", "gtin",
    "item_group_id",
)  # fmt: skip


def cells_of(product: Product) -> dict[str, str]:
    """Returns the product as a row of a feed would say it, without its pictures."""
    return {
        "title": product.title,
        "description": product.description,
        "link": product.url,
        "price": f"{product.price} {product.currency}".strip() if product.price is not None else "",
        "availability": "in_stock" if product.in_stock else "out_of_stock",
        "brand": product.brand,
        "color": ", ".join(product.colors),
        "gender": product.gender,
        "product_type": _category_words(product),
        "gtin": product.gtin,
        "item_group_id": product.item_group,
    }


def edit_product(merchant: Merchant, product_id: int, edited: Mapping[str, str], *, seen: datetime) -> Put:
    """Makes the product what the form says and returns it; fields that aren't in `edited` stay.

    `seen` is when the product had last changed as the form was shown. Raises InputError `product_unknown`,
    `product_withdrawn`, `product_changed`, or `product_invalid` with what is wrong by field.
    """
    product = Product.objects.for_merchant(merchant).select_related("category").filter(pk=product_id).first()
    if product is None:
        raise InputError("product_unknown", f"You have no product {product_id}.")
    if product.withdrawn_at is not None:
        raise InputError("product_withdrawn", "The product is withdrawn. Bring it back first.")
    if product.updated_at != seen:
        raise InputError("product_changed", "The product changed while you edited it. Look at it again, then save.")
    changes = {name: edited[name] for name in FIELDS if name in edited}
    return put_product(merchant, product.sku, cells_of(product) | changes, SentPictures())


def _category_words(product: Product) -> str:
    """Returns words that lead to the product's category: the feed's own, unless another column of it said more."""
    meant = CategoryBook().find(meaning_of(product.product_type, ""))
    return product.product_type if meant == product.category else product.category.name
