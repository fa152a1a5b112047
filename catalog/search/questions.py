"""What a shopper asks: one frozen value, checked once."""

from dataclasses import dataclass, field
from decimal import Decimal

from django.conf import settings

from catalog.words.genders import values_of
from detection.types import Box
from embeddings.color_names import normalize_color_word
from embeddings.types import Where
from shop_search.errors import InputError

ALL_CATEGORIES = "all"
MAX_LIMIT = 100
# Deep paging is for crawlers: past this a shopper has long refined her search.
MAX_OFFSET = 1000
MAX_TEXT = 200


@dataclass(frozen=True, slots=True)
class Filters:
    """What the shopper insists on; several values of one kind mean any of them.

    The store filters, so a page is never thinner than the shop.
    """

    price_min: Decimal | None = None
    price_max: Decimal | None = None
    currency: str | None = None  # ISO 4217, of the prices
    brands: tuple[str, ...] = ()
    colors: tuple[str, ...] = ()  # any words; each also stands for its name in embeddings.color_names
    genders: tuple[str, ...] = ()  # words of catalog.words.genders
    patterns: tuple[str, ...] = ()  # of catalog.words.looks.PATTERNS
    article_types: tuple[str, ...] = ()  # finer than a category: "heels", of embeddings.attributes
    merchants: tuple[str, ...] = ()  # slugs
    in_stock: bool | None = None
    excluded_brands: tuple[str, ...] = ()
    excluded_colors: tuple[str, ...] = ()
    excluded_patterns: tuple[str, ...] = ()
    excluded_article_types: tuple[str, ...] = ()

    def where(self, category: str | None = None, exclude: tuple[int, ...] = ()) -> Where:
        """Returns the store's filter, narrowed to one category slug if given; `exclude` are point ids."""
        match: dict[str, tuple[str | bool, ...]] = {
            "category": (category,) if category else (),
            "brand": _lower(self.brands),
            "colors": color_values(self.colors),
            "gender": values_of(self.genders),
            "pattern": _lower(self.patterns),
            "article_type": _lower(self.article_types),
            "merchant": self.merchants,
            "currency": (self.currency,) if self.currency else (),
            "in_stock": () if self.in_stock is None else (self.in_stock,),
        }
        reject: dict[str, tuple[str, ...]] = {
            "brand": _lower(self.excluded_brands),
            "colors": color_values(self.excluded_colors),
            "pattern": _lower(self.excluded_patterns),
            "article_type": _lower(self.excluded_article_types),
        }
        within: dict[str, tuple[float | None, float | None]] = {}
        if self.price_min is not None or self.price_max is not None:
            within["price"] = (
                None if self.price_min is None else float(self.price_min),
                None if self.price_max is None else float(self.price_max),
            )
        return Where(
            match={name: values for name, values in match.items() if values},
            within=within,
            exclude=exclude,
            reject={name: values for name, values in reject.items() if values},
        )


def _lower(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word.casefold() for word in words)


def color_values(words: tuple[str, ...]) -> tuple[str, ...]:
    """Returns what the index may hold for these color words: the words, and the names that they stand for."""
    names = ((word.casefold(), normalize_color_word(word)) for word in words)
    return tuple(dict.fromkeys(value for pair in names for value in pair if value))


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
    outfit: bool = False  # also a row of look-alikes for each thing in the photo
    like: tuple[int, ...] = ()  # ids of products to move towards
    dislike: tuple[int, ...] = ()  # ids of products to move away from and to leave out
    is_bound: bool = False  # to `filters.merchants`, by a key: nothing of other merchants may be told

    @property
    def has_picture(self) -> bool:
        """Whether something that is looked at was sent, not words alone."""
        return self.image is not None or self.image_url is not None or self.product is not None

    def check(self) -> None:
        """Raises InputError naming each field that can't be used."""
        looks_like = [one for one in (self.image, self.image_url, self.product) if one is not None]
        if not looks_like and not self.text.strip() and not self.like:
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
