"""The words of a query, each with its place in the text: all later steps point back at what the shopper typed."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

_LETTER = r"(?:[^\W\d_]|[\u0300-\u036f])"
_TOKEN = re.compile(
    rf"[<>]=?|[≤≥~$€£¥₹%\"″\u2013-]"
    rf"|\d+(?:[.,]\d+)*"
    rf"|{_LETTER}+(?:['\u2019`&.+-]{_LETTER}+)*"  # Levi's, H&M, s.Oliver, T-shirt
)


@dataclass(frozen=True, slots=True)
class Token:
    """One word, number or sign. `start` and `end` are offsets in the text."""

    text: str
    key: str  # for comparing: no case, no accents, straight apostrophes
    start: int
    end: int
    is_glued: bool  # nothing stands between it and the token before

    @property
    def is_number(self) -> bool:
        return self.text[0].isdecimal()

    @property
    def is_word(self) -> bool:
        return self.text[0].isalpha()


def tokenize(text: str) -> tuple[Token, ...]:
    """Returns the words, numbers and signs in their order; other punctuation and pictographs are left out."""
    tokens: list[Token] = []
    for match in _TOKEN.finditer(text):
        is_glued = bool(tokens) and tokens[-1].end == match.start()
        tokens.append(Token(match[0], fold(match[0]), match.start(), match.end(), is_glued))
    return tuple(tokens)


def fold(text: str) -> str:
    """Returns the text without case and accents, with straight apostrophes."""
    plain = unicodedata.normalize("NFKD", text.replace("\u2019", "'").replace("`", "'"))
    return "".join(character for character in plain if not unicodedata.combining(character)).casefold()


def phrase_at(tokens: Sequence[Token], at: int, length: int) -> str | None:
    """Returns the keys of `length` words from `at`, joined by spaces, or None where they are not all words."""
    words = tokens[at : at + length]
    if len(words) < length or not all(word.is_word for word in words):
        return None
    return " ".join(word.key for word in words)


def keys_at(tokens: Sequence[Token], at: int, *keys: str) -> bool:
    """Returns whether exactly these keys stand at `at`."""
    return tuple(token.key for token in tokens[at : at + len(keys)]) == keys
