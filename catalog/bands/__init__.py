"""What a score means to a shopper: bands instead of bare numbers, by thresholds that hold for one encoder."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from django.conf import settings


class Band(StrEnum):
    """What a score means to a shopper, best first."""

    SAME_PHOTO = "same_photo"
    SAME_PRODUCT = "same_product"
    SIMILAR = "similar"
    NOTHING_CLOSE = "nothing_close"


# The score from which each band but the last is reached; of the same product, the lead.
Thresholds = Mapping[Band, float]

# How alike a catalog picture is to its neighbors: the median of a shop of 1,356 products.
USUAL_CROWD = 0.4
# The part of it that counts: chosen among 0 to 1 on photos made of catalog pictures and 92 real ones, docs/bands.md.
CROWDING = 0.5


def lead(score: float, crowd: float) -> float:
    """Returns the score with a picture as it would be if it had as many look-alikes as usual.

    `crowd` is how alike the picture is to its neighbors in the catalog (catalog.bands.crowds).
    """
    return score - CROWDING * (max(crowd, 0.0) - USUAL_CROWD)


@dataclass(frozen=True, slots=True)
class Bands:
    """Thresholds for every category, and other ones for the categories (slugs) that have their own."""

    everywhere: Thresholds
    by_category: Mapping[str, Thresholds] = field(default_factory=dict)

    @classmethod
    def of_settings(cls) -> "Bands":
        """Returns `settings.BAND_THRESHOLDS`, for a shop that has not calibrated its own."""
        return cls({Band(name): float(score) for name, score in settings.BAND_THRESHOLDS.items()})

    def between_catalog_pictures(self) -> "Bands":
        """Returns the bands for scores between two catalog pictures, of which none says that it is the same product.

        Packshots resemble each other far more than any shopper's photo, from which thresholds are learned.
        """
        similar = {slug: _similar_only(thresholds) for slug, thresholds in self.by_category.items()}
        return Bands(_similar_only(self.everywhere), similar)

    def band(self, score: float, category: str | None = None, *, crowd: float | None = USUAL_CROWD) -> Band:
        """Returns the best band whose threshold a score with a product of this category reaches.

        The same product goes by the lead that `crowd` leaves, the others by the score. A product whose crowd is None is
        not called the same: another one is nearer to the photo.
        """
        thresholds = self.by_category.get(category or "", self.everywhere)
        reached = {band for band, least in thresholds.items() if score >= least}
        reached.discard(Band.SAME_PRODUCT)
        same = thresholds.get(Band.SAME_PRODUCT)
        if same is not None and crowd is not None and lead(score, crowd) >= same:
            reached.add(Band.SAME_PRODUCT)
        return next((band for band in Band if band in reached), Band.NOTHING_CLOSE)


def _similar_only(thresholds: Thresholds) -> Thresholds:
    return {Band.SIMILAR: thresholds[Band.SIMILAR]} if Band.SIMILAR in thresholds else {}
