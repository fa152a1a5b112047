"""What a search answers, as frozen values and as the JSON that programs rely on.

A record keeps the answer without the products, so that a shared link shows today's prices and no withdrawn product.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, field
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from PIL.Image import Image

from catalog.bands import Band
from catalog.models import Product, ProductImage, SearchRecord, SearchSummary
from catalog.pictures import searched_crops
from catalog.search.agreement import note_agreement
from catalog.search.copies import Copy
from catalog.search.copies import as_json as copy_as_json
from catalog.search.copies import kept as kept_copies
from catalog.search.copies import recalled as recalled_copies
from catalog.search.facets import Facets, facets_as_json
from catalog.search.impressions import note_impressions
from catalog.search.picture_facts import PictureFacts
from catalog.search.picture_facts import as_json as facts_as_json
from catalog.search.ranking import Parts, Ranked
from catalog.search.recording import record_soon, settle
from catalog.search.wishes import Chip
from catalog.serving import carried
from catalog.versions.visitors import expect_visit, note_visit
from detection.types import Box, Detection
from shop_search.errors import InputError

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SelectedCategory:
    slug: str
    confidence: float  # [0, 1]
    source: str  # "detector" | "neighbors" | "fused" | "user"
    scores: tuple[tuple[str, float], ...] = ()  # the likeliest slugs with their confidences, best first


@dataclass(frozen=True, slots=True)
class Selected:
    """The part of the photo that was searched with."""

    region: int | None
    box: Box | None
    category: SelectedCategory | None
    category_applied: bool


@dataclass(frozen=True, slots=True)
class Offers:
    """The listings behind one card: how many, and the lowest price in the card's own currency."""

    count: int
    lowest: Decimal | None
    currency: str


@dataclass(frozen=True, slots=True)
class Result:
    rank: int
    score: float
    band: Band
    product: Product
    image: ProductImage
    parts: Parts | None = None
    offers: Offers | None = None
    others: tuple[int, ...] = ()  # ids of the other products behind this card
    curated: str = ""  # "pin" or "boost": never told to shoppers


@dataclass(frozen=True, slots=True)
class Outfit:
    """One thing of the outfit, with what looks like it."""

    region: int
    category: SelectedCategory
    band: Band
    results: tuple[Result, ...]


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    """All that a page, a program or a terminal shows of one search."""

    id: uuid.UUID
    size: tuple[int, int] | None  # width, height of the upright photo; None without one
    regions: tuple[Detection, ...]
    selected: Selected
    band: Band
    reason: str | None
    results: tuple[Result, ...]
    timings_ms: Mapping[str, float]
    models: Mapping[str, str]
    wishes: tuple[Chip, ...] = ()
    rest: str = ""
    facets: Facets = field(default_factory=Facets)
    outfit: tuple[Outfit, ...] | None = None  # None unless it was asked for
    copies: tuple[Copy, ...] = ()
    facts: PictureFacts | None = None  # None without a photo
    crop: Image | None = None  # the part of the photo that was searched with
    versions: Mapping[str, int] = field(default_factory=dict)  # kind -> id of the version that answered


# What a card prints; a product has ten times as much.
_CARD = (
    *("sku", "title", "price", "currency", "brand", "colors", "url", "in_stock"),
    *("merchant__slug", "merchant__name", "category__slug"),
)


def hydrate(ranked: Iterable[Ranked], *, first_rank: int = 1) -> list[Result]:
    """Returns the ranked products that may be shown, in their order; ranks count from `first_rank` without gaps."""
    ranked = list(ranked)
    shown = {
        product.pk: product
        for product in Product.objects.shown()
        .select_related("merchant", "category")
        .only(*_CARD)
        .filter(pk__in=[one.product_id for one in ranked])
    }
    pictures = ProductImage.objects.filter(pk__in=[one.image_id for one in ranked]).order_by()
    images = {image.pk: image for image in pictures.only("product_id", "file", "width", "height")}
    prices = _prices(pk for one in ranked for pk in one.others)
    results: list[Result] = []
    for one in ranked:
        product = shown.get(one.product_id)
        image = (images.get(one.image_id) or product.images.first()) if product else None
        if product and image:
            others = tuple(pk for pk in one.others if pk in prices)
            offers = _offers(product, [prices[pk] for pk in others]) if others else None
            rank = first_rank + len(results)
            results.append(Result(rank, one.score, one.band, product, image, one.parts, offers, others, one.curated))
    return results


