"""Scores with known answers, from the shop's own catalog: what the thresholds of the bands are fitted to.

    sample products -> a shopper's photo of each -> look -> score with its other pictures, with other products,
                       a copy of some                       with other categories; how crowded it is there
    folder of things never sold -> look -> score with any product

Nothing is embedded twice: the catalog's side is what the vector store holds. Products that are one and the same under
two numbers are taken out of the index together, or finding the second would count as a mistake.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from catalog.bands.crowds import crowd_of
from catalog.bands.shopper_photos import Surface, near_copy, shopper_photo
from catalog.bands.thresholds import Kind, Score
from catalog.indexing.embedding import read_photo
from catalog.indexing.points import VECTOR, searched_collection
from catalog.models import Product, ProductImage
from catalog.serving import as_one
from catalog.vision import Wish, for_shopper, look
from detection.images import Photo, decode
from embeddings import encoder, vector_store
from embeddings.types import Hit, Where
from shop_search.errors import InputError

BATCH = 16
# One product in so many is also searched with a copy of its picture: copies score alike, so fewer tell enough.
COPIED = 3
# A title that more products share ("T-shirt") names a kind of product, not a product.
MAX_TWINS = 12


@dataclass(frozen=True, slots=True)
class Sampled:
    """A product whose answer is known, and the images that a search for it must or must not find."""

    product: int
    category: str
    fold: int
    files: tuple[tuple[int, str], ...]  # (image id, name in the media storage), all indexed
    twins: tuple[int, ...]  # image ids of this product and of those that are the same under another number


@dataclass
class Gathered:
    """The scores, and what could not be used."""

    scores: list[Score] = field(default_factory=list)
    unreadable: int = 0


@dataclass(frozen=True, slots=True)
class _Shot:
    """One picture to search with."""

    photo: Photo
    of: Sampled | None  # None: never sold
    made_of: int = 0  # image id
    is_copy: bool = False
    fold: int = 0


def sample(size: int, dice: np.random.Generator) -> list[Sampled]:
    """Returns at most `size` products with an indexed picture, at random; twins are in one fold."""
    indexed = ProductImage.objects.indexable().filter(
        state=ProductImage.State.INDEXED, encoder=encoder().card.fingerprint
    )
    products = np.array(list(indexed.values_list("product", flat=True).distinct().order_by("product")), np.int64)
    chosen = [int(pk) for pk in dice.permutation(products)[:size]]
    twins = twins_of(chosen)
    images: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for pk, product, name in indexed.filter(product__in=set().union(*twins.values())).values_list(
        "pk", "product", "file"
    ):
        images[product].append((pk, name))
    categories = dict(Product.objects.filter(pk__in=chosen).values_list("pk", "category__slug"))
    return [
        Sampled(
            product=pk,
            category=categories[pk],
            fold=_fold_of(str(min(twins[pk]))),
            files=tuple(sorted(images[pk])),
            twins=tuple(sorted(image for twin in twins[pk] for image, _ in images[twin])),
        )
        for pk in chosen
    ]


@as_one
def gather(
    sampled: Sequence[Sampled],
    never_sold: Sequence[Path],
    dice: np.random.Generator,
    surface: Surface,
    *,
    progress: Callable[[int], None] = lambda done: None,
) -> Gathered:
    """Returns the scores of a photo of each product, of copies of some pictures, and of the files of things not sold.

    `progress` is given the number of pictures done. Raises ServiceError when a model or the store fails.
    """
    gathered = Gathered()
    collection = searched_collection()
    if collection is None:
        return gathered
    batch: list[_Shot] = []
    for shot in _shots(sampled, never_sold, dice, surface):
        if shot is None:
            gathered.unreadable += 1
            progress(1)
            continue
        batch.append(shot)
        if len(batch) == BATCH:
            gathered.scores += _score(batch, collection)
            progress(len(batch))
            batch = []
    gathered.scores += _score(batch, collection)
    progress(len(batch))
    return gathered


def pictures(sampled: Sequence[Sampled], never_sold: Sequence[Path]) -> int:
    """Returns how many pictures `gather` searches with."""
    return len(sampled) + len(sampled[::COPIED]) + len(never_sold)


def _shots(
    sampled: Sequence[Sampled], never_sold: Sequence[Path], dice: np.random.Generator, surface: Surface
) -> Iterator[_Shot | None]:
    for index, one in enumerate(sampled):
        image, name = one.files[int(dice.integers(len(one.files)))]
        copies = index % COPIED == 0
        try:
            picture = read_photo(name).image
        except InputError:
            yield from [None] * (1 + copies)
            continue
        yield _Shot(_photo(shopper_photo(picture, dice, surface)), one, image, fold=one.fold)
        if copies:
            yield _Shot(_photo(near_copy(picture, dice)), one, image, is_copy=True, fold=one.fold)
    for path in never_sold:
        try:
            yield _Shot(decode(path.read_bytes()), None, fold=_fold_of(path.name))
        except (InputError, OSError):
            yield None


def _photo(image: Image) -> Photo:
    return Photo(image, image.width, image.height, "JPEG")


def _score(shots: Sequence[_Shot], collection: str) -> list[Score]:
    """A shopper taps what she means, so the photo's own category chooses among what was detected."""
    wishes = [Wish(category=shot.of.category if shot.of else None) for shot in shots]
    sights = look([shot.photo for shot in shots], wishes, choose=for_shopper).sights
    own = vector_store().retrieve(
        collection, [image for shot in shots if shot.of for image, _ in shot.of.files], using=VECTOR
    )
    scores: list[Score] = []
    for shot, sight in zip(shots, sights, strict=True):
        scores += _scores_of(shot, sight.embedding, own, collection)
    return scores


