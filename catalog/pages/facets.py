"""What a search can be narrowed by, as fields of the plain form; the scripts build the same from the API's JSON."""

from dataclasses import dataclass

from django.http import QueryDict

from catalog.pages.wording import FACETS, VALUES, Sentence
from catalog.search.answers import Json

# How each color of embeddings.color_names is shown. "multicolor" is drawn as a wheel instead.
SWATCHES = {
    "black": "#1d1c1b",
    "gray": "#8d8c8a",
    "white": "#ffffff",
    "beige": "#dccbaf",
    "brown": "#7b5337",
    "red": "#c8282b",
    "burgundy": "#6b1a2c",
    "orange": "#e5762b",
    "yellow": "#f0c93a",
    "gold": "#b98f3c",
    "green": "#3f8a50",
    "olive": "#6d6b35",
    "turquoise": "#35a3a5",
    "blue": "#3568b5",
    "navy": "#22305c",
    "purple": "#7a4b98",
    "pink": "#e58fae",
    "silver": "#c3c6ca",
}


@dataclass(frozen=True, slots=True)
class Option:
    value: str
    label: Sentence
    count: int | None  # None where it is chosen but nothing near has it
    is_chosen: bool
    swatch: str  # "#c8282b", "multicolor", or "" where it is no color


@dataclass(frozen=True, slots=True)
class Facet:
    name: str  # of the form's field
    title: Sentence
    options: list[Option]


def facets_of(answer: Json, params: QueryDict) -> list[Facet]:
    """Returns the facets with something to choose between, and those chosen from."""
    counted: Json = answer.get("facets") or {}
    facets = []
    for name, title in FACETS.items():
        chosen = params.getlist(name)
        options = [_option(name, one, chosen) for one in counted.get(name) or []]
        known = {option.value for option in options}
        options += [
            Option(value, _label(name, value, value), None, is_chosen=True, swatch=_swatch(name, value))
            for value in chosen
            if value not in known
        ]
        if len(options) > 1 or chosen:
            facets.append(Facet(name, title, options))
    return facets


def _option(name: str, counted: Json, chosen: list[str]) -> Option:
    value = str(counted["value"])
    label = _label(name, value, str(counted.get("label") or value))
    return Option(value, label, int(counted["count"]), is_chosen=value in chosen, swatch=_swatch(name, value))


def _label(name: str, value: str, label: str) -> Sentence:
    return VALUES.get(name, {}).get(value, label)


def _swatch(name: str, value: str) -> str:
    if name != "color":
        return ""
    return SWATCHES.get(value, "multicolor" if value == "multicolor" else "")
