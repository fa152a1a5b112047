"""A shopper's words -> what they insist on, and the rest.

"like this but red, under 50, without heel" holds a color, a price and something to leave out. Each becomes a filter
that the page shows as a removable chip, with the place in the text it was read from. Only the rest is for the text
embedding.

Steps: cut into words (`tokens`); from left to right, take the longest wish that begins at each word
(price, stock, something excluded, gender, color, brand); find the category in what is left; the remainder is the rest.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Literal

from catalog.words.looks import PATTERNS
from catalog.words.prices import match_price
from catalog.words.tokens import Token, fold, keys_at, phrase_at, tokenize
from catalog.words.vocabulary import (
    AFTER_HEAD,
    AND,
    BEFORE_BRAND,
    BEFORE_EXCLUDED,
    COLOR_WORDS,
    GENDERS,
    LEADING_FILLERS,
    NEGATIONS,
    NEVER_ALONE,
    NOT_NEGATED,
    ORDINARY_BRANDS,
    ORDINARY_COLORS,
    RECIPIENTS,
    SHAPES_OF_TOP,
    STOCK,
    STOPS,
    TRAILING_FILLERS,
)
from embeddings.color_names import normalize_color_word

Kind = Literal["category", "article_type", "color", "pattern", "price", "brand", "gender", "in_stock", "excluded"]
CategoryLookup = Callable[[str], str | None]
TypeLookup = Callable[[str], str | None]

_LONGEST_PHRASE = 3  # words of a color or a category
_LONGEST_BRAND = 6


@dataclass(frozen=True, slots=True)
class Wish:
    """One chip. `text[start:end]` is what it was read from; `value` is what was understood."""

    kind: Kind
    value: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a query insists on. Several colors, brands or genders mean any of them."""

    category: str | None = None  # slug
    article_type: str | None = None  # finer than the category, named by the same words
    patterns: tuple[str, ...] = ()  # of looks.PATTERNS
    colors: tuple[str, ...] = ()  # names of embeddings.color_names
    price_min: Decimal | None = None
    price_max: Decimal | None = None
    currency: str | None = None  # ISO 4217, when the shopper named one
    brands: tuple[str, ...] = ()  # as the shop spells them
    genders: tuple[str, ...] = ()  # of men, women, boys, girls, kids, unisex
    in_stock: bool | None = None
    excluded: tuple[str, ...] = ()  # words
    excluded_colors: tuple[str, ...] = ()
    excluded_brands: tuple[str, ...] = ()
    rest: str = ""  # for the text embedding
    chips: tuple[Wish, ...] = ()  # in the order of the text, not overlapping


def parse_words(
    text: str, *, brands: Collection[str], categories: CategoryLookup, article_types: TypeLookup = lambda _: None
) -> Wishes:
    """Returns the wishes found in the text; without any, all of it is the rest.

    `brands` are the shop's brands; give a frozenset, and the same one each time, so that it is indexed once.
    `categories` returns the slug for a phrase of one to three lower-case words, singular or plural, or None.
    `article_types` returns what is finer than a category for such a phrase ("heels" are shoes), or None.
    """
    tokens = tokenize(text)
    if not tokens:
        return Wishes(rest=text.strip())
    parser = _Parser(text, tokens, _index_brands(frozenset(brands)), categories, article_types)
    parser.read()
    return parser.wishes()


def without(text: str, wish: Wish) -> str:
    """Returns the text with one wish taken out: what the chip's cross leads to."""
    return " ".join((text[: wish.start] + " " + text[wish.end :]).split())


@lru_cache(maxsize=4)
def _index_brands(brands: frozenset[str]) -> dict[str, str]:
    """Returns the brands by what is left of their names without case, accents, spaces and signs."""
    index: dict[str, str] = {}
    for brand in sorted(brands):
        for spelling in (brand, brand.replace("&", " and ")):
            key = _squeeze(fold(spelling))
            if len(key) >= 2 and not key.isdecimal():
                index.setdefault(key, brand)
    return index


def _squeeze(key: str) -> str:
    return "".join(character for character in key if character.isalnum())


