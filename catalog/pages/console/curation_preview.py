"""What a rule would change: the same questions asked without it and with it, as rows of pictures.

Questions are the latest photos that shoppers sent of the category, or that belong to the cluster; where there are too
few, products of the category stand in for them.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from django.urls import reverse
from numpy.typing import NDArray
from PIL import Image

from catalog.curation.rules import Rule, trying
from catalog.models import Curation, Product, ProductImage, SearchRecord
from catalog.pages.cards import thumb
from catalog.pictures.searched_crops import path_of
from catalog.search.answers import Result
from catalog.search.questions import ALL_CATEGORIES, Question
from catalog.search.search import search
from embeddings import encoder
from shop_search.errors import InputError

QUERIES = 3
CARDS = 8
# Kept crops that are looked at for a cluster: 10 ms each.
LOOKED_AT = 40


@dataclass(frozen=True, slots=True)
class Tile:
    """One product in a row."""

    rank: int
    title: str
    image: str | None
    band: str
    is_meant: bool  # the rule's product


@dataclass(frozen=True, slots=True)
class Pair:
    """One question's answer without the rule and with it."""

    picture: str
    about: str
    before: tuple[Tile, ...]
    after: tuple[Tile, ...]

    @property
    def is_changed(self) -> bool:
        return self.before != self.after


@dataclass(frozen=True, slots=True)
class Preview:
    """What a rule would change. `belonging` of `looked_at` recent photos are in the cluster; 0 of 0 for a category."""

    pairs: tuple[Pair, ...]
    belonging: int = 0
    looked_at: int = 0


@dataclass(frozen=True, slots=True)
class _Asked:
    picture: str
    about: str
    question: Question


def preview(row: Curation) -> Preview:
    """Returns the effect of a rule, saved or not, beside the other rules in force.

    Raises ServiceError when a model or the store fails.
    """
    others = [one for one in Curation.objects.in_force().select_related("category") if one.pk != row.pk]
    ours = encoder().card.fingerprint
    rules = [Rule.of(one) for one in others if not one.embedding or one.encoder == ours]
    asked, belonging, looked_at = _of_cluster(row) if row.embedding else (_of_category(row), 0, 0)
    pairs: list[Pair] = []
    for one in asked:
        try:
            with trying(rules):
                before = search(one.question).results
            with trying([*rules, Rule.of(row)]):
                after = search(one.question).results
        except InputError:  # a crop too small to be asked with, a product whose picture waits
            continue
        pairs.append(Pair(one.picture, one.about, _tiles(before, row), _tiles(after, row)))
    return Preview(tuple(pairs), belonging, looked_at)


def _tiles(results: Sequence[Result], row: Curation) -> tuple[Tile, ...]:
    return tuple(
        Tile(one.rank, one.product.title, thumb(one.image.file.url), str(one.band), one.product.pk == row.product_id)
        for one in results
    )


def _of_category(row: Curation) -> list[_Asked]:
    assert row.category is not None
    slug = row.category.slug
    records = SearchRecord.objects.filter(category=slug).exclude(crop="").order_by("-created_at")
    asked = [one for record in records[: 2 * QUERIES] if (one := _photo(record, slug)) is not None][:QUERIES]
    if len(asked) < QUERIES:
        shown = Product.objects.shown().filter(category=row.category, images__state=ProductImage.State.INDEXED)
        for product in shown.exclude(pk=row.product_id).distinct().order_by("-pk")[: QUERIES - len(asked)]:
            image = product.images.first()
            picture = thumb(image.file.url) if image else ""
            asked.append(_Asked(picture, product.title, Question(product=product.pk, category=slug, limit=CARDS)))
    return asked


def _of_cluster(row: Curation) -> tuple[list[_Asked], int, int]:
    """Returns photos of the cluster, the one it was made of first, how many belong, and of how many."""
    assert row.embedding is not None
    center = np.frombuffer(bytes(row.embedding), np.float32)
    records = list(SearchRecord.objects.exclude(crop="").order_by("-created_at")[:LOOKED_AT])
    kept = [(record, path) for record in records if (path := path_of(record.crop)) is not None]
    pictures = []
    for _, path in kept:
        with Image.open(path) as image:
            pictures.append(image.convert("RGB"))
    scores: NDArray[np.float32] = np.zeros(0, np.float32)
    if pictures:
        scores = encoder().encode_images(pictures) @ center
    order = [int(place) for place in np.argsort(-scores) if scores[place] >= (row.least_score or 0.0)]
    asked = [one for place in order[:QUERIES] if (one := _photo(kept[place][0], ALL_CATEGORIES)) is not None]
    return asked, len(order), len(kept)


def _photo(record: SearchRecord, category: str) -> _Asked | None:
    path = path_of(record.crop)
    if path is None:
        return None
    data = path.read_bytes()
    with Image.open(io.BytesIO(data)) as image:
        box = (0.0, 0.0, float(image.width), float(image.height))  # all of it: the crop is what was searched with
    return _Asked(
        reverse("console:crop", args=[record.pk]),
        f"{record.created_at:%d %b, %H:%M}",
        Question(image=data, box=box, category=category, limit=CARDS),
    )