def _prices(ids: Iterable[int]) -> dict[int, tuple[Decimal | None, str]]:
    """Returns price and currency of those products that may be shown; asks nothing about none."""
    wanted = list(ids)
    if not wanted:
        return {}
    rows = Product.objects.shown().filter(pk__in=wanted).values_list("pk", "price", "currency")
    return {pk: (price, currency) for pk, price, currency in rows}


def _offers(product: Product, others: Sequence[tuple[Decimal | None, str]]) -> Offers:
    prices = [price for price, currency in [(product.price, product.currency), *others] if currency == product.currency]
    return Offers(
        1 + len(others), min((price for price in prices if price is not None), default=None), product.currency
    )


def as_json(answer: SearchAnswer, base_url: str = "") -> Json:
    """Returns the API's body. `base_url` (scheme and host) makes picture addresses absolute."""
    return {
        **_facts(answer),
        "results": [_result(result, base_url) for result in answer.results],
        **_outfit(answer.outfit, base_url),
        "copies": _copies(answer.copies, base_url),
        "timings_ms": dict(answer.timings_ms),
        "models": dict(answer.models),
    }


def _copies(copies: Iterable[Copy], base_url: str) -> list[Json]:
    return [
        {**copy_as_json(one, base_url), "product": product_as_json(one.product, base_url, image=one.image)}
        for one in copies
    ]


def _result(result: Result, base_url: str) -> Json:
    offers = result.offers
    return {
        "rank": result.rank,
        "score": round(result.score, 4),
        "band": str(result.band),
        "product": product_as_json(result.product, base_url, image=result.image),
        "parts": asdict(result.parts) if result.parts else None,
        "offers": None
        if offers is None
        else {
            "count": offers.count,
            "from": None if offers.lowest is None else str(offers.lowest),
            "currency": offers.currency,
        },
        "others": list(result.others),
    }


def _outfit(outfit: Sequence[Outfit] | None, base_url: str) -> Json:
    if outfit is None:
        return {}
    return {
        "outfit": [
            {
                "region": one.region,
                "category": _category(one.category),
                "band": str(one.band),
                "results": [_result(result, base_url) for result in one.results],
            }
            for one in outfit
        ]
    }


def product_as_json(product: Product, base_url: str = "", *, image: ProductImage | None = None) -> Json:
    """Returns one product as the API shows it, with the given image or its main one."""
    if image is None:
        image = next(iter(product.images.all()), None)
    return {
        "id": product.pk,
        "sku": product.sku,
        "title": product.title,
        "price": None if product.price is None else str(product.price),
        "currency": product.currency,
        "category": product.category.slug,
        "brand": product.brand,
        "colors": product.colors,
        "image": f"{base_url}{image.file.url}" if image else None,
        "url": product.url,
        "merchant": {"slug": product.merchant.slug, "name": product.merchant.name},
        "in_stock": product.in_stock,
    }


def record(answer: SearchAnswer, *, is_simulated: bool = False) -> None:
    """Keeps the answer so that its link can be shared. The photo is not kept; see catalog.searched_crops."""
    category = answer.selected.category
    with transaction.atomic():  # one commit: each waits for the disk
        _record(answer, category, is_simulated)


def _record(answer: SearchAnswer, category: SelectedCategory | None, is_simulated: bool) -> None:
    record = SearchRecord.objects.create(
        id=answer.id,
        category=category.slug if category else "",
        band=answer.band,
        is_simulated=is_simulated,
        crop=searched_crops.keep(answer.crop) if answer.crop else "",
        versions=dict(answer.versions),
        visit_id=note_visit(),
        answer={
            **_facts(answer),
            "hits": [_hit(one) for one in answer.results],
            "curated": {str(one.product.pk): one.curated for one in answer.results if one.curated},
            **({} if answer.outfit is None else {"outfit": [_kept_outfit(one) for one in answer.outfit]}),
            "copies": kept_copies(answer.copies),
            "timings_ms": dict(answer.timings_ms),
            "models": dict(answer.models),
        },
    )
    note_agreement(record)
    first = answer.results[0].product.merchant_id if answer.results else None
    SearchSummary.objects.note(record, merchant=first)
    shown = [*answer.results, *(one for item in answer.outfit or () for one in item.results)]
    note_impressions(answer.id, [(one.product, one.rank) for one in shown], is_simulated=is_simulated)


