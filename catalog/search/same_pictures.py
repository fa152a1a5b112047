"""Which of a search's candidates show one picture, whoever saved it in whatever size: they are one thing on one card.

Measured on 5,166 catalog pictures of one shop: 90 of them saved again as a JPEG, larger and at six and eight tenths of
their size have fingerprints within 8 bits of their own in 359 of 360 cases; of the 13 million pairs of different
pictures none has. The dominant colors must agree too (.98 of the 360), because fingerprints see none: of two drawn
alike in two colors only these tell. The embedding was tried as well, and says nothing more.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from catalog.indexing.points import COPY, has_fingerprints
from catalog.search.ranking import Candidate, palette_of
from catalog.serving import carried
from embeddings import vector_store
from embeddings.fingerprint import score_of
from embeddings.palettes import likeness

SAME_BITS = 8
LEAST_ALIKE = 0.7

Prints = Mapping[int, NDArray[np.float32]]  # by image id: (256,), unit length

_reading = ThreadPoolExecutor(max_workers=4, thread_name_prefix="prints")


def begin_reading(collection: str, found: Sequence[Candidate]) -> "Future[Prints] | None":
    """Begins to read the candidates' fingerprints while the database is asked; None where there are none to compare."""
    if len(found) < 2 or not has_fingerprints(collection):
        return None
    ids = [one.image_id for one in found]
    return _reading.submit(carried(_read), collection, ids)


def _read(collection: str, ids: Sequence[int]) -> Prints:
    return vector_store().retrieve(collection, ids, using=COPY)


def groups_of(found: Sequence[Candidate], prints: Prints) -> dict[int, int]:
    """Returns by image id the id that stands for its group, of those candidates whose picture another one shows too."""
    known = [one for one in found if one.image_id in prints]
    if len(known) < 2:
        return {}
    bits = np.stack([prints[one.image_id] for one in known])
    is_near = bits @ bits.T >= score_of(SAME_BITS) - 1e-4
    leader = list(range(len(known)))
    for row, column in zip(*np.nonzero(np.triu(is_near, 1)), strict=True):
        first, second = known[row], known[column]
        (alike,) = likeness(palette_of(first.payload), [palette_of(second.payload)])
        if not alike < LEAST_ALIKE:  # where one has no colors, nothing speaks against it
            leader = [leader[row] if one == leader[column] else one for one in leader]
    sizes = np.bincount(leader, minlength=len(known))
    return {one.image_id: known[lead].image_id for one, lead in zip(known, leader, strict=True) if sizes[lead] > 1}
