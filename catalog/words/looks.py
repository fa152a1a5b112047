"""Words for what is seen of a product beside its colors: its pattern, and what exactly it is.

The index holds the values of the encoder's attribute heads (`embeddings.attributes`); shoppers and titles write them in
other forms.
"""

import re

from catalog.words.category_words import singular

# The index's pattern -> the words that mean it.
_PATTERN_WORDS: dict[str, str] = {
    "plain": "plain",
    "striped": "striped stripe stripes stripey pinstripe pinstriped",
    "checked": "checked check checks checkered chequered checkerboard plaid tartan gingham",
    "printed": "printed patterned",
}
# These only in titles: a shopper's "leopard print" and "solid gold" say more than a filter does.
_TITLE_WORDS = {"solid": "plain", "print": "printed", "prints": "printed"}
PATTERNS: dict[str, str] = {word: pattern for pattern, words in _PATTERN_WORDS.items() for word in words.split()}
_OF_TITLES = {**PATTERNS, **_TITLE_WORDS}
_WORD = re.compile(r"[^\W\d_]+")


def pattern_in(title: str) -> str:
    """Returns the pattern that a product's title names, "" where it names none or several."""
    named = {_OF_TITLES[word] for word in _WORD.findall(title.casefold()) if word in _OF_TITLES}
    return named.pop() if len(named) == 1 else ""


def kind_key(words: str) -> str:
    """Returns what is the same for all ways to write one article type: "T-Shirt", "tshirts", "t shirt"."""
    return singular(words.casefold().replace("-", " ")).replace(" ", "")
