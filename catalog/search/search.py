"""A shopper's search, start to end.

    question -> embedding, wishes (understanding) -> category (fusion) -> store query, rank, bands
    (finding) -> copies (copies) -> hydrate -> facets -> answer

The database has the last word: only products that may be shown become cards, so a stale point in the store can never
show a withdrawn product.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from time import perf_counter

from django.conf import settings

from catalog.bands import Band
from catalog.bands.calibration import current_bands
from catalog.search.answers import Outfit, Result, SearchAnswer, Selected, SelectedCategory, hydrate
from catalog.search.claims import scoring_the_same
from catalog.search.copies import Copy, find_copies, marked
from catalog.search.finding import Finder, Page
from catalog.search.fusion import Guess, fuse, seen, vote
from catalog.search.narrowing import facets_of
from catalog.search.picture_facts import PictureFacts, colors_of, facts_of
from catalog.search.questions import ALL_CATEGORIES, Question
from catalog.search.ranking import Wants
from catalog.search.reasons import nothing_to_see, reason_of
from catalog.search.understanding import Query, palette_of, understand
from catalog.serving import as_one, serving
from catalog.words.assortment import assortment
from detection import detector
from detection.crops import crop
from embeddings import encoder
from embeddings.types import Where

# With fewer products than this in the category the page looks empty, so the search repeats without the filter.
THIN = 4
# A detection this sure is believed even where no neighbor agrees because the shop sells nothing of the kind.
SURE_DETECTION = 0.5
# Of each thing in the outfit, and of how many things.
OUTFIT_RESULTS = 6
MOST_OUTFIT = 8
_SCORES = 5  # categories named beside the selected one


@dataclass(frozen=True, slots=True)
class _Found:
    page: Page
    category: SelectedCategory | None
    category_applied: bool
    is_sold: bool = True  # whether the shop has anything of the category


@as_one
def search(question: Question) -> SearchAnswer:
    """Returns the answer to one question; nothing is recorded.

    Raises InputError when the question can't be answered as sent, ServiceError when a model or the store fails.
    """
    started = perf_counter()
    question.check()
    query = understand(question)
    asked = perf_counter()
    finder = Finder(query)
    found = _find(question, query, finder)
    looked = perf_counter()
    copies = _copies(query, found.page, question.filters.merchants if question.is_bound else None)
    copies_ms = (perf_counter() - looked) * 1000
    if copies is not None:
        found = replace(found, page=replace(found.page, cards=marked(found.page.cards, copies)))
    facets = facets_of(query, finder, found.page, category=_applied(found), is_bound=question.is_bound)
    outfit = _outfit(query) if question.outfit else None
    results = hydrate(
        found.page.cards[question.offset : question.offset + question.limit], first_rank=question.offset + 1
    )
    band = found.page.band
    if not found.is_sold and not query.has_picture:  # words have no measure of their own: what they name isn't here
        band, results = Band.NOTHING_CLOSE, [replace(result, band=Band.NOTHING_CLOSE) for result in results]
    reason = nothing_to_see(question, query) if not copies else None
    if reason is not None:  # an even or black picture is like something, too, but tells nothing
        band, results = Band.NOTHING_CLOSE, [replace(result, band=Band.NOTHING_CLOSE) for result in results]
    elif band is Band.NOTHING_CLOSE:
        reason = reason_of(question, query, is_empty=not found.page.cards, is_sold=found.is_sold)
    total_ms = (perf_counter() - asked) * 1000
    choice = query.sight.choice if query.sight else None
    timings = {
        **dict.fromkeys(("decode", "detect", "embed"), 0.0),
        **query.timings,
        "search": finder.store_ms + copies_ms,
        "rank": total_ms - finder.store_ms - copies_ms,
        "total": (perf_counter() - started) * 1000,
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
        results=tuple(results),
        timings_ms={stage: round(ms, 2) for stage, ms in timings.items()},
        models={"detector": detector().card.label, "encoder": encoder().card.label},
        versions={kind: version.pk for kind, version in serving().versions.items()},
        wishes=query.words.chips,
        rest=query.words.rest,
        facets=facets,
        outfit=outfit,
        copies=tuple(copies or ()),
        facts=_facts(query, copies or [], found.page, results),
        crop=crop(query.photo.image, query.photo.to_image(choice.box)) if query.photo and choice else None,
    )


def _copies(query: Query, page: Page, merchants: Sequence[str] | None) -> list[Copy] | None:
    """Returns the copies of the photo, of these merchants only if any are named; None where nothing can be said."""
    if query.photo is None or query.sight is None:
        return None
    look_alikes = {one.image_id: one.score for one in page.nearest}
    copies = find_copies(query.photo, None, look_alikes, product_box=query.sight.choice.box, probing=query.probing)
    if copies is None or merchants is None:
        return copies
    return [copy for copy in copies if copy.product.merchant.slug in merchants]


def _facts(query: Query, copies: Sequence[Copy], page: Page, results: Sequence[Result]) -> PictureFacts | None:
    if query.photo is None or query.sight is None:
        return None
    alike = scoring_the_same(page.nearest, current_bands())
    close = [one.product for one in results if one.product.pk in alike]
    palette = query.wants.palette or palette_of(query.photo, query.sight.choice.box)
    copied = [copy.product for copy in copies]
    return facts_of(query.data, query.photo, colors_of(palette), copied=copied, close=close)


def _find(question: Question, query: Query, finder: Finder) -> _Found:
    """Narrows by category when one is known, and widens again when that leaves a thin page."""
    wanted = question.offset + question.limit
    if query.category is not None:
        return _within(query.category, finder, wanted, has_choice=True)
    detected = seen(query.sight.detections, query.sight.choice.box) if query.sight else {}
    if question.category == ALL_CATEGORIES or query.sight is None:
        guess = fuse(detected, {})
        return _Found(finder.page(None, wanted), _selected(guess), category_applied=False)
    votes = {} if _is_sure(detected) else _votes(query, finder)
    unsold = _unsold(detected, votes)
    guess = fuse(detected, {} if unsold else votes)
    category = _selected(guess)
    if unsold:
        page = finder.page(None, wanted)
        return _Found(page, category, category_applied=False, is_sold=False)
    if guess is None or category is None or guess.confidence < settings.CATEGORY_FUSION["least"][guess.source]:
        return _Found(finder.page(None, wanted), None, category_applied=False)
    return _within(category, finder, wanted, likely=guess.confidences)


def _within(
    category: SelectedCategory,
    finder: Finder,
    wanted: int,
    *,
    likely: Mapping[str, float] | None = None,
    has_choice: bool = False,
) -> _Found:
    page = finder.page(category.slug, wanted)
    if page.listings == 0 and not _is_sold(category.slug):
        return _Found(finder.page(None, wanted), category, category_applied=False, is_sold=False)
    if has_choice or page.listings >= min(THIN, wanted):
        return _Found(page, category, category_applied=True)
    return _Found(finder.page(None, wanted, categories=likely), category, category_applied=False)


def _votes(query: Query, finder: Finder) -> dict[str, float]:
    nearest = finder.hits(Where(exclude=query.exclude), settings.CATEGORY_FUSION["neighbors"])
    return vote(nearest, assortment().category_counts)


def _is_sure(detected: Mapping[str, float]) -> bool:
    """Whether the neighbors needn't be asked: the store reads every vector for them."""
    sure: float = settings.CATEGORY_FUSION["sure"]
    return max(detected.values(), default=0.0) >= sure


