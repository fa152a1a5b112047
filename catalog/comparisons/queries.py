"""Queries with known answers, for both versions alike.

    second photos   each picture of a product with several, which is taken out of the index for its own query
    judged          crops that shoppers searched with, and what reviewers said of their results
    made            a shopper's photo made of a product's only picture: synthetic, and only where the others are few

Another listing of the same product (title, GTIN, item group or picture) is as good as the product.
"""

import io
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from django.conf import settings
from django.db.models import Count
from PIL.Image import Image

from catalog.bands.scores import twins_of
from catalog.bands.shopper_photos import Surface, shopper_photo
from catalog.indexing.embedding import read_photo
from catalog.models import ProductImage, Verdict
from catalog.pictures.searched_crops import path_of
from catalog.review.quality import GAINS
from shop_search.errors import InputError

SECOND_PHOTO, JUDGED, MADE = "second photo", "judged search", "made photo"
# Pictures of one product look alike: more of them tell little that is new.
MOST_OF_A_PRODUCT = 4
SAME_GAIN = GAINS["same_product"]


@dataclass(frozen=True, slots=True)
class Query:
    """One question with its answer. `removed` are pictures that must not be found, `gains` what is known of products.

    Queries of one `cluster` belong to one product or search: their outcomes are not independent.
    """

    source: str
    cluster: str
    category: str
    picture: Mapping[str, Any]  # how a page shows it: {"image": id} or {"search": id}
    gains: Mapping[int, float]
    removed: tuple[int, ...] = ()
    judged_only: bool = False  # products without a gain are unknown, not wrong
    file: str = ""
    made_of: Surface | None = field(default=None, compare=False)
    dice_seed: int = 0

    @property
    def same(self) -> frozenset[int]:
        """The products that are the one that was looked for."""
        return frozenset(product for product, gain in self.gains.items() if gain >= SAME_GAIN)

    def photo(self) -> bytes:
        """Returns the photo's bytes. Raises InputError when its file is gone or can't be read."""
        if self.source == JUDGED:
            path = path_of(self.file)
            if path is None:
                raise InputError("crop_gone", "The crop of this search is no longer kept.")
            return path.read_bytes()
        picture = read_photo(self.file).image
        if self.made_of is not None:
            picture = shopper_photo(picture, np.random.default_rng(self.dice_seed), self.made_of)
        return _jpeg(picture)


def queries(size: int, *, seed: int, surface: Surface) -> list[Query]:
    """Returns at most `size` second photos and as many judged searches; with fewer, made photos fill up.

    The same seed gives the same queries. Raises InputError `nothing_to_ask` for an empty catalog.
    """
    dice = np.random.default_rng(seed)
    found = [*_second_photos(size, dice), *_judged(size)]
    if len(found) < size:
        found += _made(size - len(found), dice, surface, seed)
    if not found:
        raise InputError("nothing_to_ask", "No product has a picture in the index, so there is nothing to look for.")
    return found


def _second_photos(size: int, dice: np.random.Generator) -> list[Query]:
    indexed = ProductImage.objects.indexable().filter(state=ProductImage.State.INDEXED)
    several = indexed.order_by().values("product").annotate(pictures=Count("pk")).filter(pictures__gte=2)
    products = [int(pk) for pk in dice.permutation(sorted(row["product"] for row in several))]
    files = _files(products[:size])
    chosen: list[tuple[int, int, str, str]] = []  # product, image, file, category
    for product in products:
        if len(chosen) >= size:
            break
        rows = files.get(product, [])
        if len(rows) == 2:  # with two, either is the other's answer: the second is asked for the first
            rows = rows[1:]
        chosen += [(product, *row) for row in rows[:MOST_OF_A_PRODUCT]]
    chosen = chosen[:size]
    same = twins_of(sorted({product for product, *_ in chosen}))
    return [
        Query(
            source=SECOND_PHOTO,
            cluster=f"product {min(same[product])}",
            category=category,
            picture={"image": image},
            gains=dict.fromkeys(same[product], SAME_GAIN),
            removed=(image,),
            file=name,
        )
        for product, image, name, category in chosen
    ]


def _judged(size: int) -> list[Query]:
    """Returns the latest searches with a verdict whose crop is kept and of which anything found was of use.

    Simulated shoppers ask made photos, which are asked as such: they are left out unless the settings count them.
    """
    said = Verdict.objects.exclude(search__crop="")
    rows = (
        (said if settings.COUNT_SIMULATED else said.filter(search__is_simulated=False))
        .order_by("-search__created_at", "search")
        .values_list("search", "search__crop", "search__category", "product", "verdict")
    )
    gains: dict[Any, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    facts: dict[Any, tuple[str, str]] = {}
    for search, crop, category, product, verdict in rows.iterator():
        gains[search][product].append(GAINS[verdict])
        facts[search] = crop, category
    found: list[Query] = []
    for search, of in gains.items():
        known = {product: sum(said) / len(said) for product, said in of.items()}
        crop, category = facts[search]
        if len(found) < size and max(known.values()) > 0 and path_of(crop) is not None:
            found.append(
                Query(
                    source=JUDGED,
                    cluster=f"search {search}",
                    category=category,
                    picture={"search": str(search)},
                    gains=known,
                    judged_only=True,
                    file=crop,
                )
            )
    return found


def _made(size: int, dice: np.random.Generator, surface: Surface, seed: int) -> list[Query]:
    indexed = ProductImage.objects.indexable().filter(state=ProductImage.State.INDEXED)
    products = np.array(sorted(indexed.order_by().values_list("product", flat=True).distinct()), np.int64)
    chosen = [int(pk) for pk in dice.permutation(products)[:size]]
    same, files = twins_of(chosen), _files(chosen)
    return [
        Query(
            source=MADE,
            cluster=f"product {min(same[product])}",
            category=files[product][0][2],
            picture={"image": files[product][0][0]},
            gains=dict.fromkeys(same[product], SAME_GAIN),
            file=files[product][0][1],
            made_of=surface,
            dice_seed=seed * 1_000_003 + product,
        )
        for product in chosen
        if product in files
    ]


def _files(products: Sequence[int]) -> dict[int, list[tuple[int, str, str]]]:
    """Returns id, file and category of each product's indexed pictures, in their order."""
    rows = ProductImage.objects.indexable().filter(state=ProductImage.State.INDEXED, product__in=products)
    files: dict[int, list[tuple[int, str, str]]] = defaultdict(list)
    for product, pk, name, category in _rows(rows):
        files[product].append((pk, name, category))
    return files


def _rows(rows: Any) -> Iterator[tuple[int, int, str, str]]:
    ordered = rows.order_by("product", "position")
    yield from ordered.values_list("product", "pk", "file", "product__category__slug").iterator()


def _jpeg(picture: Image) -> bytes:
    stream = io.BytesIO()
    picture.convert("RGB").save(stream, "JPEG", quality=92)
    return stream.getvalue()
