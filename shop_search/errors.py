"""Every error that Shop Search raises on purpose.

    ShopSearchError            code, message, fields
    ├── InputError             the sender can fix it; the message says how
    └── ServiceError           we must fix it; the sender may try again later

`code` is stable and meant for programs; `message` is a sentence for people. The rooms never know HTTP:
`catalog/api/errors.py` holds the one table from codes to statuses.
"""

from collections.abc import Mapping


class ShopSearchError(Exception):
    """An error with a stable `code`, a sentence for people, and messages per field where fields are to blame."""

    def __init__(self, code: str, message: str, *, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.fields: dict[str, str] = dict(fields or {})


class InputError(ShopSearchError):
    """What was sent can't be used, and the sender can mend it."""


class ServiceError(ShopSearchError):
    """A part of the service failed: a model file, the vector store, the disk."""