def keep(answer: SearchAnswer) -> None:
    """Has the answer recorded for a shopper, who doesn't wait for it."""
    expect_visit()
    record_soon(answer.id, carried(lambda: record(answer)))


def recall(search_id: str | uuid.UUID, base_url: str = "") -> Json:
    """Returns a recorded answer as the API's body, with its products as they are now.

    Raises InputError `search_unknown` when there is none of that id.
    """
    try:
        settle(uuid.UUID(str(search_id)))
        kept: Json = SearchRecord.objects.get(pk=search_id).answer
    except (SearchRecord.DoesNotExist, ValidationError, ValueError) as error:
        raise InputError("search_unknown", "There is no such search, or it is no longer kept.") from error
    facts = {
        key: value for key, value in kept.items() if key not in ("hits", "curated", "outfit", "timings_ms", "models")
    }
    outfit = None
    if "outfit" in kept:
        outfit = [{**one, "results": _recalled(one["hits"], base_url)} for one in kept["outfit"]]
        for one in outfit:
            del one["hits"]
    return {
        **_LATER,
        **facts,
        "results": _recalled(kept["hits"], base_url),
        **({} if outfit is None else {"outfit": outfit}),
        "copies": _copies(recalled_copies(kept.get("copies", [])), base_url),
        "timings_ms": kept["timings_ms"],
        "models": kept["models"],
    }


# What records of earlier versions don't have.
_LATER: Json = {"wishes": [], "rest": "", "facets": facets_as_json(Facets()), "facts": None}


def _hit(result: Result) -> list[Any]:
    parts = None if result.parts is None else list(astuple(result.parts))
    return [
        result.product.pk,
        result.image.pk,
        round(result.score, 4),
        str(result.band),
        parts,
        list(result.others),
        result.rank,
    ]


def _kept_outfit(outfit: Outfit) -> Json:
    return {
        "region": outfit.region,
        "category": _category(outfit.category),
        "band": str(outfit.band),
        "hits": [_hit(one) for one in outfit.results],
    }


def _recalled(hits: Sequence[Sequence[Any]], base_url: str) -> list[Json]:
    """Returns recorded hits with their products as they are now."""
    ranked = []
    for product, image, score, band, *later in hits:
        parts, others, _ = later or (None, (), 1)
        ranked.append(Ranked(product, image, score, Band(band), Parts(*parts) if parts else None, tuple(others)))
    first = hits[0][6] if hits and len(hits[0]) > 6 else 1
    return [_result(result, base_url) for result in hydrate(ranked, first_rank=first)]


def _facts(answer: SearchAnswer) -> Json:
    """Returns what an answer says apart from its products: these survive as they were."""
    category = answer.selected.category
    return {
        "id": str(answer.id),
        "image": None if answer.size is None else {"width": answer.size[0], "height": answer.size[1]},
        "regions": [
            {
                "id": index,
                "box": _round(region.xyxy),
                "category": region.category,
                "confidence": round(region.confidence, 3),
            }
            for index, region in enumerate(answer.regions)
        ],
        "selected": {
            "region": answer.selected.region,
            "box": None if answer.selected.box is None else _round(answer.selected.box),
            "category": None if category is None else _category(category),
            "category_applied": answer.selected.category_applied,
        },
        "band": str(answer.band),
        "reason": answer.reason,
        "wishes": [asdict(chip) for chip in answer.wishes],
        "rest": answer.rest,
        "facets": facets_as_json(answer.facets),
        "facts": None if answer.facts is None else facts_as_json(answer.facts),
    }


def _category(category: SelectedCategory) -> Json:
    return {
        "slug": category.slug,
        "confidence": round(category.confidence, 3),
        "source": category.source,
        "scores": [{"slug": slug, "confidence": round(confidence, 3)} for slug, confidence in category.scores],
    }


def _round(box: Box) -> list[float]:
    return [round(value, 1) for value in box]