def _unsold(detected: Mapping[str, float], votes: Mapping[str, float]) -> bool:
    """Whether the detector is sure of something that the shop doesn't sell: neighbors can only name what it does."""
    if not detected:
        return False
    best = max(detected, key=lambda category: detected[category])
    return detected[best] >= SURE_DETECTION and best not in votes and not _is_sold(best)


def _is_sold(category: str) -> bool:
    return category in assortment().category_counts


def _selected(guess: Guess | None) -> SelectedCategory | None:
    if guess is None:
        return None
    scores = tuple(guess.confidences.items())[:_SCORES]
    return SelectedCategory(guess.slug, min(guess.confidence, 1.0), guess.source, scores)


def _applied(found: _Found) -> str | None:
    return found.category.slug if found.category and found.category_applied else None


def _outfit(query: Query) -> tuple[Outfit, ...]:
    """Returns a row of look-alikes for each thing in the photo; regions were embedded with the searched part."""
    rows: list[Outfit] = []
    regions = query.sight.regions if query.sight else ()
    for number, (region, embedding) in enumerate(zip(regions, query.regions, strict=False)):
        if number == MOST_OUTFIT:
            break
        palette = palette_of(query.photo, region.xyxy) if query.photo and query.wants.palette else ()
        finder = Finder(replace(query, embedding=embedding, wants=Wants(palette=palette)))
        category = SelectedCategory(region.category, region.confidence, "detector")
        page = finder.page(region.category, OUTFIT_RESULTS)  # never of another category: a row of hats shows hats
        rows.append(Outfit(number, category, page.band, tuple(hydrate(page.cards))))
    return tuple(rows)
