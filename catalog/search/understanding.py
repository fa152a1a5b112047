"""What a shopper's question means: an embedding to search with, and all that is known of what she wants.

words -> wishes (wishes)       photo | product | text -> embedding (catalog.vision)
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from time import perf_counter

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from catalog.indexing.points import VECTOR, searched_collection
from catalog.models import Product, ProductImage
from catalog.pictures.fetch import fetch_image
from catalog.search.answers import SelectedCategory
from catalog.search.copies import Probed, begin_probing
from catalog.search.questions import ALL_CATEGORIES, Question
from catalog.search.ranking import Wants
from catalog.search.wishes import Heeded, heed
from catalog.vision import Choice, Sight, Wish, for_shopper, look, look_at_all
from catalog.words.category_words import find_category
from detection.crops import clip, crop
from detection.images import Photo, decode
from detection.types import Box
from embeddings import encoder, vector_store
from embeddings.color import dominant_colors
from embeddings.palettes import Palette
from shop_search.errors import InputError

# Text beside a photo: the text's share of the blended query. Fitted: docs/ranking.md.
TEXT_SHARE = 0.6
# How far each like and dislike moves the query, which itself counts 1. Fitted: docs/ranking.md has what they are worth,
# beside Qdrant's ways to recommend. So many move it, however many there are.
LIKE_SHARE = 0.1
DISLIKE_SHARE = 0.15
MOST_MOVING = 5
# A drawn box must have at least this side, in pixels of the original: less is a slip of the finger.
MIN_BOX = 8
# Colors are read while the encoder looks: both leave Python for most of their time.
_coloring = ThreadPoolExecutor(max_workers=2, thread_name_prefix="colors")


@dataclass(frozen=True, slots=True)
class Query:
    """The question as an embedding, with what is known of its category and its words."""

    embedding: NDArray[np.float32]  # (dim,), unit length
    words: Heeded
    photo: Photo | None = None
    data: bytes = b""  # of the photo, as sent
    sight: Sight | None = None
    category: SelectedCategory | None = None  # chosen by the shopper, in words or as a product; never a guess
    exclude: tuple[int, ...] = ()  # points of the product that was asked about, and of disliked ones
    asked: NDArray[np.float32] | None = None  # the embedding before words and likes moved it: bands go by it
    is_product: bool = False  # asked as "more like this", or by likes alone
    timings: Mapping[str, float] = field(default_factory=dict)
    probing: "Future[Probed | None] | None" = None  # for copies, begun when the photo was there
    wants: Wants = field(default_factory=Wants)
    regions: tuple[NDArray[np.float32], ...] = ()  # embeddings of the sight's regions, where an outfit was asked for

    @property
    def has_picture(self) -> bool:
        """Whether scores are between pictures; to words everything lies further off."""
        return self.sight is not None or self.is_product


def understand(question: Question) -> Query:
    """Returns the question understood.

    Raises InputError when it can't be answered as sent, ServiceError when a model or the store fails.
    """
    words = heed(question)
    query = _looked(question, words)
    return _refined(query, question)


def _looked(question: Question, words: Heeded) -> Query:
    chosen = _chosen_category(question.category)
    if words.category is not None:  # even one that isn't sold here: the answer says so
        chosen = SelectedCategory(words.category, 1.0, "user")
    image = question.image
    if question.image_url is not None:
        limit, patience = settings.SEARCH_MAX_IMAGE_BYTES, settings.SEARCH_FETCH_TIMEOUT_S
        image = fetch_image(question.image_url, max_bytes=limit, timeout_s=patience)
    if image is not None:
        query = _understand_photo(image, question, chosen, words)
    elif question.product is not None:
        query = _understand_product(question.product, chosen, words)
    elif not words.rest:  # likes alone
        return Query(np.zeros(encoder().card.dim, dtype=np.float32), words, category=chosen, is_product=True)
    else:
        started = perf_counter()
        (embedding,) = encoder().encode_texts([words.rest])
        return Query(embedding, words, category=chosen, timings={"embed": (perf_counter() - started) * 1000})
    if not words.rest:
        return query
    (text,) = encoder().encode_texts([words.rest])
    blended = _unit((1 - TEXT_SHARE) * query.embedding + TEXT_SHARE * text)
    return replace(query, embedding=blended, asked=query.embedding)


def _refined(query: Query, question: Question) -> Query:
    """Returns the query moved towards what was liked and away from what was disliked, which is left out.

    Source: Rocchio, "Relevance feedback in information retrieval", 1971.
    """
    if not question.like and not question.dislike:
        return query
    liked, disliked = (_embeddings_of(products) for products in (question.like, question.dislike))
    moved = query.embedding
    if liked:
        moved = moved + LIKE_SHARE * min(len(liked), MOST_MOVING) * np.mean(list(liked.values()), axis=0)
    if disliked:
        moved = moved - DISLIKE_SHARE * min(len(disliked), MOST_MOVING) * np.mean(list(disliked.values()), axis=0)
    if not np.any(moved):
        raise InputError("product_not_indexed", "None of the liked products has an indexed picture yet.")
    unwanted = ProductImage.objects.filter(product__in=question.dislike).values_list("pk", flat=True)
    asked = query.asked
    if asked is None and query.has_picture and np.any(query.embedding):
        asked = query.embedding
    return replace(
        query, embedding=_unit(moved), asked=asked, exclude=tuple(dict.fromkeys([*query.exclude, *unwanted]))
    )


def _embeddings_of(products: Sequence[int]) -> dict[int, NDArray[np.float32]]:
    """Returns the embeddings of the products' main pictures, by point, where they are shown and indexed."""
    collection = searched_collection() if products else None
    if collection is None:
        return {}
    main = ProductImage.objects.indexable().filter(product__in=products, position=0).values_list("pk", flat=True)
    return vector_store().retrieve(collection, list(main), using=VECTOR)


