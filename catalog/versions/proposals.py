"""A version is proposed: nothing is taken in that could not answer a search."""

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError, transaction
from PIL import Image

from catalog.models import LiveVersion, Version
from catalog.serving import of_settings
from detection import detector
from embeddings import encoder
from shop_search.errors import InputError, ServiceError
from shop_search.model_card import ModelCard

Options = Mapping[str, Any]

BANDS = ("same_photo", "same_product", "similar")
# Weights are written with a few digits.
SUM_TOLERANCE = 0.001
NAME_LENGTH = 80


def propose(kind: str, *, name: str, options: Options, by: User | None) -> Version:
    """Returns a new version; rankings and bands are ready at once, models have yet to be built.

    encoder, detector: `{"card": path}`. ranking: the weight of each part. bands: the score from which each band is
    reached, and in `by_category` those of some categories. Raises InputError when it could not answer a search, or the
    name is taken.
    """
    if kind not in _CHECKS:
        raise InputError("kind_unknown", f"{kind!r} is none of {', '.join(_CHECKS)}.", fields={"kind": "Unknown."})
    name = " ".join(name.split())
    if not 0 < len(name) <= NAME_LENGTH:
        raise _refusal("name_invalid", "name", f"A version needs a name of at most {NAME_LENGTH} characters.")
    if not isinstance(options, Mapping) or not options:
        raise _refusal("options_invalid", "options", "The options must say something: a card, weights or thresholds.")
    checked, fingerprint = _CHECKS[kind](options)
    is_model = kind in ("encoder", "detector")
    try:
        with transaction.atomic():
            LiveVersion.objects.get_or_create(kind=kind)
            return Version.objects.create(
                kind=kind,
                name=name,
                options=checked,
                fingerprint=fingerprint,
                state=Version.State.DRAFT if is_model else Version.State.READY,
                made_by=by,
            )
    except IntegrityError as error:
        raise _refusal("version_exists", "name", f"There is another {kind} of the name {name!r}.") from error


def _encoder(options: Options) -> tuple[dict[str, Any], str]:
    checked = _model_options("encoder", options)
    try:
        model = encoder.build(checked)
        made = model.encode_images([Image.new("RGB", (64, 64), "gray")])
        if made.shape != (1, model.card.dim):
            raise _refusal("model_unusable", "card", f"It makes {made.shape}, and its card says (1, {model.card.dim}).")
    except Exception as error:
        raise _unusable(error) from error
    return checked, model.card.fingerprint


def _detector(options: Options) -> tuple[dict[str, Any], str]:
    checked = _model_options("detector", options)
    try:
        model = detector.build(checked)
        model.detect([Image.new("RGB", (64, 64), "gray")], [None])
    except Exception as error:
        raise _unusable(error) from error
    return checked, model.card.fingerprint


def _model_options(kind: str, options: Options) -> dict[str, Any]:
    """Returns the options with a card that was read, as a whole path."""
    allowed = {"card", *of_settings(kind)}
    if unknown := sorted(set(options) - allowed):
        raise _refusal("options_unknown", "options", f"{', '.join(unknown)}: known are {', '.join(sorted(allowed))}.")
    checked = dict(options)
    if "card" in checked:
        path = Path(str(checked["card"])).expanduser().resolve()
        try:
            card = ModelCard.load(path)
        except ServiceError as error:
            raise _refusal("card_unreadable", "card", error.message) from error
        if card.kind != kind:
            raise _refusal("card_of_another_kind", "card", f"{path} describes a {card.kind}, not a {kind}.")
        checked["card"] = str(path)
    return checked


def _unusable(error: Exception) -> InputError:
    if isinstance(error, InputError):
        return error
    if isinstance(error, ServiceError):
        return _refusal(error.code, "card", error.message)
    if isinstance(error, ImproperlyConfigured):
        return _refusal("backend_invalid", "card", str(error))
    # Whatever a model's library raises on what isn't a model.
    return _refusal("model_unusable", "card", f"The model can't be used: {error!r}"[:400])


def _ranking(options: Options) -> tuple[dict[str, Any], str]:
    parts = set(settings.RANKING_WEIGHTS)
    if set(options) != parts:
        raise _refusal("weights_invalid", "options", f"There must be a weight for each of {', '.join(sorted(parts))}.")
    weights = {part: _number(options[part], part, 0.0, 1.0) for part in sorted(parts)}
    if abs(sum(weights.values()) - 1) > SUM_TOLERANCE:
        raise _refusal("weights_invalid", "options", f"The weights sum to {sum(weights.values()):.4f}, not to 1.")
    return weights, ""


def _bands(options: Options) -> tuple[dict[str, Any], str]:
    by_category = options.get("by_category", {})
    if not isinstance(by_category, Mapping):
        raise _refusal("thresholds_invalid", "options", "by_category must hold thresholds by category.")
    checked: dict[str, Any] = _thresholds({key: one for key, one in options.items() if key != "by_category"}, "")
    if by_category:
        checked["by_category"] = {str(slug): _thresholds(of, f" of {slug}") for slug, of in by_category.items()}
    return checked, encoder().card.fingerprint


def _thresholds(given: object, where: str) -> dict[str, Any]:
    if not isinstance(given, Mapping) or set(given) != set(BANDS):
        raise _refusal("thresholds_invalid", "options", f"The thresholds{where} must be of {', '.join(BANDS)}.")
    scores = {band: _number(given[band], f"{band}{where}", -1.0, 1.0) for band in BANDS}
    if sorted(scores.values(), reverse=True) != list(scores.values()):
        raise _refusal("thresholds_invalid", "options", f"The thresholds{where} must fall: {', '.join(BANDS)}.")
    return scores


def _number(value: object, what: str, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _refusal("number_invalid", "options", f"{what} must be a number, not {value!r}.")
    if not low <= value <= high:
        raise _refusal("number_invalid", "options", f"{what} must be in [{low:g}, {high:g}], not {value:g}.")
    return float(value)


def _refusal(code: str, field: str, message: str) -> InputError:
    return InputError(code, message, fields={field: message})


_CHECKS: dict[str, Callable[[Options], tuple[dict[str, Any], str]]] = {
    "encoder": _encoder,
    "detector": _detector,
    "ranking": _ranking,
    "bands": _bands,
}
