"""What a feed's row changes of its product, and writing the changes of many products at once.

Price, stock and titles change a point's payload, never its embedding. A picture whose content changed is embedded
again, and so are all pictures of a product that changed its category: the category chooses what is cropped.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection
from django.utils import timezone

from catalog.feeds import FeedRow
from catalog.models import AwaitedImage, DroppedPoint, Merchant, Product, ProductImage, RemotePicture, Upload
from catalog.pictures.files import Awaited, Picture
from catalog.words.category_words import CategoryBook, Meaning

# What a search can filter by, and so what the point must be told of (catalog.indexing.points.payload_of).
_IN_PAYLOAD = frozenset({"title", "price", "currency", "brand", "colors", "gender", "in_stock"})
_COLUMNS = (
    "title", "description", "product_type", "brand", "colors", "gender", "price", "currency", "in_stock", "url", "gtin",
    "item_group",
)  # fmt: skip
_IMAGE_COLUMNS = (
    "source", "file", "sha256", "width", "height", "state", "error_code", "error", "box", "detected_category",
    "detected_confidence", "payload_due",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wanted:
    """A row and its pictures, the main one first, each with the link that named it."""

    row: FeedRow
    pictures: tuple[tuple[str, Picture | Awaited], ...]


class ExistingImage(NamedTuple):
    """What a feed's row is compared with of a picture."""

    pk: int
    position: int
    sha256: str
    state: str
    source: str


@dataclass(frozen=True, slots=True)
class Existing:
    """A product as it is, with its pictures and those it waits for (id, position, address)."""

    product: Product
    images: Sequence[ExistingImage] = ()
    awaited: Sequence[tuple[int, int, str]] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """What has to be written so that the product is as its row says."""

    wanted: Wanted
    meaning: Meaning  # of the category's words
    product: Product | None  # as it is; None when it is new
    columns: frozenset[str]  # of the product that differ
    is_recategorized: bool
    is_restored: bool  # it had been withdrawn
    images: tuple[int, ...]  # positions whose content is new, differs or failed
    renamed: tuple[int, ...]  # positions whose link differs and whose content does not
    surplus: tuple[int, ...]  # images (ids) that the row doesn't name any more
    awaited: tuple[tuple[int, str], ...] = ()  # positions and addresses of pictures that are now waited for
    dropped: tuple[int, ...] = ()  # AwaitedImages (ids) that the row doesn't name any more
    pictures_before: int = 0  # places that had a picture or waited for one

    @property
    def is_new(self) -> bool:
        return self.product is None

    @property
    def is_edit(self) -> bool:
        """Returns whether the product stays where it is and only some of its columns, or pictures, differ."""
        return not (self.is_new or self.is_recategorized or self.is_restored)

    @property
    def is_change(self) -> bool:
        return bool(
            self.is_new
            or self.columns
            or self.is_recategorized
            or self.is_restored
            or self.images
            or self.renamed
            or self.surplus
            or self.awaited
            or self.dropped
        )


def changes_of(wanted: Wanted, existing: Existing | None, categories: CategoryBook) -> Change:
    """Returns the difference between the row and its product. Reads nothing but what is given."""
    row = wanted.row
    meaning = categories.meaning_of(row.product_type, row.google_product_category)
    pictures = [(position, one) for position, (_, one) in enumerate(wanted.pictures) if isinstance(one, Picture)]
    awaited = {position: one.url for position, (_, one) in enumerate(wanted.pictures) if isinstance(one, Awaited)}
    if existing is None:
        places = tuple(position for position, _ in pictures)
        return Change(wanted, meaning, None, frozenset(), False, False, places, (), (), tuple(awaited.items()))
    product = existing.product
    values = _values(row, product)
    if "category" in product.corrected:  # an admin's word; a category that was merged since is found by its old slug
        meaning = Meaning(product.corrected["category"], product.corrected["category"].capitalize())
    category = categories.find(meaning)
    images = {image.position: image for image in existing.images}
    waiting = {position: (pk, url) for pk, position, url in existing.awaited}
    # A picture that was good and could not be indexed gets another chance.
    failed = {position for position, image in images.items() if image.state == ProductImage.State.FAILED}
    same = [
        position
        for position, picture in pictures
        if position in images and images[position].sha256 == picture.sha256 and position not in failed
    ]
    return Change(
        wanted,
        meaning,
        product,
        columns=frozenset(column for column in _COLUMNS if getattr(product, column) != values[column]),
        is_recategorized=category is None or category.pk != product.category_id,
        is_restored=product.withdrawn_at is not None,
        images=tuple(position for position, _ in pictures if position not in same),
        renamed=tuple(position for position in same if images[position].source != wanted.pictures[position][0]),
        surplus=tuple(image.pk for position, image in images.items() if position >= len(wanted.pictures)),
        awaited=tuple(
            (position, url)
            for position, url in awaited.items()
            if position not in waiting or waiting[position][1] != url
        ),
        dropped=tuple(pk for position, (pk, url) in waiting.items() if awaited.get(position) != url),
        pictures_before=len(images.keys() | waiting.keys()),
    )


