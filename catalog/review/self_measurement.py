"""How often this shop finds its own products again, with queries made of its own catalog: nobody has to label anything.

    sample products -> queries of five kinds -> the road of every search -> rank of the product -> recall@k

    second_photo   another picture of the product, which is taken out of the index for this query
    rotated, cropped, dim, cluttered   a spoiled version of its main picture, which stays in the index

The spoiled ones are synthetic, and easier than a shopper's photo: they tell when something gets worse, not how shoppers
fare. Nothing is narrowed by category, so that a wrong guess of the category doesn't hide what appearance finds. Another
listing of the same product is as good as the product.
"""

import io
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from PIL import Image, ImageEnhance

from catalog.bands.scores import Sampled, sample
from catalog.bands.shopper_photos import Dice, Surface, developed, shopper_photo
from catalog.indexing.embedding import read_photo
from catalog.models import Measurement, ProductImage
from catalog.review.numbers import Estimate, share
from catalog.search.finding import Finder
from catalog.search.questions import ALL_CATEGORIES, Question
from catalog.search.understanding import understand
from catalog.serving import as_one
from detection import detector
from embeddings import encoder
from shop_search.errors import InputError

KS = (1, 5, 10)
SECOND_PHOTO = "second_photo"
SPOILED = ("rotated", "cropped", "dim", "cluttered")
ALL = "all"


@dataclass(frozen=True, slots=True)
class Found:
    """Where one query's product stood; None when not among the first ten."""

    kind: str
    category: str
    rank: int | None


@dataclass(frozen=True, slots=True)
class _Query:
    kind: str
    of: Sampled
    photo: bytes
    removed: tuple[int, ...] = ()  # image ids


@dataclass(frozen=True, slots=True)
class Measured:
    """What every query found, and how many pictures could not be read."""

    found: tuple[Found, ...]
    products: int
    unreadable: int


def chosen(products: int, dice: Dice) -> list[Sampled]:
    """Returns at most so many products with an indexed picture, at random. Raises InputError where there is none."""
    found = sample(products, dice)
    if not found:
        raise InputError("catalog_empty", "No product has a picture in the index, so there is nothing to look for.")
    return found


def queries(sampled: Sequence[Sampled]) -> int:
    """Returns how many queries `measure` asks."""
    return sum(len(SPOILED) + (len(one.files) > 1) for one in sampled)


def measure(
    sampled: Sequence[Sampled], dice: Dice, surface: Surface, *, progress: Callable[[int], object] = lambda done: None
) -> Measured:
    """Returns where each query's product stood. `progress` is given the number of queries done.

    Raises ServiceError when a model or the store fails.
    """
    position = dict(
        ProductImage.objects.filter(product__in=[one.product for one in sampled]).values_list("pk", "position")
    )
    same = _products_of(sampled)
    found: list[Found] = []
    unreadable = 0
    for one in sampled:
        files = sorted(one.files, key=lambda file: position.get(file[0], 0))
        try:
            asked = list(_queries_of(replace(one, files=tuple(files)), dice, surface))
            ranks = [_rank(query, same[one.product]) for query in asked]
        except InputError:  # the file is gone, or too small to be searched with
            unreadable += 1
        else:
            found += [Found(query.kind, one.category, rank) for query, rank in zip(asked, ranks, strict=True)]
        progress(len(SPOILED) + (len(files) > 1))
    return Measured(tuple(found), len(sampled) - unreadable, unreadable)


def report(found: Sequence[Found]) -> dict[str, Any]:
    """Returns recall@k with interval and n, by kind of query and then by category; `all` is first."""
    groups: dict[str, dict[str, list[Found]]] = defaultdict(lambda: defaultdict(list))
    for one in found:
        groups[one.kind][ALL].append(one)
        groups[one.kind][one.category].append(one)
    return {
        kind: {
            category: {f"recall@{k}": _recall(groups[kind][category], k) for k in KS}
            for category in [ALL, *sorted(set(groups[kind]) - {ALL})]
        }
        for kind in (SECOND_PHOTO, *SPOILED)
        if kind in groups
    }


def keep(measured: Measured, *, seed: int) -> Measurement:
    """Keeps what was measured, for the console."""
    return Measurement.objects.create(
        encoder=encoder().card.label,
        detector=detector().card.label,
        products=measured.products,
        seed=seed,
        report=report(measured.found),
    )


def _queries_of(one: Sampled, dice: Dice, surface: Surface) -> Iterator[_Query]:
    (_, name), *others = one.files
    if others:
        image, second = others[int(dice.integers(len(others)))]
        yield _Query(SECOND_PHOTO, one, _jpeg(read_photo(second).image), removed=(image,))
    picture = read_photo(name).image
    yield _Query("rotated", one, _jpeg(rotated(picture, dice)))
    yield _Query("cropped", one, _jpeg(cropped(picture, dice)))
    yield _Query("dim", one, _jpeg(dim(picture, dice)))
    yield _Query("cluttered", one, _jpeg(shopper_photo(picture, dice, surface)))


def rotated(picture: Image.Image, dice: Dice) -> Image.Image:
    """Returns the picture turned by 10 to 45 degrees either way, on white."""
    angle = float(dice.uniform(10, 45) * dice.choice([-1, 1]))
    return picture.convert("RGB").rotate(angle, Image.Resampling.BILINEAR, expand=True, fillcolor="white")


def cropped(picture: Image.Image, dice: Dice) -> Image.Image:
    """Returns a part of the picture: between half and four fifths of each side, anywhere."""
    shares = dice.uniform(0.5, 0.8, 2)
    width, height = (max(32, round(side * part)) for side, part in zip(picture.size, shares, strict=True))
    left = round(max(0, picture.width - width) * dice.uniform())
    top = round(max(0, picture.height - height) * dice.uniform())
    return picture.crop((left, top, min(picture.width, left + width), min(picture.height, top + height)))


def dim(picture: Image.Image, dice: Dice) -> Image.Image:
    """Returns the picture as a poor lens sees it in poor light: a quarter to a half of it, with noise and blur."""
    return developed(ImageEnhance.Brightness(picture.convert("RGB")).enhance(float(dice.uniform(0.25, 0.5))), dice)


def _products_of(sampled: Sequence[Sampled]) -> dict[int, set[int]]:
    """Returns for each product the ids of the listings that are the same, its own too."""
    images = {image for one in sampled for image in one.twins}
    product_of = dict(ProductImage.objects.filter(pk__in=images).values_list("pk", "product"))
    return {
        one.product: {one.product} | {product_of[image] for image in one.twins if image in product_of}
        for one in sampled
    }


@as_one
def _rank(query: _Query, same: set[int]) -> int | None:
    """Returns the place of the product among the first ten cards; 1 is first."""
    asked = understand(Question(image=query.photo, category=ALL_CATEGORIES))
    if query.removed:
        asked = replace(asked, exclude=(*asked.exclude, *query.removed))
    cards = Finder(asked).page(None, max(KS)).cards
    places = (place for place, card in enumerate(cards, 1) if same & {card.product_id, *card.others})
    return next(places, None)


def _recall(found: Sequence[Found], k: int) -> Mapping[str, float]:
    estimate: Estimate | None = share([float(one.rank is not None and one.rank <= k) for one in found])
    return asdict(estimate) if estimate else {}


def _jpeg(picture: Image.Image) -> bytes:
    stream = io.BytesIO()
    picture.convert("RGB").save(stream, "JPEG", quality=90)
    return stream.getvalue()
