"""What an address or a plain form asks, and the chips by which a page without scripts takes parts of it back.

The scripts write the same addresses (question.js), so a link, a reload and the form mean the same.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from django.http import QueryDict
from django.urls import reverse

from catalog.pages.cards import price_text
from catalog.pages.wording import SENTENCES, VALUES, Sentence
from catalog.search.answers import Json
from catalog.search.questions import Filters, Question
from shop_search.errors import InputError

# What an address may carry beside the answer's id; all else is left out.
ONE = ("q", "product", "category", "price_min", "price_max", "in_stock", "view")
FILTERS = ("brand", "color", "gender", "article_type", "pattern", "merchant")
MANY = (*FILTERS, "like", "dislike")
_MOST, _LONGEST = 20, 120  # values of one filter, characters of one value
_LONGEST_PARAMETER = 300
_ADDRESS = re.compile(r"https?://\S+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Wish:
    """A chip: what is insisted on, and the address of the same search without it ("" where it can't be asked anew)."""

    label: Sentence
    without: str


def is_asking(params: QueryDict) -> bool:
    """Says whether an address of the start page asks something that needs no photo."""
    return bool(params.get("q", "").strip() or params.get("product"))


def image_url_in(words: str) -> str | None:
    """Returns the address of a picture where the words are nothing else."""
    return words.strip() if _ADDRESS.fullmatch(words.strip()) else None


def question_of(params: QueryDict, *, image: bytes | None = None, image_url: str | None = None) -> Question:
    """Returns the question of an address or a form. Raises InputError where a number is none."""
    return Question(
        image=image,
        image_url=image_url,
        product=_whole(params.get("product")) if image is None and image_url is None else None,
        text="" if image_url else params.get("q", "").strip(),
        category=params.get("category") or None,
        filters=Filters(
            price_min=_price(params.get("price_min")),
            price_max=_price(params.get("price_max")),
            brands=_words(params, "brand"),
            colors=_words(params, "color"),
            genders=_words(params, "gender"),
            patterns=_words(params, "pattern"),
            article_types=_words(params, "article_type"),
            merchants=_words(params, "merchant"),
            in_stock=True if params.get("in_stock") == "true" else None,
        ),
        like=_ids(params, "like"),
        dislike=_ids(params, "dislike"),
    )


def address_of(params: QueryDict) -> str:
    """Returns "?q=red&..." with what is known of the parameters, or ""."""
    kept = QueryDict(mutable=True)
    for name in (*ONE, *MANY):
        for value in filter(None, params.getlist(name)):
            kept.appendlist(name, value[:_LONGEST_PARAMETER])
    return f"?{kept.urlencode()}" if kept else ""


def wishes_of(answer: Json, params: QueryDict) -> list[Wish]:
    """Returns the chips of an answer. Words and products can be asked for again without a photo, so theirs come off."""
    can_ask = is_asking(params) and answer["image"] is None
    found = [_wish(wish, params, can_ask) for wish in answer.get("wishes", [])]
    labels = _labels(answer.get("facets") or {})
    for name in FILTERS:
        for value in params.getlist(name):
            rest = {name: [one for one in params.getlist(name) if one != value]}
            found.append(Wish(labels.get((name, value), value), _without(params, rest) if can_ask else ""))
    if prices := _price_label(params, (answer.get("facets") or {}).get("price")):
        found.append(Wish(prices, _without(params, {"price_min": [], "price_max": []}) if can_ask else ""))
    if params.get("in_stock") == "true":
        found.append(Wish(SENTENCES["inStock"], _without(params, {"in_stock": []}) if can_ask else ""))
    return found


def _wish(wish: Mapping[str, object], params: QueryDict, can_ask: bool) -> Wish:
    words, start, end = params.get("q", ""), int(str(wish["start"])), int(str(wish["end"]))
    rest = " ".join(f"{words[:start]} {words[end:]}".split())
    return Wish(str(wish.get("label") or wish["value"]), _without(params, {"q": [rest]}) if can_ask else "")


def _without(params: QueryDict, changed: Mapping[str, Iterable[str]]) -> str:
    rest = params.copy()
    for name, values in changed.items():
        rest.setlist(name, [value for value in values if value])
    return reverse("pages:home") + address_of(rest)


def _labels(facets: Json) -> dict[tuple[str, str], Sentence]:
    labels = {(name, value): label for name, values in VALUES.items() for value, label in values.items()}
    for name, values in facets.items():
        if isinstance(values, list):
            for one in values:
                labels.setdefault((name, str(one["value"])), str(one.get("label") or one["value"]))
    return labels


def _price_label(params: QueryDict, range: Json | None) -> str:
    currency = (range or {}).get("currency") or ""
    low, high = (price_text(params.get(name) or "", currency) for name in ("price_min", "price_max"))
    if not low and not high:
        return ""
    sentence = SENTENCES["priceBetween" if low and high else "priceFrom" if low else "priceTo"]
    return str(sentence).format(low=low, high=high)


def _words(params: QueryDict, name: str) -> tuple[str, ...]:
    return tuple(value[:_LONGEST] for value in params.getlist(name)[:_MOST] if value.strip())


def _ids(params: QueryDict, name: str) -> tuple[int, ...]:
    return tuple(int(value) for value in params.getlist(name)[:_MOST] if re.fullmatch(r"[0-9]{1,15}", value))


def _whole(text: str | None) -> int | None:
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,15}", text):
        raise InputError("product_unknown", f"There is no product {text[:40]!r}.")
    return int(text)


def _price(text: str | None) -> Decimal | None:
    if not text:
        return None
    try:
        price = Decimal(text)
    except InvalidOperation as error:
        raise InputError("question_invalid", f"{text[:40]!r} is no price.") from error
    if not price.is_finite() or not 0 <= price < 10**10:
        raise InputError("question_invalid", f"{text[:40]!r} is no price.")
    return price
