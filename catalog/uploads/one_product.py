"""One product of a merchant, put or withdrawn by a program: the same rules as a row of a feed, answered at once."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

from catalog.feeds import ColumnMap, RowError
from catalog.feeds.cleaning import clean
from catalog.feeds.columns import COLUMNS
from catalog.indexing.index import index_these
from catalog.models import Merchant, Product, ProductImage
from catalog.uploads.imports import import_rows
from detection.images import MAX_BYTES
from shop_search.errors import InputError, ServiceError

log = logging.getLogger(__name__)

_COLUMNS = ColumnMap(COLUMNS, {column: (place,) for place, column in enumerate(COLUMNS)}, ())


@dataclass(frozen=True, slots=True)
class Put:
    """What a put did."""

    product: Product
    change: str  # added, changed or unchanged
    warnings: tuple[RowError, ...]


@dataclass(frozen=True, slots=True)
class SentPictures:
    """Pictures that came with the request, by the names they are given."""

    files: Mapping[str, bytes] = field(default_factory=dict)

    def read(self, link: str) -> bytes:
        """Returns the bytes. Raises InputError `image_not_found` or `image_too_large`."""
        data = self.files.get(link)
        if data is None:
            message = f"There is no picture {link[:100]!r}. Give its address, or send the file as `image`."
            raise InputError("image_not_found", message)
        if len(data) > MAX_BYTES:
            raise InputError("image_too_large", f"A picture may have {MAX_BYTES / 2**20:g} MiB; this one has more.")
        return data


def put_product(merchant: Merchant, sku: str, cells: Mapping[str, str], pictures: SentPictures) -> Put:
    """Makes the product what `cells` (by our columns) say and returns it. Without pictures it keeps those it has.

    Raises InputError `product_invalid` with what is wrong by field, `quota_products` or `quota_pictures`; ServiceError
    as `import_rows` does.
    """
    sent = cells.get("id", sku).strip()
    if sent != sku.strip():
        raise _invalid({"id": f"The address says {sku[:100]!r} and the body {sent[:100]!r}."})
    values = {**_pictures_of(merchant, sku), **cells, "id": sku}
    if pictures.files:
        main, *others = pictures.files
        values |= {"image_link": main, "additional_image_link": ",".join(others)}
    row = clean(1, values, _COLUMNS)
    if isinstance(row, list):
        raise _invalid({error.column: error.message for error in row if error.is_fatal})
    report = import_rows([row], merchant=merchant, pictures=pictures)
    over = next((error for error in report.errors if error.code.startswith("quota_")), None)
    if over is not None:
        raise InputError(over.code, over.message)
    if report.failed:
        raise _invalid({error.column: error.message for error in report.errors if error.is_fatal})
    product = Product.objects.for_merchant(merchant).for_cards().get(sku=row.sku)
    change = "added" if report.added else "changed" if report.changed else "unchanged"
    return Put(product, change, report.errors)


def index_at_once(product: Product) -> None:
    """Lets shoppers find a product that was put just now, however many pictures wait. What can't be done now the worker
    does later."""
    try:
        index_these(ProductImage.objects.filter(product=product))
    except ServiceError as error:
        log.warning("%s: %s The worker will index product %s.", error.code, error.message, product.pk)


def withdraw_product(merchant: Merchant, sku: str) -> None:
    """Takes the product from the shop; one that is withdrawn stays so. Raises InputError `product_unknown`."""
    if not Product.objects.for_merchant(merchant).filter(sku=sku).exists():
        raise InputError("product_unknown", f"You have no product {sku[:100]!r}.")
    Product.objects.for_merchant(merchant).filter(sku=sku).withdraw()


def _pictures_of(merchant: Merchant, sku: str) -> dict[str, str]:
    product = Product.objects.for_merchant(merchant).filter(sku=sku).prefetch_related("images").first()
    links = {image.position: image.source for image in product.images.all()} if product else {}
    if product is not None:
        links |= {one.position: one.picture.url for one in product.awaited.select_related("picture")}
    main, *others = [links[position] for position in sorted(links)] or [""]
    return {"image_link": main, "additional_image_link": ",".join(link.replace(",", "%2C") for link in others)}


def _invalid(fields: dict[str, str]) -> InputError:
    return InputError("product_invalid", "The product can't be taken: see `fields`.", fields=fields)