def existing_products(merchant: Merchant, skus: Iterable[str]) -> dict[str, Existing]:
    """Returns the merchant's products of these SKUs, in three queries: prefetching costs three times as much, for it
    makes a queryset for each product. Of pictures, what is compared: their palettes are JSON that nobody reads here."""
    if merchant._state.adding:
        return {}
    products = list(Product.objects.for_merchant(merchant).filter(sku__in=list(skus)))
    ids = [product.pk for product in products]
    images: dict[int, list[ExistingImage]] = defaultdict(list)
    rows = ProductImage.objects.filter(product__in=ids).order_by("product", "position")
    for product_id, *image in rows.values_list("product", *ExistingImage._fields):
        images[product_id].append(ExistingImage(*image))
    awaited: dict[int, list[tuple[int, int, str]]] = defaultdict(list)
    waiting = AwaitedImage.objects.filter(product__in=ids)
    for product_id, pk, position, url in waiting.values_list("product", "pk", "position", "picture__url"):
        awaited[product_id].append((pk, position, url))
    return {product.sku: Existing(product, images[product.pk], awaited[product.pk]) for product in products}


def write(
    changes: Iterable[Change], merchant: Merchant, categories: CategoryBook, *, upload: Upload | None = None
) -> None:
    """Writes the changes and notes what the vector store must hear of. Call it inside a transaction.

    Pictures yet to be fetched are noted with the `upload` that hears of what goes wrong.

    Each picture that had a point gets a new `payload_due`: a worker that began before marks nothing as indexed that
    has changed since, and leaves it to be done again.
    """
    now = timezone.now()
    changes = [change for change in changes if change.is_change]
    if not changes:
        return
    products = _write_products(changes, merchant, categories, now)
    _write_images(changes, products, now)
    _write_awaited(changes, products, upload)
    repriced = [products[c.wanted.row.sku].pk for c in changes if c.columns & _IN_PAYLOAD or c.is_restored]
    ProductImage.objects.filter(product__in=repriced).update(payload_due=now)
    recategorized = [products[c.wanted.row.sku].pk for c in changes if c.is_recategorized]
    ProductImage.objects.filter(product__in=recategorized).update(state=ProductImage.State.PENDING, payload_due=now)
    surplus = [pk for change in changes for pk in change.surplus]
    DroppedPoint.objects.bulk_create([DroppedPoint(point=pk) for pk in surplus], ignore_conflicts=True)
    ProductImage.objects.filter(pk__in=surplus).delete()


def _write_products(
    changes: Sequence[Change], merchant: Merchant, categories: CategoryBook, now: datetime
) -> dict[str, Product]:
    """Returns the products by SKU; of one that is only edited, only what differs is written."""
    edited = _write_edits([change for change in changes if change.is_edit], now)
    rows = [
        Product(
            merchant=merchant,
            sku=change.wanted.row.sku,
            category=categories.get_or_create(change.meaning),
            withdrawn_at=None,
            updated_at=now,
            **_values(change.wanted.row, change.product),
        )
        for change in changes
        if not change.is_edit
    ]
    Product.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["merchant", "sku"],
        update_fields=["category", "withdrawn_at", "updated_at", *_COLUMNS],
    )
    return {**edited, **{product.sku: product for product in rows}}


