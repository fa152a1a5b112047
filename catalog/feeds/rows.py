"""What a feed yields."""

from dataclasses import dataclass
from decimal import Decimal

_MAX_VALUE = 200  # characters of a bad value worth repeating


@dataclass(frozen=True, slots=True)
class RowError:
    """One thing wrong with one row. `code` is stable and for programs; `message` is for the merchant."""

    row: int  # as a spreadsheet counts: the header is row 1
    column: str  # the feed's own name for it; empty when the row as a whole is to blame
    code: str
    message: str
    value: str = ""
    is_fatal: bool = True  # False: the row was kept without this value

    @classmethod
    def of(
        cls, row: int, column: str, code: str, message: str, value: str = "", *, is_fatal: bool = True
    ) -> "RowError":
        """Returns the error with a value short enough to print, free of characters that break a terminal or a file."""
        shown = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in value[:_MAX_VALUE])
        return cls(row, column, code, message, shown + ("…" if len(value) > _MAX_VALUE else ""), is_fatal)


@dataclass(frozen=True, slots=True)
class FeedRow:
    """One clean product of a feed. Its images are names that nobody has looked for yet."""

    row: int
    sku: str
    title: str
    image_link: str
    additional_image_links: tuple[str, ...] = ()
    description: str = ""
    link: str = ""
    price: Decimal | None = None  # what a shopper pays: the sale price where there is one
    currency: str = ""  # ISO 4217
    in_stock: bool = True
    brand: str = ""
    colors: tuple[str, ...] = ()
    gender: str = ""
    product_type: str = ""
    google_product_category: str = ""
    gtin: str = ""
    item_group: str = ""
    warnings: tuple[RowError, ...] = ()
