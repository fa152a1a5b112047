"""What the form that proposes a version offers and sends. Cards are chosen among those that lie in the home."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import QueryDict

from catalog.models import Version
from catalog.serving import live, of_settings
from catalog.versions.proposals import BANDS
from shop_search.errors import InputError, ServiceError
from shop_search.model_card import ModelCard

# Where an exported model is put to be offered here: HOME/models/<any name>/card.json.
FOLDER = "models"
MOST_CARDS = 50


@dataclass(frozen=True, slots=True)
class CardChoice:
    path: str
    label: str
    kind: str


@dataclass(frozen=True, slots=True)
class NumberField:
    name: str
    label: str
    value: str


class _Forms:
    """The fields of the form, filled with what was sent or with what is live."""

    def context(self, sent: Mapping[str, str]) -> dict[str, Any]:
        ranking, bands = live("ranking"), live("bands")
        return {
            "sent": sent,
            "kinds": Version.Kind.choices,
            "kind_chosen": sent.get("kind", Version.Kind.ENCODER.value),
            "cards": cards(),
            "models_folder": str(Path(settings.SHOP_SEARCH_HOME) / FOLDER),
            "weights": [
                _field("weight", part, sent, ranking.get(part, "")) for part in sorted(settings.RANKING_WEIGHTS)
            ],
            "thresholds": [_field("threshold", band, sent, bands.get(band, "")) for band in BANDS],
        }


FORMS = _Forms()


def _field(prefix: str, name: str, sent: Mapping[str, str], live_value: object) -> NumberField:
    key = f"{prefix}-{name}"
    return NumberField(key, name.replace("_", " ").capitalize(), sent.get(key, f"{live_value}"))


def cards() -> list[CardChoice]:
    """Returns the cards that may be proposed from the page: those in the home's folder, and the bundled ones."""
    bundled = {
        str(Path(settings.BASE_DIR) / room / "weights" / "card.json") for room in ("embeddings", "detection")
    } | {str(of_settings(kind).get("card", "")) for kind in ("encoder", "detector")}
    found = sorted((Path(settings.SHOP_SEARCH_HOME) / FOLDER).glob("*/card.json"))[:MOST_CARDS]
    choices: list[CardChoice] = []
    for path in [*map(str, found), *sorted(bundled - {""})]:
        try:
            card = ModelCard.load(path)
        except ServiceError:
            continue
        if card.kind in ("encoder", "detector"):
            choices.append(CardChoice(path, f"{card.kind}: {card.label} ({Path(path).parent.name})", card.kind))
    return choices


def proposal_of(form: QueryDict) -> tuple[str, str, dict[str, Any]]:
    """Returns kind, name and options as sent. Raises InputError when they can't be read; `propose` checks the rest."""
    kind, name = form.get("kind", ""), form.get("name", "")
    if kind in ("encoder", "detector"):
        path = form.get("card", "")
        if path not in {one.path for one in cards() if one.kind == kind}:
            raise InputError("card_unknown", f"Choose a card of an {kind}.", fields={"card": "Choose one."})
        return kind, name, {"card": path}
    if kind == "ranking":
        return kind, name, {part: _read(form, f"weight-{part}") for part in settings.RANKING_WEIGHTS}
    if kind == "bands":
        options = {band: _read(form, f"threshold-{band}") for band in BANDS}
        by_category = live("bands").get("by_category")
        return kind, name, {**options, **({"by_category": by_category} if by_category else {})}
    raise InputError("kind_unknown", "Choose what the version is of.", fields={"kind": "Choose one."})


def _read(form: QueryDict, name: str) -> float:
    text = form.get(name, "")
    try:
        return float(text)
    except ValueError as error:
        raise InputError("number_invalid", f"{name.partition('-')[2]}: {text[:20]!r} is no number.") from error
