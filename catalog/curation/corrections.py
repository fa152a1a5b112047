"""Corrections of what the models or a feed said: kept as rows for training, and applied only where an admin says so.

    a box, a category or an attribute, on a shopper's kept crop or a product's picture -> Correction -> export_reviews
                                       └─ apply (a product's own category or attribute) -> product, index

An applied value is the product's own from then on: its merchant's feeds don't write over it.
"""

import math
from collections.abc import Sequence
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from catalog.audit import note
from catalog.models import Category, Correction, Product, ProductImage, SearchRecord
from detection.types import Box
from embeddings.attributes import article_types
from embeddings.color_names import NAMES, normalize_color_word
from shop_search.errors import InputError

Field = Correction.Field

GENDERS = ("men", "women", "boys", "girls", "kids", "unisex")
PATTERNS = ("plain", "striped", "checked", "printed")
# What feeds call them (catalog.feeds.cleaning), where that differs.
_FEED_GENDERS = {"men": "male", "women": "female"}
_WHOLE: Box = (0.0, 0.0, 1.0, 1.0)
LEAST_SIDE = 0.02  # of a box, as a share of the picture's side: below, nobody can tell what is in it


def choices_of(field: str) -> tuple[str, ...]:
    """Returns the values that a field can be corrected to; none for a box, which is drawn."""
    if field == Field.CATEGORY:
        return tuple(Category.objects.values_list("slug", flat=True))
    return {
        Field.COLOR: NAMES,
        Field.GENDER: GENDERS,
        Field.PATTERN: PATTERNS,
        Field.ARTICLE_TYPE: tuple(sorted(article_types())),
    }.get(Field(field), ())


def correct_picture(image: ProductImage, *, field: str, after: Any, by: User) -> Correction | None:
    """Keeps what somebody says of a product's picture; None where that is what it says already.

    A box is in shares of the picture's sides. Raises InputError `correction_invalid`.
    """
    value = _checked(field, after)
    before = _before(image, field)
    if _same(before, value):
        return None
    return Correction.objects.create(
        field=field, product=image.product, image=image, sha256=image.sha256, before=before, after=value, by=by
    )


def correct_search(record: SearchRecord, *, field: str, after: Any, by: User) -> Correction | None:
    """Keeps what somebody says of the crop that a shopper searched with. Returns and raises as `correct_picture`.

    Raises InputError `crop_gone` for a search whose crop is no longer kept: there is nothing to learn from.
    """
    if not record.crop:
        raise InputError("crop_gone", "The shopper's picture is no longer kept.")
    value = _checked(field, after)
    before: Any = list(_WHOLE) if field == Field.BOX else (record.category or None) if field == Field.CATEGORY else None
    if _same(before, value):
        return None
    return Correction.objects.create(field=field, search=record, before=before, after=value, by=by)


def apply(correction: Correction, *, by: User, why: str = "") -> Product:
    """Makes a corrected category or attribute the product's own and returns the product; the index follows.

    Raises InputError `correction_not_applicable` for boxes and for shoppers' crops, which train and change nothing.
    """
    if correction.product_id is None or correction.field == Field.BOX:
        raise InputError("correction_not_applicable", "Only a product's category or attribute can be applied.")
    now = timezone.now()
    with transaction.atomic():
        product = Product.objects.select_for_update(of=("self",)).get(pk=correction.product_id)
        before = _set(product, correction.field, correction.after)
        product.save(update_fields=["category", "colors", "gender", "corrected", "updated_at"])
        images = ProductImage.objects.filter(product=product)
        if correction.field == Field.CATEGORY:  # it chooses what is cropped
            images.update(state=ProductImage.State.PENDING, payload_due=now)
        else:
            images.update(payload_due=now)
        Correction.objects.filter(pk=correction.pk).update(applied_at=now)
        note(
            by,
            "correction_applied",
            f"{product.merchant.slug}/{product.sku}",
            why=why,
            details={"field": correction.field, "before": before, "after": correction.after, "product": product.pk},
        )
    return product


def as_box(after: Sequence[float]) -> Box:
    """Returns a box in shares of the picture's sides, ordered and inside it. Raises InputError `correction_invalid`."""
    if len(after) != 4 or not all(isinstance(side, int | float) and math.isfinite(side) for side in after):
        raise _invalid(Field.BOX, "A box has four sides.")
    x1, y1, x2, y2 = (min(max(float(side), 0.0), 1.0) for side in after)
    box = (round(min(x1, x2), 4), round(min(y1, y2), 4), round(max(x1, x2), 4), round(max(y1, y2), 4))
    if box[2] - box[0] < LEAST_SIDE or box[3] - box[1] < LEAST_SIDE:
        raise _invalid(Field.BOX, f"A box covers at least {LEAST_SIDE:.0%} of each side of the picture.")
    return box


def said_of(image: ProductImage, field: str) -> Any:
    """Returns what is said now of a product's picture: the box in shares, the category's slug, words."""
    return _before(image, field)


def _checked(field: str, after: Any) -> Any:
    if field not in Field:
        raise _invalid("field", f"{field[:40]!r} is none of {', '.join(Field)}.")
    if field == Field.BOX:
        return list(as_box(after))
    if not isinstance(after, str) or after not in choices_of(field):
        raise _invalid(field, f"{str(after)[:40]!r} is no {Field(field).label.lower()} that this shop knows.")
    return after


def _before(image: ProductImage, field: str) -> Any:
    product = image.product
    seen = {name: value for name, (value, _) in (image.seen_attributes or {}).items()}
    if field == Field.BOX:
        if not image.box or not image.width or not image.height:
            return None
        sides = (image.width, image.height, image.width, image.height)
        return [round(value / side, 4) for value, side in zip(image.box, sides, strict=True)]
    if field == Field.CATEGORY:
        return product.category.slug
    if field == Field.COLOR:
        return next((normalize_color_word(one) or one for one in [*product.colors, *image.seen_colors]), None)
    if field == Field.GENDER:
        named = {feed: word for word, feed in _FEED_GENDERS.items()}
        return named.get(product.gender, product.gender) or seen.get("gender")
    return product.corrected.get(field) or seen.get(field)


def _same(before: Any, after: Any) -> bool:
    if isinstance(before, list) and isinstance(after, list):
        return all(abs(one - other) < 0.002 for one, other in zip(before, after, strict=True))  # a hair's breadth
    return bool(before == after)


def _set(product: Product, field: str, after: Any) -> Any:
    """Changes the product in memory; returns what was there before."""
    before: Any
    corrected = dict(product.corrected)
    if field == Field.CATEGORY:
        before, corrected["category"] = product.category.slug, after
        product.category = Category.objects.get(slug=after)
    elif field == Field.COLOR:
        before, corrected["colors"] = product.colors, [after]
        product.colors = [after]
    elif field == Field.GENDER:
        before, product.gender = product.gender, _FEED_GENDERS.get(after, after)
        corrected["gender"] = product.gender
    else:
        before, corrected[field] = product.corrected.get(field), after
    product.corrected = corrected
    return before


def _invalid(field: str, message: str) -> InputError:
    return InputError("correction_invalid", message, fields={str(field): message})
