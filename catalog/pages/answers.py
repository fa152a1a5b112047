"""What the templates print of an answer; the scripts read the same from its JSON."""

from dataclasses import dataclass

from django.http import QueryDict

from catalog.listing import shown_product
from catalog.pages.asked import is_asking, wishes_of
from catalog.pages.cards import cards_of, groups_of, price_text, shop_link
from catalog.pages.facets import facets_of
from catalog.pages.wording import DEFAULT_REASON, REASONS
from catalog.search.answers import Json, product_as_json
from shop_search.errors import InputError


@dataclass(frozen=True, slots=True)
class Rect:
    """Where a product was in the photo, as SVG draws it."""

    x: float
    y: float
    width: float
    height: float


def answer_context(answer: Json, categories: dict[str, str], params: QueryDict) -> Json:
    """Returns the template context of an answer; `params` are those of the address."""
    category = answer["selected"]["category"]
    name = category and categories.get(category["slug"], category["slug"].replace("-", " ").capitalize())
    cards = cards_of(answer)
    answer["copies"] = [_copy(copy) for copy in answer.get("copies", [])]
    return {
        "answer": answer,
        "asked_product": _asked_product(params),
        "bands": groups_of(cards),
        "wishes": wishes_of(answer, params),
        "facets": facets_of(answer, params),
        "can_filter": is_asking(params) and answer["image"] is None,
        "plan": [Rect(x1, y1, x2 - x1, y2 - y1) for x1, y1, x2, y2 in (region["box"] for region in answer["regions"])],
        "cards": cards,
        "category_name": name,
        "reason": REASONS.get(answer["reason"], DEFAULT_REASON) if answer["band"] == "nothing_close" else None,
    }


def _copy(copy: Json) -> Json:
    """Returns a copy with what a page without scripts prints."""
    product = copy["product"]
    link = shop_link(product["url"] or "") or copy["image"]["url"]
    return {**copy, "link": link, "price": price_text(product["price"], product["currency"] or "")}


def _asked_product(params: QueryDict) -> Json | None:
    """Returns the product in the address as results show it, or None."""
    text = params.get("product", "")
    try:
        return product_as_json(shown_product(int(text))) if text.isdecimal() and len(text) < 16 else None
    except InputError:
        return None
