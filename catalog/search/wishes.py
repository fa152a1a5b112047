"""What the words of a question ask for in this shop: filters, chips to take them back, and what is left to embed.

`catalog.words.query` reads the text; here its wishes meet the request's own filters, which win, and the shop: a gender
or currency that no product names, or a pattern that hardly anything here is known to have, is no filter but a word like
any other.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache

from django.utils.translation import gettext as _

from catalog.indexing.points import searched_collection
from catalog.search.questions import ALL_CATEGORIES, Filters, Question
from catalog.words.assortment import Assortment, assortment
from catalog.words.category_vocabulary import SLUG_OF
from catalog.words.genders import GENDERS
from catalog.words.looks import PATTERNS, kind_key
from catalog.words.query import Kind, Wish, Wishes, parse_words
from embeddings import vector_store
from embeddings.attributes import article_types

# Pictures known to be so, from which a pattern or an article type narrows: with fewer, a page is two rows of three.
LEAST_KNOWN = 6
# What indexing reads off pictures; categories are found with article types.
_SEEN: tuple[Kind, ...] = ("category", "article_type", "pattern")
# Nothing in an embedding says these; in the text they would only pull it towards the words themselves.
_NEVER_EMBEDDED = ("price", "in_stock", "excluded")


@dataclass(frozen=True, slots=True)
class Chip:
    """One wish read from the text `q[start:end]`; cutting it out takes the wish back."""

    kind: str
    value: str
    label: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Heeded:
    """A question's words, understood."""

    filters: Filters  # the request's own, joined by those of the words
    category: str | None = None  # slug; only where the request named none
    excluded: tuple[str, ...] = ()  # words that a result's title must not have
    rest: str = ""  # for the text embedding; empty when a photo says it all
    chips: tuple[Chip, ...] = ()


def heed(question: Question) -> Heeded:
    """Returns what the question's words ask for. The request's own filters win over the words."""
    if not question.text.strip():
        return Heeded(question.filters)
    shop = assortment()
    asked = question.filters
    wishes = parse_words(
        question.text,
        brands=shop.brands if not asked.brands else frozenset(),
        categories=shop.category_of if question.category != ALL_CATEGORIES else _nothing,
        article_types=_article_type if not asked.article_types else _nothing,
    )
    plain = [wish for wish in wishes.chips if wish.kind not in _SEEN and _is_used(wish, question, shop, wishes)]
    filters = _filters(asked, wishes, {wish.kind for wish in plain}, shop)
    category = None if question.category is not None else wishes.category
    filters, seen = _narrowed(filters, wishes, category, asked)
    used = sorted([*plain, *(wish for wish in seen if question.category is None or wish.kind == "pattern")], key=_start)
    return Heeded(
        filters=filters,
        category=category,
        excluded=wishes.excluded,
        rest=_embedded(question, wishes, used),
        chips=tuple(Chip(wish.kind, wish.value, _label(wish, wishes, shop), wish.start, wish.end) for wish in used),
    )


def _filters(asked: Filters, wishes: Wishes, kinds: set[Kind], shop: Assortment) -> Filters:
    """Returns the request's filters, joined by what the words insist on and any feed says."""
    return replace(
        asked,
        price_min=_first(asked.price_min, wishes.price_min) if "price" in kinds else asked.price_min,
        price_max=_first(asked.price_max, wishes.price_max) if "price" in kinds else asked.price_max,
        currency=wishes.currency if "price" in kinds and wishes.currency in shop.currencies else None,
        brands=asked.brands or wishes.brands,
        colors=asked.colors or wishes.colors,
        genders=wishes.genders if "gender" in kinds else asked.genders,
        in_stock=wishes.in_stock if "in_stock" in kinds else asked.in_stock,
        excluded_brands=wishes.excluded_brands,
        excluded_colors=wishes.excluded_colors,
        excluded_patterns=_each(PATTERNS.get, wishes.excluded),
        excluded_article_types=_each(_article_type, wishes.excluded),
    )


