"""What one product card prints, for templates: the scripts fill the same card from the API's JSON."""

from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings

from catalog.bands import Band
from catalog.pages.media import THUMB_PX
from catalog.pages.wording import GROUPS, Sentence
from catalog.search.answers import Json

# Enough for a page read without scripts; they print prices the way the shopper's own language does.
_SIGNS = {"EUR": "€", "GBP": "£", "USD": "$"}


@dataclass(frozen=True, slots=True)
class Card:
    product_id: int
    title: str
    brand: str
    image: str | None
    price: str  # "19.90", or "" where the shop names none
    currency: str
    price_text: str
    merchant: str
    shop_url: str
    in_stock: bool
    is_same: bool  # the very product, as far as its pictures tell
    band: str
    sellers: int  # how many offers one card stands for; the price is the lowest of them

    @property
    def is_offered_by_several(self) -> bool:
        return self.sellers > 1


def cards_of(answer: Json) -> list[Card]:
    """Returns the cards of an answer in the API's shape."""
    return [_card(result) for result in answer["results"]]


@dataclass(frozen=True, slots=True)
class Group:
    """The cards of one band, under a heading where there are several bands."""

    name: str
    title: Sentence
    cards: list[Card]


def groups_of(cards: list[Card]) -> list[Group]:
    """Returns the cards by band, in their order. Their badges tell the same photo from the same product."""
    bands = [Band.SAME_PRODUCT if card.is_same else Band(card.band) for card in cards]
    return [
        Group(name, GROUPS[name], [card for card, band in zip(cards, bands, strict=True) if band == name])
        for name in dict.fromkeys(bands)
    ]


def price_text(price: Decimal | str | None, currency: str) -> str:
    """Returns "€19.90", "19.90 SEK", "19.90", or "" without a price."""
    if price is None or price == "":
        return ""
    sign = _SIGNS.get(currency)
    return f"{sign}{price}" if sign else f"{price} {currency}".strip()


def thumb(url: str) -> str:
    """Returns the address of a small copy, where this project serves the picture itself."""
    path = url.split("://", 1)[-1]
    is_ours = settings.MEDIA_URL.startswith("/") and path[path.find("/") :].startswith(settings.MEDIA_URL)
    return f"{url}?w={THUMB_PX}" if is_ours else url


def shop_link(url: str) -> str:
    """Returns the address when a link may lead there, else "": feeds are written by others."""
    return url if url.startswith(("https://", "http://")) else ""


def _card(result: Json) -> Card:
    product = result["product"]
    price, currency = product["price"], product["currency"] or ""
    offers = result.get("offers") or {"count": 1}
    if offers["count"] > 1:
        price, currency = offers["from"], offers["currency"] or ""
    return Card(
        product_id=product["id"],
        title=product["title"],
        brand=product["brand"] or "",
        image=thumb(product["image"]) if product["image"] else None,
        price=price or "",
        currency=currency,
        price_text=price_text(price, currency),
        merchant=product["merchant"]["name"],
        shop_url=shop_link(product["url"] or ""),
        in_stock=product["in_stock"],
        is_same=result["band"] in (Band.SAME_PHOTO, Band.SAME_PRODUCT),
        band=result["band"],
        sellers=offers["count"],
    )
