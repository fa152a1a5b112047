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


Thresholds = Mapping[Band, float]  # the score from which each band but the last is reached


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

    def band(self, score: float, category: str | None = None) -> Band:
        """Returns the best band whose threshold a score with a product of this category reaches."""
        thresholds = self.by_category.get(category or "", self.everywhere)
        return next(
            (band for band in Band if band in thresholds and score >= thresholds[band]),
            Band.NOTHING_CLOSE,
        )


def _similar_only(thresholds: Thresholds) -> Thresholds:
    return {Band.SIMILAR: thresholds[Band.SIMILAR]} if Band.SIMILAR in thresholds else {}
