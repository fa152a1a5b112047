"""What simulated shoppers ask: photos of products that are sold here, words, and now and then a photo of nothing."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL.Image import Image

from catalog.bands.scores import Sampled, sample
from catalog.bands.shopper_photos import PHOTO, Surface, developed, placed_photo
from catalog.indexing.embedding import read_photo
from catalog.models import Product, ProductImage
from catalog.search.questions import Question
from catalog.simulation.clicks import Dice
from catalog.simulation.truth import Meant, Thing, things
from detection.types import Box

# Of all searches. The rest are photos.
BY_WORDS, OF_NOTHING = 0.12, 0.04
# Products that are asked for; the n-th most wanted is asked for 1 / n^POPULARITY times as often as the first.
MOST_PRODUCTS, POPULARITY = 400, 0.7


@dataclass(frozen=True, slots=True)
class Asked:
    """One question with its right answer."""

    question: Question
    meant: Meant
    box: Box | None = None  # of the product in the photo


@dataclass(frozen=True, slots=True)
class Demand:
    """What shoppers want, the most wanted first."""

    sampled: tuple[Sampled, ...]
    meant: dict[int, Meant]  # by product
    titles: dict[int, str]
    chances: np.ndarray

    def question(self, dice: Dice, surface: Surface) -> Asked:
        """Returns one question. Raises InputError when the product's picture can't be read."""
        roll = dice.random()
        one = self.sampled[int(dice.choice(len(self.sampled), p=self.chances))]
        if roll < OF_NOTHING:
            empty = developed(surface(dice, *PHOTO), dice)
            return Asked(Question(image=_jpeg(empty)), Meant(Thing(""), frozenset()))
        meant = self.meant[one.product]
        if roll < OF_NOTHING + BY_WORDS:
            return Asked(Question(text=self.titles[one.product].casefold()[:100]), meant)
        _, name = one.files[int(dice.integers(len(one.files)))]
        photo, box = placed_photo(read_photo(name).image, dice, surface)
        return Asked(Question(image=_jpeg(photo)), meant, box)


def demand(searches: int, dice: Dice) -> Demand:
    """Returns what is wanted in this shop; nothing where nothing is indexed."""
    sampled: Sequence[Sampled] = sample(min(MOST_PRODUCTS, searches), dice)
    known = things(one.product for one in sampled)
    listed = dict(
        ProductImage.objects.filter(pk__in={image for one in sampled for image in one.twins}).values_list(
            "pk", "product"
        )
    )
    chances = np.arange(1, len(sampled) + 1, dtype=float) ** -POPULARITY
    return Demand(
        tuple(sampled),
        {
            one.product: Meant(
                known[one.product],
                frozenset({one.product} | {listed[image] for image in one.twins if image in listed}),
            )
            for one in sampled
        },
        dict(Product.objects.filter(pk__in=list(known)).values_list("pk", "title")),
        chances / chances.sum() if len(sampled) else chances,
    )


def _jpeg(picture: Image) -> bytes:
    stream = io.BytesIO()
    picture.convert("RGB").save(stream, "JPEG", quality=85)
    return stream.getvalue()
