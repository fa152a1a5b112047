"""A shopper's search, start to end.

    photo | product | text -> embedding (catalog.vision) -> category -> store query -> rank, bands -> hydrate -> answer

The database has the last word: hits are hydrated through products that may be shown, so a stale point in the store can
never show a withdrawn product.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from catalog.answers import Result, SearchAnswer, Selected, SelectedCategory, hydrate
from catalog.bands import Band, Bands
from catalog.category_words import find_category
from catalog.fetch import fetch_image
from catalog.models import Product
from catalog.points import VECTOR, searched_collection
from catalog.questions import ALL_CATEGORIES, Question
from catalog.ranking import Ranked, rank, vote
from catalog.vision import Sight, Wish, for_shopper, look
from detection import detector
from detection.crops import clip
from detection.images import Photo, decode
from detection.types import Box
from embeddings import encoder, vector_store
from embeddings.types import Hit
from shop_search.errors import InputError

# With fewer products than this in the category the page looks empty, so the search repeats without the filter.
THIN = 4
# Text beside a photo: the text's share of the blended query. A start; it is to be fitted with the ranking weights.
TEXT_SHARE = 0.35
# Where nothing was detected, neighbors name a category only when this share of their weight agrees.
SURE_VOTE = 0.6
NEIGHBORS = 20
# A crop with a smaller side than this, in pixels of the original, has lost what tells products apart.
SMALL_CROP = 48
# Mean luminance, of 255, under which a photo is called too dark.
DARK_PHOTO = 32
# A drawn box must have at least this side, in pixels of the original: less is a slip of the finger.
MIN_BOX = 8


@dataclass(frozen=True, slots=True)
class _Query:
    """The question as an embedding, with what is known of its category."""

    embedding: NDArray[np.float32]
    photo: Photo | None = None
    sight: Sight | None = None
    category: SelectedCategory | None = None
    exclude: tuple[int, ...] = ()
    timings: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Found:
    ranked: list[Ranked]
    category: SelectedCategory | None
    category_applied: bool


def search(question: Question) -> SearchAnswer:
    """Returns the answer to one question; nothing is recorded.

    Raises InputError when the question can't be answered as sent, ServiceError when a model or the store fails.
    """
    started = perf_counter()
    question.check()
    query = _understand(question)
    asked = perf_counter()
    found = _find(question, query)
    answered = perf_counter()
    results = hydrate(found.ranked)
    band = results[0].band if results else Band.NOTHING_CLOSE
    reason = _reason(question, query, results) if band is Band.NOTHING_CLOSE else None
    done = perf_counter()
    choice = query.sight.choice if query.sight else None
    timings = {
        **dict.fromkeys(("decode", "detect", "embed"), 0.0),
        **query.timings,
        "search": (answered - asked) * 1000,
        "rank": (done - answered) * 1000,
        "total": (done - started) * 1000,
    }
    return SearchAnswer(
        id=uuid.uuid4(),
        size=(query.photo.width, query.photo.height) if query.photo else None,
        regions=query.sight.regions if query.sight else (),
        selected=Selected(
            region=choice.region if choice else None,
            box=choice.box if choice else None,
            category=found.category,
            category_applied=found.category_applied,
        ),
        band=band,
        reason=reason,
        results=tuple(results[question.offset : question.offset + question.limit]),
        timings_ms={stage: round(ms, 2) for stage, ms in timings.items()},
        models={"detector": detector().card.label, "encoder": encoder().card.label},
    )


def _understand(question: Question) -> _Query:
    chosen = _chosen_category(question.category)
    image = question.image
    if question.image_url is not None:
        limit, patience = settings.SEARCH_MAX_IMAGE_BYTES, settings.SEARCH_FETCH_TIMEOUT_S
        image = fetch_image(question.image_url, max_bytes=limit, timeout_s=patience)
    if image is not None:
        query = _understand_photo(image, question.box, chosen)
    elif question.product is not None:
        query = _understand_product(question.product, chosen)
    else:
        started = perf_counter()
        (embedding,) = encoder().encode_texts([question.text])
        return _Query(embedding, category=chosen, timings={"embed": (perf_counter() - started) * 1000})
    if not question.text.strip():
        return query
    (words,) = encoder().encode_texts([question.text])
    blended = (1 - TEXT_SHARE) * query.embedding + TEXT_SHARE * words
    return _Query(
        (blended / np.linalg.norm(blended)).astype(np.float32),
        query.photo,
        query.sight,
        query.category,
        query.exclude,
        query.timings,
    )


def _chosen_category(word: str | None) -> SelectedCategory | None:
    if word is None or word == ALL_CATEGORIES:
        return None
    category = find_category(word)
    if category is None:
        message = f'{word!r} is no category of this shop. Leave it out, or use "{ALL_CATEGORIES}".'
        raise InputError("category_unknown", message, fields={"category": message})
    return SelectedCategory(category.slug, 1.0, "user")


def _understand_photo(image: bytes, box: Box | None, chosen: SelectedCategory | None) -> _Query:
    started = perf_counter()
    photo = decode(image)
    if box is not None:
        box = _usable_box(box, photo)
    decoded = perf_counter()
    seen = look([photo], [Wish(box, chosen.slug if chosen else None)], choose=for_shopper)
    sight = seen.sights[0]
    category = chosen
    if category is None and sight.choice.category:
        category = SelectedCategory(sight.choice.category, sight.choice.confidence, "detector")
    timings = {"decode": (decoded - started) * 1000, "detect": seen.detect_ms, "embed": seen.embed_ms}
    return _Query(sight.embedding, photo, sight, category, timings=timings)


def _usable_box(box: Box, photo: Photo) -> Box:
    usable = clip(box, (photo.width, photo.height)) if all(np.isfinite(box)) else (0.0, 0.0, 0.0, 0.0)
    if usable[2] - usable[0] < MIN_BOX or usable[3] - usable[1] < MIN_BOX:
        message = (
            f"The box must cover at least {MIN_BOX} x {MIN_BOX} pixels "
            f"of the upright photo, which is {photo.width} x {photo.height}."
        )
        raise InputError("box_invalid", message, fields={"box": message})
    return usable


def _understand_product(product_id: int, chosen: SelectedCategory | None) -> _Query:
    product = Product.objects.shown().select_related("category").filter(pk=product_id).first()
    if product is None:
        raise InputError("product_unknown", f"There is no product {product_id}.")
    own = tuple(product.images.order_by("position").values_list("pk", flat=True))
    collection = searched_collection()
    vectors = vector_store().retrieve(collection, own, using=VECTOR) if collection else {}
    if not vectors:
        raise InputError("product_not_indexed", f"Product {product_id} has no indexed picture yet. Try again soon.")
    main = next(pk for pk in own if pk in vectors)
    category = chosen or SelectedCategory(product.category.slug, 1.0, "user")
    return _Query(vectors[main], category=category, exclude=own)


def _find(question: Question, query: _Query) -> _Found:
    """Narrows by category when one is known, and widens again when that leaves a thin page."""
    category = query.category
    ask = _Asker(question, query)
    if question.category == ALL_CATEGORIES:
        return _Found(ask(None), category, category_applied=False)
    if category is None and query.sight is not None:
        voted = vote(ask.hits(None, NEIGHBORS))
        if voted and voted.confidence >= SURE_VOTE:
            category = SelectedCategory(voted.category, voted.confidence, "neighbors")
    if category is None:
        return _Found(ask(None), None, category_applied=False)
    ranked = ask(category.slug)
    if len(ranked) >= min(THIN, question.limit) or category.source == "user":
        return _Found(ranked, category, category_applied=True)
    return _Found(ask(None), category, category_applied=False)


class _Asker:
    """Asks the store for one query's products, with or without the category."""

    def __init__(self, question: Question, query: _Query) -> None:
        self._question = question
        self._query = query
        self._collection = searched_collection()
        is_picture = query.sight is not None or question.product is not None
        self._bands = Bands.of_settings() if is_picture else None

    def __call__(self, category: str | None) -> list[Ranked]:
        """Returns the best products to the end of the asked page; a product has several images, so it may ask twice."""
        wanted = self._question.offset + self._question.limit
        limit = 2 * wanted + 16
        while True:
            hits = self.hits(category, limit)
            ranked = rank(hits, bands=self._bands)
            if len(ranked) >= wanted or len(hits) < limit:
                return ranked[:wanted]
            limit *= 4

    def hits(self, category: str | None, limit: int) -> list[Hit]:
        if self._collection is None:  # an empty shop, not a failure
            return []
        where = self._question.filters.where(category, self._query.exclude)
        return vector_store().query(self._collection, self._query.embedding, using=VECTOR, limit=limit, where=where)


def _reason(question: Question, query: _Query, results: list[Result]) -> str:
    """Returns why nothing is close, the cause the shopper can do most about first."""
    if query.photo is not None and query.sight is not None:
        if np.asarray(query.photo.image.convert("L")).mean() < DARK_PHOTO:
            return "too_dark"
        x1, y1, x2, y2 = query.sight.choice.box
        if min(x2 - x1, y2 - y1) < SMALL_CROP:
            return "too_small"
        if not query.sight.regions and question.box is None:
            return "nothing_detected"
    if not results:
        return "nothing_matches_filters"
    return "no_similar_product"
