"""What is said of each catalog picture that a head can learn: gender, article type, color and pattern.

Color words become the few names that shoppers filter by. A pattern is known only where the title names one: a title
that says nothing of stripes may well be of something striped.
"""

import csv
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from embeddings.attributes import OTHER
from embeddings.color_names import normalize_color_word
from embeddings.training.dataset import is_held_out
from fixtures import DrawnProduct
from shop_search.errors import InputError

ATTRIBUTES = ("gender", "article_type", "color", "pattern")
CALIBRATION = 0.2  # of the titles that aren't held out: they choose ridge and temperature, and train nothing
LEAST_TITLES = 20  # an article type of fewer training titles becomes `OTHER`, another value is left out

_PATTERNS: Mapping[str, re.Pattern[str]] = {
    "striped": re.compile(r"\b(pin)?strip(e|es|ed)\b", re.IGNORECASE),
    "checked": re.compile(r"\b(check(s|ed|ered)?|gingham|tartan|plaid)\b", re.IGNORECASE),
    "printed": re.compile(r"\b(print(s|ed)?|floral|polka|graphic|leopard)\b", re.IGNORECASE),
    "plain": re.compile(r"\b(solid|plain)\b", re.IGNORECASE),
}
_DRAWN_PATTERNS: Mapping[str, str] = {
    "plain": "plain",
    **dict.fromkeys(("stripes", "pinstripe", "wide stripes"), "striped"),
    **dict.fromkeys(("check", "tartan", "gingham"), "checked"),
    **dict.fromkeys(("floral", "leopard", "dots", "zigzag"), "printed"),
}


@dataclass(frozen=True, slots=True)
class Labels:
    """One picture's labels; None where nothing is said."""

    gender: str | None = None
    article_type: str | None = None
    color: str | None = None
    pattern: str | None = None


def read_labels(folder: Path) -> list[Labels]:
    """Returns the labels of catalogue.csv in the file's order. Raises InputError when it lacks a column."""
    path = folder / "catalogue.csv"
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            return [
                Labels(
                    gender=_word(row["gender"]),
                    article_type=_word(row["article_type"]),
                    color=normalize_color_word(row["colour"]),
                    pattern=pattern_in(row["title"]),
                )
                for row in csv.DictReader(stream)
            ]
    except (OSError, KeyError, csv.Error) as error:
        raise InputError(
            "catalog_unreadable", f"Can't read {path}: {error!r}. It needs title, gender, article_type, colour."
        ) from error


def drawn_labels(product: DrawnProduct) -> Labels:
    """Returns a drawn product's color and pattern: of gender and type, drawings say less than photos."""
    return Labels(color=normalize_color_word(product.color), pattern=_DRAWN_PATTERNS.get(product.pattern))


def pattern_in(title: str) -> str | None:
    """Returns the one pattern that a title names; None when it names none or several."""
    named = [name for name, words in _PATTERNS.items() if words.search(title)]
    return named[0] if len(named) == 1 else None


def is_for_calibration(title: str) -> bool:
    """Returns whether a title that isn't held out calibrates instead of training."""
    return is_held_out("calibration", title.casefold(), CALIBRATION)


def values_of(labels: Sequence[Labels], name: str) -> tuple[str, ...]:
    """Returns the values of an attribute with enough examples, by name; for the article type, and `OTHER` last."""
    counts = Counter(value for one in labels if (value := getattr(one, name)) is not None)
    enough = sorted(value for value, count in counts.items() if count >= LEAST_TITLES)
    return (*enough, OTHER) if name == "article_type" else tuple(enough)


def index_in(values: Sequence[str], label: str | None) -> int:
    """Returns the label's place among the values: that of `OTHER` for an unknown one if there is such, else -1."""
    if label is None:
        return -1
    if label in values:
        return values.index(label)
    return values.index(OTHER) if OTHER in values else -1


def _word(text: str) -> str | None:
    text = " ".join(text.split()).casefold()
    return text if text and text not in ("na", "nan") else None