def _chosen_category(word: str | None) -> SelectedCategory | None:
    if word is None or word == ALL_CATEGORIES:
        return None
    category = find_category(word)
    if category is None:
        message = f'{word!r} is no category of this shop. Leave it out, or use "{ALL_CATEGORIES}".'
        raise InputError("category_unknown", message, fields={"category": message})
    return SelectedCategory(category.slug, 1.0, "user")


def _understand_photo(image: bytes, question: Question, chosen: SelectedCategory | None, words: Heeded) -> Query:
    started = perf_counter()
    photo = decode(image)
    box = None if question.box is None else _usable_box(question.box, photo)
    decoded = perf_counter()
    # A box around a picture in a picture is drawn by hand; the detector's end where the product does.
    probing = begin_probing(photo, box)
    wish = Wish(box, chosen.slug if chosen else None)
    coloring: list[Future[Palette]] = []

    def color(photo: Photo, choice: Choice) -> None:
        coloring.append(_coloring.submit(palette_of, photo, choice.box))

    # Where she named a color herself, the photo's own says nothing of what she wants.
    beside = None if words.filters.colors else color
    if question.outfit:
        seen, regions = look_at_all(photo, wish, beside=beside)
    else:
        seen, regions = look([photo], [wish], choose=for_shopper, beside=beside), ()
    sight = seen.sights[0]
    looked = perf_counter()
    palette = coloring[0].result() if coloring else ()
    colors_ms = (perf_counter() - looked) * 1000
    timings = {"decode": (decoded - started) * 1000, "detect": seen.detect_ms, "embed": seen.embed_ms + colors_ms}
    wants = Wants(palette=palette)
    return Query(
        sight.embedding,
        words,
        photo,
        image,
        sight,
        chosen,
        timings=timings,
        probing=probing,
        wants=wants,
        regions=regions,
    )


def palette_of(photo: Photo, box: Box) -> Palette:
    """Returns the dominant colors of a part of the photo."""
    colors = dominant_colors(crop(photo.image, photo.to_image(box)))
    return tuple((*color.lab, color.share) for color in colors)


def _usable_box(box: Box, photo: Photo) -> Box:
    usable = clip(box, (photo.width, photo.height)) if all(np.isfinite(box)) else (0.0, 0.0, 0.0, 0.0)
    if usable[2] - usable[0] < MIN_BOX or usable[3] - usable[1] < MIN_BOX:
        message = (
            f"The box must cover at least {MIN_BOX} x {MIN_BOX} pixels "
            f"of the upright photo, which is {photo.width} x {photo.height}."
        )
        raise InputError("box_invalid", message, fields={"box": message})
    return usable


def _understand_product(product_id: int, chosen: SelectedCategory | None, words: Heeded) -> Query:
    product = Product.objects.shown().select_related("category").filter(pk=product_id).first()
    if product is None:
        raise InputError("product_unknown", f"There is no product {product_id}.")
    palettes = dict(product.images.order_by("position").values_list("pk", "palette"))
    own = tuple(palettes)
    collection = searched_collection()
    vectors = vector_store().retrieve(collection, own, using=VECTOR) if collection else {}
    if not vectors:
        raise InputError("product_not_indexed", f"Product {product_id} has no indexed picture yet. Try again soon.")
    main = next(pk for pk in own if pk in vectors)
    category = chosen or SelectedCategory(product.category.slug, 1.0, "user")
    wants = Wants(
        palette=() if words.filters.colors else tuple(tuple(color) for color in palettes[main]),
        genders={product.gender.casefold(): 1.0} if product.gender else {},
        brand=product.brand.casefold(),
    )
    return Query(vectors[main], words, category=category, exclude=own, is_product=True, wants=wants)


def _unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    unit: NDArray[np.float32] = (vector / max(float(np.linalg.norm(vector)), 1e-6)).astype(np.float32)
    return unit
