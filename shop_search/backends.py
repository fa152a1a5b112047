"""One object per process from a settings dict of the shape {"BACKEND": "dotted.Class", "OPTIONS": {...}}.

Django's own handlers (CACHES, DATABASES) build one object per thread, which for model weights is wrong. A `Backend`
builds its object on first use, under a lock, once per process, and forgets it when a test overrides the setting.
Where `options_in_force` gives options, they stand in for those of the settings: one object is kept for each.
"""

import json
import os
import threading
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any, Generic, TypeVar

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.utils.module_loading import import_string

T = TypeVar("T")


# Kept at once: what is live, what is compared with it, and what a rollback goes back to. Weights take up to 100 MB.
MOST_KEPT = 3

Options = Mapping[str, Any]


class Backend(Generic[T]):
    """Calling it returns this process's object for `setting`.

    Raises ImproperlyConfigured when the setting is missing, malformed, or names a class that can't be imported.
    """

    def __init__(self, setting: str) -> None:
        self.setting = setting
        self.options_in_force: Callable[[], Options | None] = lambda: None
        self._lock = threading.Lock()
        self._built: dict[str, T] = {}
        self._used_at: dict[str, float] = {}
        self._pid = 0
        setting_changed.connect(self._on_setting_changed)

    def __call__(self) -> T:
        options = self.options_in_force()
        key = "" if options is None else json.dumps(options, sort_keys=True, default=str)
        built = self._built.get(key)
        if built is None or self._pid != os.getpid():
            built = self._build_once(key, options)
        self._used_at[key] = monotonic()
        return built

    def reset(self) -> None:
        """Forgets the objects; the next call builds a new one."""
        with self._lock:
            self._built = {}

    def build(self, options: Options | None = None) -> T:
        """Returns a new object that nobody else has: of the setting, with these options in place of its own."""
        config: dict[str, Any] | None = getattr(settings, self.setting, None)
        if not isinstance(config, dict) or "BACKEND" not in config:
            raise ImproperlyConfigured(
                f'{self.setting} must be a dict like {{"BACKEND": "dotted.path.Class", "OPTIONS": {{}}}}, '
                f"not {config!r}."
            )
        try:
            backend = import_string(config["BACKEND"])
        except ImportError as error:
            raise ImproperlyConfigured(f"{self.setting}: can't import {config['BACKEND']!r}: {error}") from error
        built: T = backend(**{**config.get("OPTIONS", {}), **(options or {})})
        return built

    def _build_once(self, key: str, options: Options | None) -> T:
        with self._lock:
            if self._pid != os.getpid():
                self._built, self._pid = {}, os.getpid()
            if key not in self._built:
                made = self.build(options)
                kept = sorted(self._built, key=lambda one: self._used_at.get(one, 0.0))[-(MOST_KEPT - 1) :]
                self._built = {**{one: self._built[one] for one in kept}, key: made}
            return self._built[key]

    def _on_setting_changed(self, *, setting: str, **_: object) -> None:
        if setting == self.setting:
            self.reset()
