"""Whether the nearest product may be called the same as the one in the photo. At most one may."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

from catalog.bands import Band, Bands
from catalog.bands.crowds import crowd_of
from catalog.search.ranking import Candidate
from catalog.serving import carried

_asking = ThreadPoolExecutor(max_workers=4, thread_name_prefix="crowds")


class Claims:
    """Asks the index what lies around a product, each only once, and only where it could matter."""

    def __init__(self, bands: Bands, collection: str) -> None:
        self._bands = bands
        self._collection = collection
        self._crowds: dict[int, Future[float]] = {}  # by image id

    def begin(self, found: Sequence[Candidate]) -> None:
        """Begins to ask about the likeliest candidate, while the database says which may be shown."""
        best = _best(found)
        if best is not None and self._is_contender(best):
            self._crowd(best)

    def made(self, found: Sequence[Candidate]) -> list[Candidate]:
        """Returns the candidates, the one most like the photo called the same product where its lead reaches that.

        Raises ServiceError when the store fails.
        """
        best = _best(found)
        if best is None or not self._is_contender(best):
            return list(found)
        banded = replace(best, band=self._band(best, crowd=self._crowd(best).result()))
        return [banded if one is best else one for one in found]

    def _is_contender(self, one: Candidate) -> bool:
        """Whether it would be called the same product if it had no look-alike at all."""
        return self._band(one, crowd=0.0) is Band.SAME_PRODUCT

    def _crowd(self, one: Candidate) -> Future[float]:
        if one.image_id not in self._crowds:
            self._crowds[one.image_id] = _asking.submit(carried(crowd_of), self._collection, one.image_id)
        return self._crowds[one.image_id]

    def _band(self, one: Candidate, *, crowd: float) -> Band:
        return self._bands.band(one.asked_score, _category(one), crowd=crowd)


def scoring_the_same(found: Sequence[Candidate], bands: Bands) -> frozenset[int]:
    """Returns the ids of products that score like the same one, though only one is called it: these tend to agree."""
    promises = (Band.SAME_PHOTO, Band.SAME_PRODUCT)
    return frozenset(one.product_id for one in found if bands.band(one.asked_score, _category(one)) in promises)


def _category(one: Candidate) -> str:
    return str(one.payload.get("category") or "")


def _best(found: Sequence[Candidate]) -> Candidate | None:
    return max(found, key=lambda one: one.asked_score, default=None)