class _Parser:
    """Reads one query; `_taken` marks the tokens that belong to a wish."""

    def __init__(
        self,
        text: str,
        tokens: Sequence[Token],
        brands: dict[str, str],
        categories: CategoryLookup,
        article_types: TypeLookup,
    ) -> None:
        self._text = text
        self._tokens = tokens
        self._brands = brands
        self._categories = categories
        self._article_types = article_types
        self._category: str | None = None
        self._taken = [False] * len(tokens)
        self._chips: list[Wish] = []
        self._prices: list[tuple[Decimal | None, Decimal | None, str | None]] = []
        self._excluded: dict[str, list[str]] = {"word": [], "color": [], "brand": []}

    def read(self) -> None:
        at = 0
        while at < len(self._tokens):
            at = self._read_wish(at) or at + 1
        self._read_category()

    def wishes(self) -> Wishes:
        chips = tuple(sorted(self._chips, key=lambda wish: wish.start))

        def values(kind: Kind) -> tuple[str, ...]:
            return tuple(dict.fromkeys(wish.value for wish in chips if wish.kind == kind))

        stock = values("in_stock")
        return Wishes(
            category=self._category,
            article_type=next(iter(values("article_type")), None),
            patterns=values("pattern"),
            colors=values("color"),
            price_min=next((low for low, _, _ in reversed(self._prices) if low is not None), None),
            price_max=next((high for _, high, _ in reversed(self._prices) if high is not None), None),
            currency=next((currency for _, _, currency in reversed(self._prices) if currency), None),
            brands=values("brand"),
            genders=values("gender"),
            in_stock=stock[0] == "yes" if stock else None,
            excluded=tuple(self._excluded["word"]),
            excluded_colors=tuple(self._excluded["color"]),
            excluded_brands=tuple(self._excluded["brand"]),
            rest=self._rest(),
            chips=chips,
        )

    def _take(self, kind: Kind, value: str, at: int, end: int) -> int:
        self._taken[at:end] = [True] * (end - at)
        self._chips.append(Wish(kind, value, self._tokens[at].start, self._tokens[end - 1].end))
        return end

    def _read_wish(self, at: int) -> int | None:
        """Takes the wish that begins at a token and returns where it ends, or None."""
        price = match_price(self._tokens, at)
        if price:
            self._prices.append((price.low, price.high, price.currency))
            return self._take("price", f"{price.low or ''}-{price.high or ''}", at, price.end)
        for keys, is_there in STOCK:
            if keys_at(self._tokens, at, *keys) and not (keys == ("available",) and self._key(at + 1) in STOPS):
                return self._take("in_stock", "yes" if is_there else "no", at, at + len(keys))
        if self._is_negation(at):
            return self._read_excluded(at)
        return self._read_gender(at) or self._read_color(at) or self._read_brand(at) or self._read_pattern(at)

    def _key(self, at: int) -> str:
        return self._tokens[at].key if 0 <= at < len(self._tokens) else ""

    def _is_negation(self, at: int) -> bool:
        token = self._tokens[at]
        if token.key in NEGATIONS:
            return self._key(at + 1) not in NOT_NEGATED
        # "-heel" as in web searches: a minus after a space and glued to its word
        glued = at + 1 < len(self._tokens) and self._tokens[at + 1].is_glued and self._tokens[at + 1].is_word
        return token.key == "-" and glued and not (token.is_glued and at > 0)

    def _read_excluded(self, at: int) -> int | None:
        values: list[str] = []
        end = at + 1
        while True:
            begin = end
            while self._key(begin) in BEFORE_EXCLUDED:
                begin += 1
            color, brand = self._color_at(begin), self._brand_at(begin)
            if color:
                kind, value, stop = "color", *color
            elif brand:
                kind, value, stop = "brand", *brand
            else:
                stop = self._end_of_excluded_words(begin)
                if stop == begin:
                    break
                kind, value = "word", self._text[self._tokens[begin].start : self._tokens[stop - 1].end].casefold()
            values.append(value)
            self._excluded[kind].append(value)
            end = stop
            if self._key(stop) not in AND or (self._key(stop) == "and" and kind == "word"):
                break
            if kind != "word" and not (self._color_at(stop + 1) or self._brand_at(stop + 1)):
                break
            end = stop + 1
        if not values:
            return None
        while self._key(end - 1) in AND:
            end -= 1
        return self._take("excluded", ", ".join(values), at, end)

    def _end_of_excluded_words(self, at: int) -> int:
        """Two words at most: "without side pockets"."""
        end = at
        while end < min(at + 2, len(self._tokens)) and self._tokens[end].is_word and self._key(end) not in STOPS:
            is_wish = self._color_at(end) or self._brand_at(end) or self._is_negation(end)
            if end > at and (is_wish or match_price(self._tokens, end) or self._categories(self._key(end))):
                break
            end += 1
            if self._key(at - 1) == "-":
                break
        return end

    def _read_gender(self, at: int) -> int | None:
        if self._key(at) == "for":
            who = at + 1
            while self._key(who) in ("my", "the", "a"):
                who += 1
            gender = GENDERS.get(self._key(who)) or RECIPIENTS.get(self._key(who))
            return self._take("gender", gender, at, who + 1) if gender else None
        gender = GENDERS.get(self._key(at))
        return self._take("gender", gender, at, at + 1) if gender else None

    def _read_color(self, at: int) -> int | None:
        begin = at + 1 if self._key(at) == "in" else at
        if begin > at and self._key(begin) in ("color", "colour"):
            begin += 1
        color = self._color_at(begin)
        if color is None:
            return None
        name, end = color
        # "Red Tape" is a brand though red is a color.
        brand = self._brand_at(begin)
        if brand and brand[1] > end:
            return None
        if self._key(end) in COLOR_WORDS:
            end += 1
        return self._take("color", name, at, end)

    def _color_at(self, at: int) -> tuple[str, int] | None:
        for length in range(_LONGEST_PHRASE, 0, -1):
            phrase = phrase_at(self._tokens, at, length)
            name = normalize_color_word(phrase) if phrase else None
            if name and (phrase not in ORDINARY_COLORS or self._is_said_to_be_color(at, at + length)):
                return name, at + length
        return None

    def _is_said_to_be_color(self, at: int, end: int) -> bool:
        return self._key(at - 1) in ("in", "color", "colour") or self._key(end) in COLOR_WORDS

    def _read_brand(self, at: int) -> int | None:
        begin = at + 1 if self._key(at) in BEFORE_BRAND else at
        brand = self._brand_at(begin)
        return self._take("brand", brand[0], at, brand[1]) if brand else None

    def _brand_at(self, at: int) -> tuple[str, int] | None:
        """The longest brand whose name's words stand here, however they are spaced; a color or category is none."""
        if not 0 <= at < len(self._tokens) or not (self._tokens[at].is_word or self._tokens[at].is_number):
            return None
        keys: list[str] = []
        best: tuple[str, int] | None = None
        for end in range(at + 1, min(at + _LONGEST_BRAND, len(self._tokens)) + 1):
            token = self._tokens[end - 1]
            keys.append(_squeeze(token.key.removesuffix("'s") if end - at == 1 else token.key))
            brand = self._brands.get("".join(keys)) or self._brands.get("".join([*keys[:-1], _squeeze(token.key)]))
            if brand and (end > at + 1 or self._is_brand_word(at)):
                best = brand, end
        return best

    def _is_brand_word(self, at: int) -> bool:
        key = self._tokens[at].key
        if normalize_color_word(key) or key in GENDERS or self._categories(key):
            return False
        is_named = self._key(at - 1) in BEFORE_BRAND
        return key not in ORDINARY_BRANDS or is_named or (at > 0 and self._tokens[at].text[0].isupper())

    def _read_pattern(self, at: int) -> int | None:
        pattern = PATTERNS.get(self._key(at))
        return self._take("pattern", pattern, at, at + 1) if pattern else None

    def _read_category(self) -> None:
        """Takes the last category before the first word that ends its phrase: a shirt dress is a dress."""
        found: tuple[str, str | None, int, int] | None = None
        at = 0
        while at < len(self._tokens):
            if self._taken[at]:
                at += 1
                continue
            if found and self._key(at) in AFTER_HEAD:
                break
            match = self._category_at(at)
            if match:
                found = match
            at = match[3] if match else at + 1
        if found:
            self._category, article_type, begin, end = found
            self._take("article_type" if article_type else "category", article_type or self._category, begin, end)

    def _category_at(self, at: int) -> tuple[str, str | None, int, int] | None:
        """Returns the longest phrase's category and article type here, and where it begins and ends."""
        for length in range(_LONGEST_PHRASE, 0, -1):
            phrase = phrase_at(self._tokens, at, length)
            if phrase is None or any(self._taken[at : at + length]):
                continue
            if phrase in NEVER_ALONE or (phrase in ("top", "tops") and self._key(at - 1) in SHAPES_OF_TOP):
                continue
            article_type = self._article_types(phrase)
            slug = self._categories(phrase)
            if slug is None and article_type:  # "casual shoes" are shoes
                slug = self._categories(self._key(at + length - 1))
            if slug:
                return slug, article_type, at, at + length
        return None

    def _rest(self) -> str:
        """Returns the untaken stretches, without the small words at their ends."""
        pieces: list[str] = []
        at = 0
        while at < len(self._tokens):
            end = at
            while end < len(self._tokens) and not self._taken[end]:
                end += 1
            begin, stop = at, end
            while begin < stop and self._is_filler(begin, LEADING_FILLERS):
                begin += 1
            while begin < stop and self._is_filler(stop - 1, TRAILING_FILLERS):
                stop -= 1
            if begin < stop:
                pieces.append(self._text[self._tokens[begin].start : self._tokens[stop - 1].end])
            at = end + 1
        return " ".join(" ".join(pieces).split())

    def _is_filler(self, at: int, words: frozenset[str]) -> bool:
        token = self._tokens[at]
        return token.key in words or not (token.is_word or token.is_number)
