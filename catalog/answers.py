"""What a search answers, as frozen values and as the JSON that programs rely on.

A record keeps the answer without the products, so that a shared link shows today's prices and no withdrawn product.
"""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError

from catalog.bands import Band
from catalog.models import Product, ProductImage, SearchRecord
from catalog.ranking import Ranked
from detection.types import Box, Detection
from shop_search.errors import InputError

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SelectedCategory:
    slug: str
    confidence: float  # [0, 1]
    source: str  # "detector" | "neighbors" | "user"


@dataclass(frozen=True, slots=True)
class Selected:
    """The part of the photo that was searched with."""

    region: int | None
    box: Box | None
    category: SelectedCategory | None
    category_applied: bool


@dataclass(frozen=True, slots=True)
class Result:
    rank: int
    score: float
    band: Band
    product: Product
    image: ProductImage


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


def hydrate(ranked: Iterable[Ranked]) -> list[Result]:
    """Returns the ranked products that may be shown, in their order; ranks count from 1 without gaps."""
    ranked = list(ranked)
    shown = {
        product.pk: product
        for product in Product.objects.shown().for_cards().filter(pk__in=[one.product_id for one in ranked])
    }
    results: list[Result] = []
    for one in ranked:
        product = shown.get(one.product_id)
        image = _image(product, one.image_id) if product else None
        if product and image:
            results.append(Result(len(results) + 1, one.score, one.band, product, image))
    return results


def _image(product: Product, image_id: int) -> ProductImage | None:
    images = list(product.images.all())
    return next((image for image in images if image.pk == image_id), images[0] if images else None)


def as_json(answer: SearchAnswer, base_url: str = "") -> Json:
    """Returns the API's body. `base_url` (scheme and host) makes picture addresses absolute."""
    return {
        **_facts(answer),
        "results": [
            {
                "rank": result.rank,
                "score": round(result.score, 4),
                "band": str(result.band),
                "product": product_as_json(result.product, base_url, image=result.image),
            }
            for result in answer.results
        ],
        "copies": [],
        "timings_ms": dict(answer.timings_ms),
        "models": dict(answer.models),
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


def record(answer: SearchAnswer) -> None:
    """Keeps the answer so that its link can be shared. The photo is not kept."""
    category = answer.selected.category
    SearchRecord.objects.create(
        id=answer.id,
        category=category.slug if category else "",
        band=answer.band,
        answer={
            **_facts(answer),
            "hits": [[one.product.pk, one.image.pk, round(one.score, 4), str(one.band)] for one in answer.results],
            "timings_ms": dict(answer.timings_ms),
            "models": dict(answer.models),
        },
    )


def recall(search_id: str | uuid.UUID, base_url: str = "") -> Json:
    """Returns a recorded answer as the API's body, with its products as they are now.

    Raises InputError `search_unknown` when there is none of that id.
    """
    try:
        kept: Json = SearchRecord.objects.get(pk=search_id).answer
    except (SearchRecord.DoesNotExist, ValidationError) as error:
        raise InputError("search_unknown", "There is no such search, or it is no longer kept.") from error
    ranked = [Ranked(product, image, score, Band(name)) for product, image, score, name in kept["hits"]]
    facts = {key: value for key, value in kept.items() if key not in ("hits", "timings_ms", "models")}
    return {
        **facts,
        "results": [
            {
                "rank": result.rank,
                "score": result.score,
                "band": str(result.band),
                "product": product_as_json(result.product, base_url, image=result.image),
            }
            for result in hydrate(ranked)
        ],
        "copies": [],
        "timings_ms": kept["timings_ms"],
        "models": kept["models"],
    }


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
            "category": None
            if category is None
            else {"slug": category.slug, "confidence": round(category.confidence, 3), "source": category.source},
            "category_applied": answer.selected.category_applied,
        },
        "band": str(answer.band),
        "reason": answer.reason,
    }


def _round(box: Box) -> list[float]:
    return [round(value, 1) for value in box]
