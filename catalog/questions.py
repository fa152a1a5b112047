"""What a shopper asks: one frozen value, checked once."""

from dataclasses import dataclass, field
from decimal import Decimal

from django.conf import settings

from detection.types import Box
from embeddings.types import Where
from shop_search.errors import InputError

ALL_CATEGORIES = "all"
MAX_LIMIT = 100
# Deep paging is for crawlers: past this a shopper has long refined her search.
MAX_OFFSET = 1000
MAX_TEXT = 200


@dataclass(frozen=True, slots=True)
class Filters:
    """What the shopper insists on. The store filters, so a page is never thinner than the shop."""

    price_min: Decimal | None = None
    price_max: Decimal | None = None
    brand: str | None = None
    color: str | None = None
    merchant: str | None = None
    in_stock: bool | None = None

    def where(self, category: str | None = None, exclude: tuple[int, ...] = ()) -> Where:
        """Returns the store's filter, narrowed to one category slug if given; `exclude` are point ids."""
        match: dict[str, tuple[str | bool, ...]] = {}
        if category:
            match["category"] = (category,)
        if self.brand:
            match["brand"] = (self.brand.casefold(),)
        if self.color:
            match["colors"] = (self.color.casefold(),)
        if self.merchant:
            match["merchant"] = (self.merchant,)
        if self.in_stock is not None:
            match["in_stock"] = (self.in_stock,)
        within: dict[str, tuple[float | None, float | None]] = {}
        if self.price_min is not None or self.price_max is not None:
            within["price"] = (
                None if self.price_min is None else float(self.price_min),
                None if self.price_max is None else float(self.price_max),
            )
        return Where(match=match, within=within, exclude=exclude)


@dataclass(frozen=True, slots=True)
class Question:
    """One search: a photo (its bytes or its address), a product or a text; a text may also join one of the others."""

    image: bytes | None = None
    image_url: str | None = None
    product: int | None = None
    text: str = ""
    box: Box | None = None  # pixels of the upright original
    category: str | None = None  # shop category slug, "all", or None to let the picture tell
    filters: Filters = field(default_factory=Filters)
    limit: int = 24
    offset: int = 0

    def check(self) -> None:
        """Raises InputError naming each field that can't be used."""
        looks_like = [one for one in (self.image, self.image_url, self.product) if one is not None]
        if not looks_like and not self.text.strip():
            raise InputError("question_missing", "Send a photo, a product or some words to search with.")
        if len(looks_like) > 1:
            raise InputError("question_ambiguous", "Send a photo, the address of one, or a product: one of the three.")
        fields: dict[str, str] = {}
        if not 1 <= self.limit <= MAX_LIMIT:
            fields["limit"] = f"{self.limit} is not between 1 and {MAX_LIMIT}."
        if not 0 <= self.offset <= MAX_OFFSET:
            fields["offset"] = f"{self.offset} is not between 0 and {MAX_OFFSET}."
        if len(self.text) > MAX_TEXT:
            fields["q"] = f"{len(self.text)} characters are too many; {MAX_TEXT} are allowed."
        if self.box is not None and self.image is None and self.image_url is None:
            fields["box"] = "A box needs a photo."
        if fields:
            raise InputError("question_invalid", "Some fields can't be used: see `fields`.", fields=fields)
        if self.image is not None and len(self.image) > settings.SEARCH_MAX_IMAGE_BYTES:
            limit = settings.SEARCH_MAX_IMAGE_BYTES // 2**20
            raise InputError("image_too_large", f"The photo is larger than {limit} MiB. Send a smaller one.")
