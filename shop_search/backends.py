"""One object per process from a settings dict of the shape {"BACKEND": "dotted.Class", "OPTIONS": {...}}.

Django's own handlers (CACHES, DATABASES) build one object per thread, which for model weights is wrong. A `Backend`
builds its object on first use, under a lock, once per process, and forgets it when a test overrides the setting.
"""

import os
import threading
from typing import Any, Generic, TypeVar

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.utils.module_loading import import_string

T = TypeVar("T")


class Backend(Generic[T]):
    """Calling it returns this process's object for `setting`.

    Raises ImproperlyConfigured when the setting is missing, malformed, or names a class that can't be imported.
    """

    def __init__(self, setting: str) -> None:
        self.setting = setting
        self._lock = threading.Lock()
        self._built: T | None = None
        self._pid = 0
        setting_changed.connect(self._on_setting_changed)

    def __call__(self) -> T:
        built = self._built
        if built is not None and self._pid == os.getpid():
            return built
        with self._lock:
            if self._built is None or self._pid != os.getpid():
                self._built = self._build()
                self._pid = os.getpid()
            return self._built

    def reset(self) -> None:
        """Forgets the object; the next call builds a new one."""
        with self._lock:
            self._built = None

    def _build(self) -> T:
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
        built: T = backend(**config.get("OPTIONS", {}))
        return built

    def _on_setting_changed(self, *, setting: str, **_: object) -> None:
        if setting == self.setting:
            self.reset()
