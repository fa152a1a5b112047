"""Which pictures are copies of a photo: suspects by fingerprint and embedding, then laid over it one by one.

    photo (and crop) -> probes for the store -> suspects -> the near ones laid whole on whole, a few others anywhere

Laying one picture over another takes milliseconds, so only what is suspicious is, and only so many.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from embeddings.alignment import Alignment, Box, align
from embeddings.fingerprint import (
    AS_IS,
    BITS,
    MIRRORED,
    Fingerprint,
    as_vector,
    dihedral_fingerprints,
    score_of,
)

# Fingerprints further apart than this suggest nothing: strangers are at 128. Of 100 street photos, 89 have no picture
# this near among 5,000 catalog pictures; a crop of 5 % is at 60 (median), a border of 4 % too.
FAR = 88
# Up to here the whole pictures may lie over each other; further apart something was cut off or put around.
NEAR = 64
_NEAR_TRIED = 6  # pictures laid whole on whole: 3 ms each
# Pictures looked for inside each other, 10 ms each: the nearest by embedding (96 % of the copies that are cut off or
# framed are among 2, and hardly more among 8), and by fingerprint.
_LIKE_TRIED, _FAR_TRIED = 2, 2
_AS_LIKE = 12  # bits; copies of one picture, saved again, differ from a photo by nearly the same
_MARGIN = 0.15  # of its sides, around the place where a picture is thought to lie: detections are that unsure
_MOST_OF_PHOTO = 0.7  # a picture that covers more of the photo is found in the whole of it
_SIDE = 256  # longest side of the photo as it is compared

Load = Callable[[int], Image.Image | None]


@dataclass(frozen=True, slots=True)
class View:
    """The photo, or a part of it that may be a picture of its own, as it is compared."""

    image: Image.Image
    box: Box  # in pixels of the photo
    turns: tuple[Fingerprint, ...]  # by `embeddings.fingerprint.TURNS`

    @classmethod
    def of(cls, photo: Image.Image, box: Box | None = None) -> "View":
        """Returns a view of a part of the photo, of all of it without a box; at least 1 x 1 pixels."""
        x1, y1, x2, y2 = (0.0, 0.0, float(photo.width), float(photo.height)) if box is None else box
        left, top = min(int(x1), photo.width - 1), min(int(y1), photo.height - 1)
        right, bottom = max(left + 1, round(x2)), max(top + 1, round(y2))
        part = photo if box is None else photo.crop((left, top, right, bottom))
        if (factor := min(part.size) // _SIDE) > 1:  # the pixels of a photo are read once
            part = part.reduce(factor)
        scale = max(1.0, max(part.size) / _SIDE)
        size = (max(1, round(part.width / scale)), max(1, round(part.height / scale)))
        small = part.resize(size, Image.Resampling.BOX) if scale > 1 else part
        return cls(small, (left, top, right, bottom), dihedral_fingerprints(part))

    @property
    def is_usable(self) -> bool:
        return self.turns[AS_IS].is_usable

    def probes(self) -> list[NDArray[np.float32]]:
        """Returns the vectors, (256,) of unit length, whose nearest fingerprints are the nearest to any turn's.

        Two vectors do for eight turns: the mean of a few nearly orthogonal ones is still near to what is near to one of
        them. A copy up to about 90 bits away is found as it is and mirrored, up to 60 in any other turn.
        """
        if not self.is_usable:
            return []
        vectors = as_vector(np.stack([turn.bits for turn in self.turns]))
        groups = (vectors[[AS_IS, MIRRORED]], vectors[[turn for turn in range(len(vectors)) if turn > MIRRORED]])
        sums = [group.sum(axis=0) for group in groups]
        return [(total / max(float(np.linalg.norm(total)), 1e-6)).astype(np.float32) for total in sums]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A picture that the store suggests."""

    id: int
    vector: NDArray[np.float32] | None = None  # its fingerprint, if it has one
    cosine: float = -1.0  # of its embedding with the photo's; -1 when it was not found by it


@dataclass(frozen=True, slots=True)
class Suspect:
    """A candidate that is worth laying over the photo."""

    id: int
    view: View
    turn: int  # of the view, in which the fingerprints are nearest
    distance: int  # bits in which they differ then; 256 without a fingerprint
    cosine: float


@dataclass(frozen=True, slots=True)
class Match:
    """A suspect laid over the photo. `distance` is that of the fingerprints of both as a whole, in the best turn."""

    id: int
    distance: int
    alignment: Alignment  # boxes in pixels of the photo and of the picture as loaded
    size: tuple[int, int]  # of the picture as loaded


def suspects(views: Sequence[View], candidates: Iterable[Candidate], *, least_cosine: float) -> list[Suspect]:
    """Returns the candidates with a fingerprint near to a view's or an embedding this near, the most likely first."""
    found: list[Suspect] = []
    for candidate in candidates:
        nearest = Suspect(candidate.id, views[0], AS_IS, BITS, candidate.cosine)
        if candidate.vector is not None:
            for view in views:
                scores = as_vector(np.stack([turn.bits for turn in view.turns])) @ candidate.vector
                turn = int(scores.argmax())
                if view.is_usable and scores[turn] > score_of(nearest.distance):
                    distance = round(BITS / 2 * (1 - float(scores[turn])))
                    nearest = Suspect(candidate.id, view, turn, distance, candidate.cosine)
        if nearest.distance <= FAR or candidate.cosine >= least_cosine:
            found.append(nearest)
    return sorted(found, key=lambda one: (min(one.distance, FAR + 1), -one.cosine))


