"""The cells of one row -> a FeedRow, or what is wrong with it. Pure functions of the row alone."""

import html
import re
from collections.abc import Mapping
from decimal import Decimal
from urllib.parse import urlsplit

from catalog.feeds.columns import REQUIRED, ColumnMap
from catalog.feeds.prices import Money, parse_price
from catalog.feeds.rows import FeedRow, RowError
from shop_search.errors import InputError

MAX_SKU = 100  # this and the following: what the tables hold
MAX_TITLE = 300
MAX_LINK = 1000
MAX_DESCRIPTION = 10_000  # twice what Google takes
MAX_EXTRA_IMAGES = 10  # what Google takes
MAX_COLORS = 10

_NOTHING = frozenset({"null", "none", "n/a", "#n/a", "nan", "-", "--", "undefined"})
# What spreadsheets show where a formula fails; #N/A is how people say that there is nothing.
_SHEET_ERRORS = frozenset({"#REF!", "#NAME?", "#VALUE!", "#DIV/0!", "#NULL!", "#NUM!", "#CALC!", "#SPILL!"})
_IN_STOCK_WORDS = """
in_stock, in stock, instock, available, yes, true, y, t, limited, limited availability, limited_availability,
auf lager, verfügbar, lieferbar, en stock, disponible, ja, oui, si, sí, disponibile
"""
_OUT_OF_STOCK_WORDS = """
out_of_stock, out of stock, outofstock, sold_out, sold out, soldout, unavailable, not available, no, false, n, f,
discontinued, preorder, pre-order, pre order, backorder, back-order, back order, nein, non, nicht verfügbar, agotado,
ausverkauft, épuisé, esaurito
"""
_IN_STOCK = frozenset(_IN_STOCK_WORDS.replace("\n", " ").strip().split(", "))
_OUT_OF_STOCK = frozenset(_OUT_OF_STOCK_WORDS.replace("\n", " ").strip().split(", "))
_GENDERS = {
    "male": "men man male m mens men's herren homme hombre uomo",
    "female": "women woman female f w womens women's ladies lady damen femme mujer donna",
    "unisex": "unisex all both neutral u",
    "boys": "boys boy",
    "girls": "girls girl",
}
_GENDER_OF = {word: gender for gender, words in _GENDERS.items() for word in words.split()}
_SCIENTIFIC = re.compile(r"\d(?:[.,]\d+)?E\+?\d+", re.IGNORECASE)


def clean(row: int, cells: Mapping[str, str], columns: ColumnMap) -> FeedRow | list[RowError]:
    """Returns the row's product, or all that is wrong with it."""
    return _Cleaner(row, cells, columns).clean()