def _scores_of(
    shot: _Shot, embedding: NDArray[np.float32], own: Mapping[int, NDArray[np.float32]], collection: str
) -> Iterator[Score]:
    def nearest(kind: Kind, where: Where) -> Iterator[Score]:
        hits: list[Hit] = vector_store().query(collection, embedding, using=VECTOR, limit=1, where=where)
        for hit in hits:
            crowd = crowd_of(collection, hit.id, exclude=where.exclude)
            yield Score(kind, str(hit.payload.get("category") or ""), hit.score, shot.fold, crowd)

    of = shot.of
    if of is None:
        yield from nearest(Kind.NEVER_SOLD, Where())
        return
    others = [image for image, _ in of.files if image != shot.made_of]
    kind = Kind.COPY if shot.is_copy else Kind.SECOND_PHOTO if others else Kind.OWN_PHOTO
    compared = others if kind is Kind.SECOND_PHOTO else [shot.made_of]
    found = {image: float(own[image] @ embedding) for image in compared if image in own}
    removed = list(nearest(Kind.COPY_REMOVED if shot.is_copy else Kind.REMOVED, Where(exclude=of.twins)))
    if found:
        best = max(found, key=lambda image: found[image])
        is_nearest = all(found[best] >= other.score for other in removed)
        crowd = crowd_of(collection, best, exclude=_all_but(of.twins, best)) if is_nearest else None
        yield Score(kind, of.category, found[best], shot.fold, crowd)
    yield from removed
    if not shot.is_copy:
        yield from nearest(Kind.CATEGORY_REMOVED, Where(exclude=of.twins, reject={"category": (of.category,)}))


def _all_but(images: Iterable[int], one: int) -> tuple[int, ...]:
    return tuple(image for image in images if image != one)


def twins_of(chosen: Sequence[int]) -> dict[int, set[int]]:
    """Returns, for each product, the products that are the same by title, GTIN, item group or picture, and itself."""
    of_key: dict[str, set[int]] = defaultdict(set)
    keys_of: dict[int, set[str]] = defaultdict(set)
    wanted = set(chosen)
    for _ in range(2):  # first the keys of the chosen, then whoever else has them
        for pk, key in _keys():
            if pk in wanted or key in of_key:
                of_key[key].add(pk)
                keys_of[pk].add(key)
    return {
        pk: {pk}.union(*(of_key[key] for key in keys_of[pk] if key[:5] != "title" or len(of_key[key]) <= MAX_TWINS))
        for pk in chosen
    }


def _keys() -> Iterator[tuple[int, str]]:
    shown = Product.objects.shown()
    for pk, merchant, title, gtin, group in shown.values_list(
        "pk", "merchant", "title", "gtin", "item_group"
    ).iterator():
        yield pk, f"title {' '.join(title.casefold().split())}"
        if gtin:
            yield pk, f"gtin {gtin}"
        if group:
            yield pk, f"group {merchant} {group}"
    for pk, sha256 in ProductImage.objects.indexable().values_list("product", "sha256").iterator():
        if sha256:
            yield pk, f"picture {sha256}"


def _fold_of(name: str) -> int:
    return hashlib.sha256(name.encode()).digest()[0] % 2


def counts(scores: Iterable[Score]) -> dict[str, int]:
    """Returns the number of scores of each kind."""
    found = Counter(str(one.kind) for one in scores)
    return {str(kind): found[str(kind)] for kind in Kind}