def matches(views: Sequence[View], found: Sequence[Suspect], load: Load) -> list[Match]:
    """Returns the suspects that are copies, in the order given. `load` returns a picture by id, None if it is gone."""
    copies = [one for one in laid_over(views, found, load) if one.alignment.is_copy]
    return of_one_picture(copies)


def second_look(photo: Image.Image, parts: Mapping[int, Box], found: Sequence[Suspect], load: Load) -> list[Match]:
    """Returns the suspects that are copies after all: mirrored and cropped, or a small part of the photo.

    For when nothing else was found. `parts` says where in the photo, in its pixels, each suspect's picture would lie:
    where the product is in both tells. Only the nearest by embedding are looked at, 2 ms each time for a stranger.
    """
    copies: list[Match] = []
    alike = sorted((one for one in found if one.cosine > -1), key=lambda one: -one.cosine)[:_LIKE_TRIED]
    for suspect in alike:
        picture = load(suspect.id)
        if picture is None:
            continue
        looks = [_on_photo(align(suspect.view.image, picture, turns=(MIRRORED,)), suspect.view)]
        if suspect.id in parts:
            view = View.of(photo, parts[suspect.id])
            looks.append(_on_photo(align(view.image, picture, turns=(AS_IS, MIRRORED)), view))
        best = max(looks, key=lambda alignment: alignment.likeness)
        if best.is_copy:
            copies.append(Match(suspect.id, suspect.distance, best, picture.size))
    return of_one_picture(copies)


def place_in_photo(product: Box, picture_product: Box, picture: tuple[int, int], photo: tuple[int, int]) -> Box | None:
    """Returns where in the photo a whole picture would lie, with a margin, told by where its product is in both.

    Sizes are width and height. None where that is most of the photo, which is compared as a whole anyway.
    """
    x = (product[2] - product[0]) / max(picture_product[2] - picture_product[0], 1.0)
    y = (product[3] - product[1]) / max(picture_product[3] - picture_product[1], 1.0)
    left, top = product[0] - picture_product[0] * x, product[1] - picture_product[1] * y
    width, height = picture[0] * x, picture[1] * y
    box = (
        max(0.0, left - _MARGIN * width),
        max(0.0, top - _MARGIN * height),
        min(float(photo[0]), left + (1 + _MARGIN) * width),
        min(float(photo[1]), top + (1 + _MARGIN) * height),
    )
    if box[2] - box[0] < 1 or box[3] - box[1] < 1:
        return None
    share = (box[2] - box[0]) * (box[3] - box[1]) / (photo[0] * photo[1])
    return box if share <= _MOST_OF_PHOTO else None


def of_one_picture(copies: Sequence[Match]) -> list[Match]:
    """Returns the copies that are as like the photo as the best of them, in its colors if there are such.

    Where the picture itself is found, the same cut in another color or pattern is another product.
    """
    kept = [one for one in copies if not one.alignment.is_recolored] or list(copies)
    nearest = min((one.alignment.distance for one in kept), default=0)
    return [one for one in kept if one.alignment.distance <= nearest + _AS_LIKE]


def laid_over(views: Sequence[View], found: Sequence[Suspect], load: Load) -> list[Match]:
    """Returns the most likely suspects as they lie over the photo, copies or not, in the order given."""
    near = [one for one in found if one.distance <= NEAR][:_NEAR_TRIED]
    loaded: dict[int, Image.Image | None] = {}
    best: dict[int, Match] = {}

    def lay(suspect: Suspect, view: View, turns: set[int], *, is_whole: bool) -> None:
        if suspect.id not in loaded:
            loaded[suspect.id] = load(suspect.id)
        picture = loaded[suspect.id]
        if picture is None:
            return
        alignment = align(view.image, picture, turns=sorted(turns), is_whole=is_whole)
        if suspect.id not in best or alignment.likeness > best[suspect.id].alignment.likeness:
            best[suspect.id] = Match(suspect.id, suspect.distance, _on_photo(alignment, view), picture.size)

    for suspect in near:
        lay(suspect, suspect.view, {suspect.turn}, is_whole=True)
    others = [one for one in found if one.id not in best or not best[one.id].alignment.is_copy]
    alike = sorted((one for one in others if one.cosine > -1), key=lambda one: -one.cosine)[:_LIKE_TRIED]
    far = [one for one in others if one.distance <= FAR][:_FAR_TRIED]
    for suspect in {one.id: one for one in [*alike, *far]}.values():
        turns = {AS_IS, suspect.turn} if suspect.distance <= FAR else {AS_IS}
        lay(suspect, views[0], turns, is_whole=False)
    return [best[one.id] for one in found if one.id in best]


def _on_photo(alignment: Alignment, view: View) -> Alignment:
    """Returns the alignment with its first box in pixels of the photo."""
    left, top, right, bottom = view.box
    x, y = (right - left) / view.image.width, (bottom - top) / view.image.height
    x1, y1, x2, y2 = alignment.first_box
    box = (left + x1 * x, top + y1 * y, left + x2 * x, top + y2 * y)
    return replace(alignment, first_box=box)