class _Cleaner:
    def __init__(self, row: int, cells: Mapping[str, str], columns: ColumnMap) -> None:
        self._row = row
        self._cells = {column: _tidy(cell) for column, cell in cells.items()}
        self._columns = columns
        self._errors: list[RowError] = []
        self._warnings: list[RowError] = []

    def clean(self) -> FeedRow | list[RowError]:
        self._tell_sheet_errors()
        price = self._price()
        cleaned = FeedRow(
            row=self._row,
            sku=self._required("id", MAX_SKU),
            title=html.unescape(self._required("title", MAX_TITLE)),
            image_link=self._required("image_link", MAX_LINK),
            additional_image_links=self._extra_images(),
            description=self._cut("description", MAX_DESCRIPTION),
            link=self._link(),
            price=price.amount if price else None,
            currency=price.currency if price else "",
            in_stock=self._in_stock(),
            brand=html.unescape(self._cut("brand", 120)),
            colors=self._colors(),
            gender=self._gender(),
            product_type=html.unescape(self._cut("product_type", 300)),
            google_product_category=html.unescape(self._optional("google_product_category")),
            gtin=self._gtin(),
            item_group=self._cut("item_group_id", 100),
            warnings=tuple(self._warnings),
        )
        return [*self._errors, *self._warnings] if self._errors else cleaned

    def _tell_sheet_errors(self) -> None:
        """What a spreadsheet could not calculate is no value. Prices and stock are told of as such elsewhere."""
        for column, value in self._cells.items():
            if value not in _SHEET_ERRORS or column in {"price", "sale_price", "availability"}:
                continue
            message = (
                f"{self._columns.name(column)} holds {value}: its formula has no value. Open the file in a "
                "spreadsheet, mend the formula or write the value itself, and save it."
            )
            self._tell(column, "cell_is_error", message, value, is_fatal=column in REQUIRED)
            if column not in REQUIRED:
                self._cells[column] = ""

    def _required(self, column: str, limit: int) -> str:
        value = self._cells.get(column, "")
        if not value:
            self._fail(column, "value_missing", f"The row has no {self._columns.name(column)}.", value)
        elif len(value) > limit:
            message = f"{self._columns.name(column)} has {len(value)} characters; the limit is {limit}."
            self._fail(column, "value_too_long", message, value)
        return value

    def _optional(self, column: str) -> str:
        value = self._cells.get(column, "")
        return "" if value.casefold() in _NOTHING else value

    def _cut(self, column: str, limit: int) -> str:
        value = self._optional(column)
        if len(value) > limit:
            message = f"{self._columns.name(column)} was cut to {limit} of its {len(value)} characters."
            self._warn(column, "value_too_long", message, value)
        return value[:limit]

    def _price(self) -> Money | None:
        """What a shopper pays now: the sale price if it is lower. Only a wrong price fails the row."""
        price = self._money("price", is_fatal=True)
        sale = self._money("sale_price", is_fatal=False)
        if price is None or (sale is not None and sale.amount < price.amount and sale.currency == price.currency):
            return sale or price
        return price

    def _money(self, column: str, *, is_fatal: bool) -> Money | None:
        value = self._optional(column)
        if not value:
            return None
        try:
            return parse_price(value, currency=self._optional("currency"))
        except InputError as error:
            self._tell(column, error.code, error.message, value, is_fatal=is_fatal)
            return None

    def _in_stock(self) -> bool:
        value = self._optional("availability").casefold()
        if not value or value in _IN_STOCK:
            return True
        if value in _OUT_OF_STOCK:
            return False
        if re.fullmatch(r"-?\d+(?:[.,]\d+)?", value):
            return Decimal(value.replace(",", ".")) > 0
        message = f"{value!r} is no availability. Write in_stock or out_of_stock, or how many there are."
        self._fail("availability", "availability_unknown", message, value)
        return False

    def _extra_images(self) -> tuple[str, ...]:
        links = list(dict.fromkeys(filter(None, map(_tidy, self._optional("additional_image_link").split(",")))))
        kept = [link for link in links if len(link) <= MAX_LINK][:MAX_EXTRA_IMAGES]
        if len(kept) < len(links):
            message = f"{len(links) - len(kept)} more pictures were left out; a product may have {MAX_EXTRA_IMAGES}."
            self._warn("additional_image_link", "too_many_images", message, ",".join(links))
        return tuple(kept)

    def _link(self) -> str:
        value = self._optional("link")
        if not value:
            return ""
        try:
            parts = urlsplit(value)
            good = parts.scheme in {"http", "https"} and bool(parts.hostname) and not re.search(r"[\s<>\"]", value)
        except ValueError:
            good = False
        if good and len(value) <= MAX_LINK:
            return value
        message = (
            f"The link was left out: it must begin with https:// or http:// and have at most {MAX_LINK} characters."
        )
        self._warn("link", "link_invalid", message, value)
        return ""

    def _colors(self) -> tuple[str, ...]:
        words = [html.unescape(word) for word in re.split(r"[/,;|]", self._optional("color"))]
        kept = dict.fromkeys(word.strip() for word in words if word.strip() and word.strip().casefold() not in _NOTHING)
        return tuple(word[:40] for word in kept)[:MAX_COLORS]

    def _gender(self) -> str:
        value = self._optional("gender").casefold()
        return _GENDER_OF.get(value, value)[:20]

    def _gtin(self) -> str:
        value = self._optional("gtin")
        digits = re.sub(r"[\s-]", "", value)
        if not digits or re.fullmatch(r"\d{6,20}[xX]?", digits):
            return digits
        hint = " A spreadsheet has rounded it: format the column as text." if _SCIENTIFIC.fullmatch(digits) else ""
        self._warn("gtin", "gtin_invalid", f"{value!r} was left out: a GTIN is 8 to 14 digits.{hint}", value)
        return ""

    def _fail(self, column: str, code: str, message: str, value: str) -> None:
        self._tell(column, code, message, value, is_fatal=True)

    def _warn(self, column: str, code: str, message: str, value: str) -> None:
        self._tell(column, code, message, value, is_fatal=False)

    def _tell(self, column: str, code: str, message: str, value: str, *, is_fatal: bool) -> None:
        error = RowError.of(self._row, self._columns.name(column), code, message, value, is_fatal=is_fatal)
        (self._errors if is_fatal else self._warnings).append(error)


def _tidy(cell: str) -> str:
    """Returns the cell without what spreadsheets and editors leave around it: spaces, marks, Excel's ="text"."""
    text = " ".join(re.sub("[\ufeff\u200b\u00ad]", "", cell).split())
    if re.match("' ?[=+@\uff1d\uff0b\uff0d\uff20-]", text):
        text = text[1:].lstrip()  # our own list of errors writes '=1+1, so that a spreadsheet doesn't calculate it
    formula = re.fullmatch(r'="(.*)"', text)
    return formula[1].strip() if formula else text
