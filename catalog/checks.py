"""What can be wrong with an installation, told before it fails. `manage.py check` lists it with ids and ways out.

catalog.E001  the home can't be written
catalog.E002  a backend setting isn't {"BACKEND": "dotted.path.Class", "OPTIONS": {...}}
catalog.E003  SHOP_SEARCH_NIGHTLY is neither a time of day nor off
catalog.W001  a model card can't be read, or is another kind of model's
catalog.W002  a file of a model is missing
catalog.W003  QDRANT_URL is no http(s) URL
catalog.W004  tracebacks are shown on a host that others can reach
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from catalog.jobs.nightly import time_of
from shop_search.errors import ServiceError
from shop_search.instance import LOCAL_HOSTS
from shop_search.model_card import ModelCard

MODELS = {"DETECTOR": "detector", "ENCODER": "encoder"}


@register("shop_search")
def check_home(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    home = settings.SHOP_SEARCH_HOME
    if os.access(home, os.R_OK | os.W_OK | os.X_OK):
        return []
    return [
        Error(
            f"{home} can't be written, and everything Shop Search keeps is in there.",
            hint="Give this user the folder, or set SHOP_SEARCH_HOME to another one.",
            id="catalog.E001",
        )
    ]


@register("shop_search")
def check_backends(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    return [
        Error(
            f"{name} is {getattr(settings, name, None)!r}.",
            hint='It must be a dict like {"BACKEND": "dotted.path.Class", "OPTIONS": {}}.',
            id="catalog.E002",
        )
        for name in ("DETECTOR", "ENCODER", "VECTOR_STORE")
        if not is_backend(getattr(settings, name, None))
    ]


@register("shop_search")
def check_models(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Warns only: a model can't be trained by a command that refuses to start without it."""
    found: list[CheckMessage] = []
    for setting, kind in MODELS.items():
        config = getattr(settings, setting, None)
        card = _option(config, "card")
        if card is not None:
            found += _check_card(Path(card), kind)
    return found


@register("shop_search")
def check_nightly(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    try:
        time_of(settings.NIGHTLY)
    except ValueError:
        return [
            Error(
                f"SHOP_SEARCH_NIGHTLY is {settings.NIGHTLY!r}, which is no time of day.",
                hint="It looks like 03:00, in UTC, or is off.",
                id="catalog.E003",
            )
        ]
    return []


@register("shop_search")
def check_vector_store(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    url = _option(getattr(settings, "VECTOR_STORE", None), "url")
    if url is None or (urlsplit(url).scheme in {"http", "https"} and urlsplit(url).hostname):
        return []
    return [
        Warning(
            f"QDRANT_URL is {url!r}, which is no address of a Qdrant server.",
            hint="It looks like http://qdrant.example:6333.",
            id="catalog.W003",
        )
    ]


@register("shop_search")
def check_debug(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    others = sorted(set(settings.ALLOWED_HOSTS) - LOCAL_HOSTS)
    if not settings.DEBUG or not others:
        return []
    return [
        Warning(
            f"Tracebacks with settings and source are shown to whoever reaches {', '.join(others)}.",
            hint="Unset SHOP_SEARCH_DEBUG where others can reach this site.",
            id="catalog.W004",
        )
    ]


def is_backend(config: object) -> bool:
    """Returns whether a setting has the shape that `shop_search.backends` builds from."""
    return (
        isinstance(config, dict)
        and isinstance(config.get("BACKEND"), str)
        and isinstance(config.get("OPTIONS", {}), dict)
    )


def _option(config: Any, name: str) -> Any:
    return config.get("OPTIONS", {}).get(name) if is_backend(config) else None


def _check_card(path: Path, kind: str) -> list[CheckMessage]:
    hint = f"Restore it, run `manage.py export_{kind}`, or set SHOP_SEARCH_{kind.upper()} to another card."
    try:
        card = ModelCard.load(path)
    except ServiceError as error:
        return [Warning(error.message, hint=hint, id="catalog.W001")]
    if card.kind != kind:
        return [Warning(f"{path} describes a {card.kind}, not a {kind}.", hint=hint, id="catalog.W001")]
    # Sizes of tens of megabytes: hashing them belongs to loading the model, not to every command's start.
    missing = [file.path for file in card.files.values() if not (path.parent / file.path).is_file()]
    return [
        Warning(f"{path.parent / name} is on the model's card, but missing.", hint=hint, id="catalog.W002")
        for name in missing
    ]
