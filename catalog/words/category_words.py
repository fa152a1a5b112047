"""The words of a feed -> a category of the shop.

`shoe`, `Shoes`, `Footwear` and `Apparel & Accessories > Shoes` are one category. Words nobody has listed make a new
category, never an error: a shop may sell what the detector can't see.

Steps: split the path, and of its parts take the most specific that is known (`category_vocabulary`); in a
phrase the last word says what the thing is (a shirt dress is a dress). Where no part is known, the last one that says
something names a new category.
"""

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from django.utils.text import slugify

from catalog.models import Category
from catalog.taxonomy import Taxonomy, read, taxonomy
from catalog.words.category_vocabulary import GENERIC, GOOGLE_IDS, MISLEADING, SLUG_OF
from detection.categories import DETECTED

OTHER = "other"
_MAX = 80  # characters of a category's slug and name

_PATH = re.compile(r"\s*(?:>|»|\u203a|→|\||/|\\|::)\s*")
_NOT_WORD = re.compile(r"[^\w']+")
_POSSESSIVE = re.compile(r"(?<=\w)['\u2019]s?(?!\w)")
_IRREGULAR = {
    "scarves": "scarf",
    "knives": "knife",
    "shelves": "shelf",
    "dwarves": "dwarf",
    "feet": "foot",
    "lens": "lens",
}
# English plurals in -ies mostly come from -y; these come from -ie.
_IE = frozenset(["tie", "necktie", "bowtie", "hoodie", "beanie", "bootie", "onesie", "scrunchie", "cookie", "brownie"])
_NOT_PLURAL = ("ss", "us", "glasses")


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a feed's words mean: the category's slug, and the name to show if the category is new."""

    slug: str
    name: str
    is_known: bool = True  # listed in the vocabulary


def meaning_of(product_type: str, google_category: str = "") -> Meaning:
    """Returns the category meant by the merchant's words, helped by Google's category (a path or an id).

    The merchant's own words win where they are known, then Google's, then the merchant's as a new category; `other`
    when neither says anything.
    """
    own, google = _meaning(product_type), _meaning(google_category)
    if own is not None and own.is_known and own.slug != OTHER:
        return own
    if google is not None and google.is_known:
        return google
    return own or google or Meaning(OTHER, "Other")


def find_category(word: str) -> Category | None:
    """Returns the category that a slug, a word or a path names, or None when the shop has none of it."""
    names = taxonomy()
    exact = Category.objects.filter(slug=names.slug_of(word.strip().lower())).first()
    if exact is not None:
        return exact
    meaning = meaning_by(names, word) or _meaning(word)
    return CategoryBook().find(meaning) if meaning else None


class CategoryBook:
    """The shop's categories by meaning, read once: `watch` and `watches` are one, whichever a feed said first."""

    def __init__(self, names: Taxonomy | None = None) -> None:
        self._names = read() if names is None else names
        self._by_slug: dict[str, Category] = {}
        self._by_word: dict[str, Category] = {}
        for category in Category.objects.all():
            self._add(category)

    def find(self, meaning: Meaning) -> Category | None:
        """Returns the category of this meaning, or None. One that was merged into another is that other."""
        slug = self._names.slug_of(meaning.slug)
        if meaning.is_known:
            return self._by_slug.get(slug)
        return self._by_slug.get(slug) or self._by_word.get(_word_of(slug))

    def meaning_of(self, product_type: str, google_category: str = "") -> Meaning:
        """Returns the category meant by the merchant's words, by those that admins mapped before all others."""
        return meaning_by(self._names, product_type) or meaning_of(product_type, google_category)

    def get_or_create(self, meaning: Meaning) -> Category:
        """Returns the category of this meaning, made if need be."""
        category = self.find(meaning)
        if category is None:
            category, _ = Category.objects.get_or_create(
                slug=self._names.slug_of(meaning.slug),
                defaults={"name": meaning.name, "is_detected": meaning.slug in DETECTED},
            )
            self._add(category)
        return category

    def _add(self, category: Category) -> None:
        self._by_slug[category.slug] = category
        self._by_word.setdefault(_word_of(category.slug), category)


def meaning_by(names: Taxonomy, words: str) -> Meaning | None:
    """Returns what the words mean by what admins mapped, the most specific part of a path first; None where nothing."""
    if not names.words:
        return None
    for part in reversed(_parts(html.unescape(words).strip())):
        phrase = _phrase(part).split()
        for start in range(len(phrase)):
            if slug := names.words.get(" ".join(phrase[start:])):
                return _known(slug)
    return None


def word_key(words: str) -> str:
    """Returns how a word of merchants is kept and looked up: lower case, in the singular."""
    return _phrase(words.strip())


def singular(phrase: str) -> str:
    """Returns the phrase with each word in the singular, by English rules; other languages' words mostly stay."""
    return " ".join(_singular(word) for word in phrase.split())


def _singular(word: str) -> str:
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if not word.endswith("s") or word.endswith(_NOT_PLURAL) or len(word) < 4:
        return word
    if word.endswith("ies") and word[:-1] not in _IE:
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes", "zzes")):
        return word[:-2]
    return word[:-1]


@lru_cache(maxsize=4096)  # a feed has far fewer different words than rows
def _meaning(words: str) -> Meaning | None:
    """Returns what the words mean, or None when they say nothing (empty, generic, an id we don't know)."""
    text = html.unescape(words).strip()
    if text.isdecimal() and text.isascii():
        slug = GOOGLE_IDS.get(int(text)) if len(text) < 10 else None
        return _known(slug) if slug else None
    parts = [part for part in _parts(text) if _phrase(part)]
    for part in reversed(parts):
        if slug := _slug_of(_phrase(part)):
            return _known(slug)
    for part in reversed(parts):
        if _phrase(part) not in GENERIC:
            return _new(part)
    return None


def _parts(text: str) -> list[str]:
    parts = _PATH.split(text)
    # Google's own names hold commas ("Handbags, Wallets & Cases"); without a path, commas separate tags.
    return parts if len(parts) > 1 else re.split(r"\s*[,;]\s*", text)


def _phrase(part: str) -> str:
    text = _POSSESSIVE.sub("", part.casefold().replace("&", " and ").replace("+", " and "))
    return singular(" ".join(_NOT_WORD.sub(" ", text).replace("_", " ").split()))


def _slug_of(phrase: str) -> str | None:
    if phrase in SLUG_OF:
        return SLUG_OF[phrase]
    if phrase in MISLEADING:
        return None
    pieces = [piece for piece in re.split(r" and | or ", phrase) if piece]
    if len(pieces) > 1:
        return _first(_slug_of(piece) for piece in pieces)
    words = phrase.split()
    for start in range(1, len(words)):
        tail = " ".join(words[start:])
        if tail in MISLEADING:
            return None
        if tail in SLUG_OF:
            return SLUG_OF[tail]
    return None


def _first(slugs: Iterable[str | None]) -> str | None:
    return next((slug for slug in slugs if slug), None)


def _known(slug: str) -> Meaning:
    return Meaning(slug, slug.replace("-", " ").capitalize())


def _new(part: str) -> Meaning | None:
    name = " ".join(part.split())[:_MAX]
    # Words outside the Latin alphabet keep their letters: a slug may not be empty.
    slug = (slugify(name) or slugify(name, allow_unicode=True))[:_MAX].strip("-")
    return Meaning(slug, name[:1].upper() + name[1:], is_known=False) if slug else None


def _word_of(slug: str) -> str:
    return singular(slug.replace("-", " "))
