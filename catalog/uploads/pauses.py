"""What a merchant is told while something of ours doesn't work: what waits, since when, and that it goes on by itself.

Nothing of a merchant's is lost meanwhile: uploads go on at their checkpoint, pictures stay due.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from catalog.models import Pause, Upload
from catalog.pictures.disk import check_space
from shop_search.errors import ServiceError

# ServiceErrors' own messages speak to whoever runs the shop.
_DISK = "The shop's disk is full. The upload waits and goes on by itself once there is room; nothing is lost."
_WORDS = {
    "disk_full": _DISK,
    "media_unwritable": "The shop's disk takes no pictures at the moment. The upload waits and goes on by itself.",
    "uploads_unreadable": "The shop's disk can't be read at the moment. The upload waits and goes on by itself.",
    "vector_store_unavailable": "The search index can't be reached. Rows are taken in meanwhile; products are found "
    "once it is back, without anything to do for you.",
}
_OTHERS = "A part of the shop doesn't work at the moment. What waits goes on by itself; nothing is lost."
_ROWS = ("uploads",)
_PICTURES = ("pictures", "indexing")


@dataclass(frozen=True, slots=True)
class Waiting:
    """Why nothing goes on at the moment."""

    code: str
    message: str
    since: datetime | None

    def as_json(self) -> dict[str, str | None]:
        return {
            "code": self.code,
            "message": self.message,
            "since": self.since.isoformat().replace("+00:00", "Z") if self.since else None,
        }


def current_pauses() -> dict[str, Pause]:
    """Returns what the parts of the worker wait for now, by part."""
    return {pause.part: pause for pause in Pause.objects.current()}


def why_waiting(upload: Upload, pauses: Mapping[str, Pause], *, images_pending: int) -> Waiting | None:
    """Returns what keeps the upload's rows, or else the merchant's pictures, from going on; None where nothing does."""
    if not upload.is_finished:
        try:  # a disk without any room can't even take a note
            check_space(settings.UPLOADS_ROOT)
        except ServiceError as error:
            return Waiting(error.code, _DISK, None)
    parts = (() if upload.is_finished else _ROWS) + (_PICTURES if images_pending else ())
    pause = next((pauses[part] for part in parts if part in pauses), None)
    return Waiting(pause.code, _WORDS.get(pause.code, _OTHERS), pause.since) if pause else None
