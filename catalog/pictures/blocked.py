"""Which pictures are blocked photos or copies of them: by their bytes, else by fingerprint, then laid over each other.

    picture -> SHA-256 known -> blocked
            -> its fingerprint near to a blocked photo's, in any turn -> laid over it (embeddings.alignment) -> blocked

While nothing is blocked, all of this costs one small query for a batch of pictures.
"""

import logging
import math
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from django.core.files.storage import default_storage
from django.db.models import Count, Max
from numpy.typing import NDArray
from PIL import Image

from catalog.models import BlockedFile, BlockedPhoto
from detection.images import decode
from embeddings.alignment import align
from embeddings.copies import FAR, NEAR, View
from embeddings.fingerprint import TURNS, as_vector, distance_of
from shop_search.errors import InputError

log = logging.getLogger(__name__)

CODE = "photo_blocked"
# Pixels of the longest side at which pictures are compared: what alignment looks at.
SIDE = 256
# Of one picture, the blocked photos that are laid over it: 3 ms each where near, 10 where far.
_TRIED = 8

# A page of pictures asks for fifty of them at once; whether one was blocked may be known two seconds late.
FRESH_S = 2.0

# Bits between a picture and the same saved again in another size or quality: 0 to 8 mostly.
SAME_FILE = 16

Version = tuple[int, int]


@dataclass(frozen=True, slots=True)
class BlockedPhotos:
    """The photos that are blocked, as of one moment; safe to ask from any thread."""

    version: Version  # changes when a photo is blocked or let in again
    _by_file: Mapping[str, int] = field(default_factory=dict)  # SHA-256 -> photo
    _ids: tuple[int, ...] = ()  # of each row of `_turns`
    _files: Mapping[int, str] = field(default_factory=dict)  # photo -> file
    _turns: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, len(TURNS), 256), np.float32))

    @classmethod
    def read(cls) -> "BlockedPhotos":
        """Returns what is blocked now."""
        version = current_version()
        if not version[0]:
            return cls(version)
        photos = list(BlockedPhoto.objects.active().values_list("pk", "file", "bits"))
        usable = [(pk, turns_of(bytes(bits))) for pk, _, bits in photos if bits]
        return cls(
            version,
            dict(BlockedFile.objects.filter(photo__lifted_at=None).values_list("sha256", "photo")),
            tuple(pk for pk, _ in usable),
            {pk: file for pk, file, _ in photos},
            np.stack([turns for _, turns in usable]) if usable else np.zeros((0, len(TURNS), 256), np.float32),
        )

    def __bool__(self) -> bool:
        return bool(self._files)

    def of_file(self, sha256: str) -> int | None:
        """Returns the blocked photo that these bytes are known to show, or None."""
        return self._by_file.get(sha256)

    def of_vector(self, vector: NDArray[np.float32]) -> bool:
        """Returns whether a picture of this fingerprint, (256,), may show a blocked photo: worth looking at."""
        return bool(self._turns.size) and distance_of(float((self._turns @ vector).max())) <= FAR

    def of_picture(self, image: Image.Image) -> int | None:
        """Returns the blocked photo that an upright picture is a copy of, or None."""
        if not self._turns.size:
            return None
        view = View.of(image)
        if not view.is_usable:
            return None
        own = view.turns[0].vector
        scores = self._turns @ own  # (n, 8)
        best = scores.max(axis=1)
        for row in np.argsort(-best)[:_TRIED]:
            distance = distance_of(float(best[row]))
            if distance > FAR:
                break
            pk = self._ids[int(row)]
            blocked = small_picture(self._files[pk])
            # The blocked photo, turned this way, is like the picture.
            if blocked is not None and shows_the_same(blocked, image, int(scores[row].argmax()), distance):
                return pk
        return None


def current_version() -> Version:
    """Returns what changes when a photo is blocked or let in again."""
    row = BlockedPhoto.objects.active().aggregate(count=Count("pk"), latest=Max("pk"))
    return row["count"], row["latest"] or 0


def shows_the_same(photo: Image.Image, picture: Image.Image, turn: int, distance: int) -> bool:
    """Returns whether the picture is a copy of the photo in its own colors; `turn` turns the photo like the picture.

    In another color it may be another product, and what is blocked is a photo.
    """
    alignment = align(View.of(photo).image, View.of(picture).image, turns=(turn,), is_whole=distance <= NEAR)
    # A tint can't be told where one of them has no colors: then only what is as good as the same file will do.
    is_recolored = alignment.is_recolored and not (math.isnan(alignment.tint) and distance <= SAME_FILE)
    return alignment.is_copy and not is_recolored


def bits_of(image: Image.Image) -> bytes | None:
    """Returns the fingerprints of the picture in all eight turns, 32 bytes each; None where it is too even."""
    view = View.of(image)
    return np.packbits(np.stack([turn.bits for turn in view.turns])).tobytes() if view.is_usable else None


def turns_of(bits: bytes) -> NDArray[np.float32]:
    """Returns the vectors of such fingerprints, (8, 256)."""
    return as_vector(np.unpackbits(np.frombuffer(bits, np.uint8)).reshape(len(TURNS), -1).astype(np.bool_))


def small_picture(name: str) -> Image.Image | None:
    """Returns the stored picture, small, or None: a file that is gone or rotten is compared with nothing."""
    try:
        with default_storage.open(name, "rb") as stream:
            return decode(stream.read(), keep_side=SIDE).image
    except (OSError, InputError) as error:
        log.warning("A picture can't be compared with a blocked one: %s: %s", name, error)
        return None


def refusal(name: str) -> InputError:
    """Returns the error of a row whose picture is blocked."""
    message = (
        f"{name[:100]!r} shows a photo that this shop has blocked. Use another photo of the product, "
        "or ask the shop's staff to look at it again."
    )
    return InputError(CODE, message)


def among(shas: Iterable[str]) -> dict[str, int]:
    """Returns which of these contents (SHA-256) are blocked now, with their photos."""
    found = BlockedFile.objects.filter(sha256__in=list(shas), photo__lifted_at=None)
    return dict(found.values_list("sha256", "photo"))


def is_served(name: str) -> bool:
    """Returns whether a media file may be shown to everybody, as of at most `FRESH_S` seconds ago."""
    if not name.startswith("products/"):
        return True
    with _lock:
        if _kept and time.monotonic() < _kept[0][0]:
            return name not in _kept[0][1]
    found = BlockedFile.objects.filter(photo__lifted_at=None).exclude(file="")
    names = frozenset(found.values_list("file", flat=True))
    with _lock:
        _kept[:] = [(time.monotonic() + FRESH_S, names)]
    return name not in names


def forget() -> None:
    """Makes the next picture that is served ask the database."""
    with _lock:
        _kept.clear()


_lock = threading.Lock()
_kept: list[tuple[float, frozenset[str]]] = []
