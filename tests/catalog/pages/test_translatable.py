"""Every word that a shopper reads can be translated: templates mark theirs, scripts get theirs from wording.py."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.utils.functional import Promise

from catalog.pages.wording import for_scripts

TEMPLATES = settings.BASE_DIR / "catalog" / "templates"
SHOPPERS = sorted([*(TEMPLATES / "catalog").glob("*.html"), *TEMPLATES.glob("*.html")])
NAMES = {"Shop Search", "Ctrl", "V"}  # of the project, and of keys

_MARKED = re.compile(r"{% (blocktranslate|comment)\b.*?{% end\1 %}", re.DOTALL)
_CODE = re.compile(r"{%.*?%}|{{.*?}}|{#.*?#}|<!--.*?-->|<(script|style)\b.*?</\1>", re.DOTALL)
_READ_OUT = re.compile(r"\b(?:alt|aria-label|placeholder|title)=\"([^\"]*)\"")
_TAG = re.compile(r"<[^>]*>")


def bare_words(template: str) -> list[str]:
    """Returns the texts of a template that are read or read out and not marked for translation."""
    text = _CODE.sub(" ", _MARKED.sub(" ", template))
    found = [*_READ_OUT.findall(text), *_TAG.sub("\n", text).splitlines()]
    words = (" ".join(re.sub(r"&\w+;", " ", one).split()) for one in found)
    return [one for one in words if re.search(r"[^\W\d_]", one) and one.strip("· ") not in NAMES]


@pytest.mark.parametrize("path", SHOPPERS, ids=lambda path: path.name)
def test_a_template_has_no_words_that_can_not_be_translated(path: Path) -> None:
    assert bare_words(path.read_text(encoding="utf-8")) == []


def test_bare_words_are_found_wherever_they_are_read() -> None:
    template = (
        '<p title="Read out">{% translate "Marked" %} {{ value }} Bare</p>{% blocktranslate %}M{% endblocktranslate %}'
    )

    assert bare_words(template) == ["Read out", "Bare"]


def test_every_sentence_of_the_scripts_can_be_translated() -> None:
    def plain(value: object, path: str) -> list[str]:
        if isinstance(value, dict):
            return [one for key, part in value.items() for one in plain(part, f"{path}.{key}")]
        if isinstance(value, list | tuple):
            return [one for part in value for one in plain(part, path)]
        return [] if isinstance(value, Promise) else [path]

    assert plain(for_scripts(), "") == []
