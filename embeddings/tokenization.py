"""Texts to token ids, from the tokenizer.json beside an encoder's weights, without transformers or open_clip."""

import html
import string
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer as FastTokenizer

from shop_search.errors import ServiceError

NO_PUNCTUATION = str.maketrans("", "", string.punctuation)


def _as_is(text: str) -> str:
    return text


def _mended(text: str) -> str:
    # ftfy is part of what CLIP's tokenizer computes: without it, curly quotes and mojibake become other tokens.
    import ftfy

    return html.unescape(html.unescape(ftfy.fix_text(text))).strip()


def _whitespace(text: str) -> str:
    return " ".join(_mended(text).split())


def _lower(text: str) -> str:
    return _whitespace(text).lower()


def _canonicalize(text: str) -> str:
    return " ".join(_mended(text).replace("_", " ").translate(NO_PUNCTUATION).lower().split())


# The cleaning steps of open_clip's tokenizers, by the names that open_clip gives them; ours is in the tokenizer itself.
CLEANING: Mapping[str, Callable[[str], str]] = {
    "none": _as_is,
    "whitespace": _whitespace,
    "lower": _lower,
    "canonicalize": _canonicalize,
}


class Tokenizer:
    """Turns texts into ids. Truncation and padding are stored in the file itself. Thread-safe."""

    def __init__(self, path: Path, *, clean: str = "none") -> None:
        if clean not in CLEANING:
            raise ServiceError(
                "model_card_unreadable", f"The card asks for text cleaning {clean!r}; known are {', '.join(CLEANING)}."
            )
        self._clean = CLEANING[clean]
        try:
            self._tokenizer = FastTokenizer.from_file(str(path))
        except Exception as error:  # the library raises bare Exception
            raise ServiceError("model_file_damaged", f"Can't read the tokenizer {path}: {error}") from error
        self.context_length = _length(self._tokenizer.padding, path)

    def __call__(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """Returns (n, context_length) int64."""
        rows = self._tokenizer.encode_batch([self._clean(text) for text in texts])
        return np.array([row.ids for row in rows], np.int64).reshape(len(rows), self.context_length)


def _length(padding: Mapping[str, Any] | None, path: Path) -> int:
    if not padding or not padding.get("length"):
        raise ServiceError("model_file_damaged", f"The tokenizer {path} stores no fixed length. Export it again.")
    return int(padding["length"])