def _narrowed(filters: Filters, wishes: Wishes, category: str | None, asked: Filters) -> tuple[Filters, list[Wish]]:
    """Returns the filters with article type and patterns where enough is known to have them, and the wishes in use.

    Indexing names both only where it is sure. So where few are known, others are surely here too: a type then stands
    for its category, and a pattern is a word like any other.
    """
    used: list[Wish] = []
    for wish in (one for one in wishes.chips if one.kind in ("category", "article_type")):
        of_type = replace(filters, article_types=(wish.value,))
        if wish.kind == "article_type" and category is not None and _has_some(of_type, category):
            filters = of_type
            used.append(wish)
        elif wishes.category is not None:
            used.append(replace(wish, kind="category", value=wishes.category))
    patterned = replace(filters, patterns=wishes.patterns)
    if wishes.patterns and not asked.patterns and _has_some(patterned, category):
        filters = patterned
        used += [one for one in wishes.chips if one.kind == "pattern"]
    return filters, used


def _start(wish: Wish) -> int:
    return wish.start


def _is_used(wish: Wish, question: Question, shop: Assortment, wishes: Wishes) -> bool:
    asked = question.filters
    if wish.kind == "price":
        left = asked.price_min is None and wishes.price_min is not None
        return left or (asked.price_max is None and wishes.price_max is not None)
    if wish.kind == "gender":
        return not asked.genders and bool(_sharing(wish.value) & shop.genders)
    if wish.kind == "in_stock":
        return asked.in_stock is None
    if wish.kind == "color":
        return not asked.colors
    return True


def _has_some(filters: Filters, category: str | None) -> bool:
    """Says whether the index has at least `LEAST_KNOWN` pictures of this kind; the store counts in a millisecond."""
    collection = searched_collection()
    return collection is not None and vector_store().count(collection, filters.where(category)) >= LEAST_KNOWN


def _article_type(phrase: str) -> str | None:
    """Returns the article type that a phrase names, if it says more than a category does: "shoes" don't."""
    return _type_names(article_types()).get(kind_key(phrase))


@lru_cache(maxsize=2)
def _type_names(types: tuple[str, ...]) -> dict[str, str]:
    categories = {kind_key(slug) for slug in SLUG_OF.values()}
    return {kind_key(name): name for name in types if kind_key(name) not in categories}


def _each(read: Callable[[str], str | None], words: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for word in words if (value := read(word))))


def _sharing(gender: str) -> set[str]:
    """Returns the words whose products a wish for this gender may show."""
    allowed = set(GENDERS.get(gender, (gender,)))
    return {word for word, values in GENDERS.items() if values[0] in allowed}


def _embedded(question: Question, wishes: Wishes, used: Sequence[Wish]) -> str:
    """Returns the text to embed.

    Beside a photo that is what no filter holds. Alone, what a thing is called says how it looks, filtered or not; only
    prices and the like are left out, and of a text of nothing else, nothing.
    """
    if question.has_picture:
        kept = {(wish.start, wish.end) for wish in used}
        unused = [
            question.text[one.start : one.end]
            for one in wishes.chips
            if _is_look(one) and (one.start, one.end) not in kept
        ]
        return " ".join([*unused, wishes.rest]).strip()
    text = question.text
    for wish in reversed(used):
        if wish.kind in _NEVER_EMBEDDED:
            text = text[: wish.start] + " " + text[wish.end :]
    words = " ".join(text.split()).strip(" ,;.-")
    return words or question.text.strip()


def _is_look(wish: Wish) -> bool:
    """Whether an embedding can say it where no filter does."""
    return wish.kind in ("pattern", "gender")


def _label(wish: Wish, wishes: Wishes, shop: Assortment) -> str:
    if wish.kind == "price":
        return _price_label(wish, wishes.currency)
    if wish.kind == "category":
        return shop.category_names.get(wish.value, wish.value.replace("-", " ").capitalize())
    if wish.kind == "in_stock":
        return _("In stock") if wish.value == "yes" else _("Out of stock")
    if wish.kind == "excluded":
        return _("Not {word}").format(word=wish.value)
    return wish.value if wish.kind == "brand" else wish.value.capitalize()


def _price_label(wish: Wish, currency: str | None) -> str:
    low, high = wish.value.partition("-")[::2]
    amounts = {"low": _plain(low), "high": _plain(high), "currency": currency or ""}
    sentence = _("{low} to {high} {currency}") if low and high else _("Under {high} {currency}") if high else ""
    return (sentence or _("From {low} {currency}")).format(**amounts).strip()


def _plain(number: str) -> str:
    if not number:
        return ""
    value = Decimal(number)
    return f"{value:.0f}" if value == value.to_integral_value() else f"{value:.2f}"


def _first(own: Decimal | None, read: Decimal | None) -> Decimal | None:
    return own if own is not None else read


def _nothing(phrase: str) -> None:
    return None