def _write_edits(changes: Sequence[Change], now: datetime) -> dict[str, Product]:
    """Returns the products by SKU. One UPDATE for each set of columns, sent with all its rows: to insert products that
    are there, for the conflict to update them, took a third of all the time that new prices took."""
    groups: dict[tuple[str, ...], list[tuple[Product, FeedRow]]] = defaultdict(list)
    found: dict[str, Product] = {}
    for change in changes:
        assert change.product is not None
        found[change.product.sku] = change.product
        if change.columns:
            groups[tuple(sorted(change.columns))].append((change.product, change.wanted.row))
    quote = connection.ops.quote_name
    for names, group in groups.items():
        fields = [field for field in Product._meta.concrete_fields if field.name in (*names, "updated_at")]
        sets = ", ".join(f"{quote(str(field.column))} = %s" for field in fields)
        rows = []
        for product, row in group:
            values = {**_values(row, product), "updated_at": now}
            rows.append([*(field.get_db_prep_save(values[field.name], connection) for field in fields), product.pk])
        with connection.cursor() as cursor:
            cursor.executemany(
                f"UPDATE {quote(Product._meta.db_table)} SET {sets} WHERE {quote('id')} = %s",
                rows,
            )
    return found


def _write_images(changes: Sequence[Change], products: dict[str, Product], now: datetime) -> None:
    """Writes new and changed pictures as pending. A claim stays: whoever works on the old content must finish first."""
    rows = []
    for change in changes:
        product = products[change.wanted.row.sku]
        for position in change.images:
            link, picture = change.wanted.pictures[position]
            assert isinstance(picture, Picture)
            rows.append(_image(product, position, link, picture, None if change.is_new else now))
        for position in change.renamed:
            link, _ = change.wanted.pictures[position]
            ProductImage.objects.filter(product=product, position=position).update(source=link)
    ProductImage.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["product", "position"], update_fields=_IMAGE_COLUMNS
    )


def _write_awaited(changes: Sequence[Change], products: dict[str, Product], upload: Upload | None) -> None:
    AwaitedImage.objects.filter(pk__in=[pk for change in changes for pk in change.dropped]).delete()
    pictures = RemotePicture.objects.wanted(url for change in changes for _, url in change.awaited)
    AwaitedImage.objects.bulk_create(
        AwaitedImage(
            product=products[change.wanted.row.sku],
            position=position,
            picture=pictures[url],
            upload=upload,
            row=change.wanted.row.row,
        )
        for change in changes
        for position, url in change.awaited
    )


def show_fetched(waiting: AwaitedImage, link: str, picture: Picture) -> None:
    """Puts a fetched picture into the place that waited for it, to be indexed. Call it inside a transaction."""
    now = timezone.now()
    there = ProductImage.objects.filter(product=waiting.product_id, position=waiting.position).first()
    if there is not None and there.sha256 == picture.sha256 and there.state != ProductImage.State.FAILED:
        ProductImage.objects.filter(pk=there.pk).update(source=link)
    else:
        image = _image(waiting.product, waiting.position, link, picture, now if there else None)
        ProductImage.objects.bulk_create(
            [image], update_conflicts=True, unique_fields=["product", "position"], update_fields=_IMAGE_COLUMNS
        )
    waiting.delete()


def _image(product: Product, position: int, link: str, picture: Picture, payload_due: datetime | None) -> ProductImage:
    return ProductImage(
        product=product,
        position=position,
        source=link,
        file=picture.name,
        sha256=picture.sha256,
        width=picture.width,
        height=picture.height,
        payload_due=payload_due,
    )


def _values(row: FeedRow, product: Product | None) -> dict[str, Any]:
    """Returns the product's columns as the row says them, but for what an admin put right."""
    corrected = {} if product is None else product.corrected
    return {
        "title": row.title,
        "description": row.description,
        "product_type": row.product_type,
        "brand": row.brand,
        "colors": list(row.colors),
        "gender": row.gender,
        "price": row.price,
        "currency": row.currency,
        "in_stock": row.in_stock,
        "url": row.link,
        "gtin": row.gtin,
        "item_group": row.item_group,
        **{name: corrected[name] for name in ("colors", "gender") if name in corrected},
    }
