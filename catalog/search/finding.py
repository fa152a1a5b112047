"""From a query to cards in their order: ask the store, look the hits up in the database, rank, put listings together.

The database has the last word on what may be shown. Candidates are ranked in blocks of the store's order, so that a
later page never repeats or skips what an earlier one showed, however far the store was asked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from time import perf_counter

from catalog.bands import Band, Bands
from catalog.bands.calibration import current_bands
from catalog.curation.rules import Applied, rules_now
from catalog.indexing.points import VECTOR, searched_collection
from catalog.search.claims import Claims
from catalog.search.curated import missing_pins, placed, without_hidden
from catalog.search.fusion import share_of
from catalog.search.listings import keys_of, shown_listings
from catalog.search.ranking import Candidate, Ranked, candidates, collapse, rank
from catalog.search.same_pictures import begin_reading, groups_of
from catalog.search.understanding import Query
from catalog.words.category_words import singular
from embeddings import vector_store
from embeddings.types import Hit, Where

# Ranked together, and what facets count. Half a page more than anyone looks at; asking for more costs each search.
BLOCK = 100


@dataclass(frozen=True, slots=True)
class Page:
    """The cards up to the end of the asked page, and what they were chosen from."""

    cards: tuple[Ranked, ...] = ()
    listings: int = 0  # products before listings of the same thing were put together
    nearest: tuple[Candidate, ...] = ()  # the first block, in the store's order

    @property
    def band(self) -> Band:
        """The surest of the cards': a pinned one may stand first and be no more than similar."""
        return min((card.band for card in self.cards), key=list(Band).index, default=Band.NOTHING_CLOSE)


class Finder:
    """Asks the store for one query's products, with or without a category."""

    def __init__(self, query: Query) -> None:
        self.store_ms = 0.0  # spent waiting for the store
        self._query = query
        started = perf_counter()
        self._collection = searched_collection()
        self.store_ms += (perf_counter() - started) * 1000
        self._bands: Bands | None = None
        self._claims: Claims | None = None
        if query.has_picture:
            bands = current_bands()
            self._bands = bands if query.sight is not None else bands.between_catalog_pictures()
            if query.sight is not None and self._collection is not None:
                self._claims = Claims(bands, self._collection)
        self._rules = rules_now()

    def page(self, category: str | None, wanted: int, *, categories: Mapping[str, float] | None = None) -> Page:
        """Returns the first `wanted` cards of a category, or of all; a product has several images, so it may ask again.

        `categories` are likely ones with their confidences: a nudge, where they don't narrow.
        """
        where = self._query.words.filters.where(category, self._query.exclude)
        applied = self._rules.applying(category, self._query.embedding if self._query.has_picture else None)
        limit = BLOCK * -(-(2 * wanted + 16) // BLOCK)
        while True:
            hits = self.hits(where, limit)
            page = self._page(hits, categories or {}, applied, where)
            if len(page.cards) >= wanted or len(hits) < limit:
                return replace(page, cards=page.cards[:wanted])
            limit *= 4

    def hits(self, where: Where | None, limit: int = BLOCK) -> list[Hit]:
        """Returns the nearest points that the filter allows."""
        if self._collection is None:  # an empty shop, not a failure
            return []
        started = perf_counter()
        hits = vector_store().query(self._collection, self._query.embedding, using=VECTOR, limit=limit, where=where)
        self.store_ms += (perf_counter() - started) * 1000
        return hits

    def _page(self, hits: Sequence[Hit], categories: Mapping[str, float], applied: Applied, where: Where) -> Page:
        nearest = candidates(hits, bands=self._bands, asked=self._asked(hits))
        if self._claims is not None:
            self._claims.begin(nearest)
        found = without_hidden(self._shown(nearest), applied)
        if self._claims is not None:
            started = perf_counter()
            found = self._claims.made(found)
            self.store_ms += (perf_counter() - started) * 1000
        wants = replace(self._query.wants, categories=categories, boosts=applied.boosts)
        if self._query.sight is not None:  # who it is for: what the nearest products agree on
            wants = replace(wants, genders=share_of(hits, "gender"))
        blocks: list[list[Candidate]] = []
        block_of = {hit.id: place // BLOCK for place, hit in enumerate(hits)}
        for one in found:
            while len(blocks) <= block_of[one.image_id]:
                blocks.append([])
            blocks[block_of[one.image_id]].append(one)
        ordered = [pair for block in blocks for pair in rank(block, wants)]
        ordered += [pair for one in self._pins(found, applied, where) for pair in rank([one], wants)]
        # A pinned product has a card of its own, though a better listing of the same thing may be there.
        ordered = [(replace(one, keys=()) if one.product_id in applied.pins else one, parts) for one, parts in ordered]
        return Page(tuple(placed(collapse(ordered), applied)), len(found), tuple(blocks[0]) if blocks else ())

    def _asked(self, hits: Sequence[Hit]) -> dict[int, float] | None:
        """Returns the hits' scores with what was asked, where words or likes moved the query away from it."""
        if self._query.asked is None or self._collection is None or not hits:
            return None
        started = perf_counter()
        vectors = vector_store().retrieve(self._collection, [hit.id for hit in hits], using=VECTOR)
        self.store_ms += (perf_counter() - started) * 1000
        return {pk: float(vector @ self._query.asked) for pk, vector in vectors.items()}

    def _pins(self, found: Sequence[Candidate], applied: Applied, where: Where) -> list[Candidate]:
        if not applied.pins or self._collection is None:
            return []
        return self._shown(
            missing_pins(
                found,
                applied,
                collection=self._collection,
                embedding=self._query.embedding,
                where=where,
                bands=self._bands,
            )
        )

    def _shown(self, found: Sequence[Candidate]) -> list[Candidate]:
        """Returns the candidates that may be shown, with what the database knows of them."""
        reading = begin_reading(self._collection, found) if self._collection else None
        listings = shown_listings(found)
        groups = groups_of(found, reading.result()) if reading else {}
        keys = keys_of(found, listings, groups)
        shown: list[Candidate] = []
        for one in found:
            listing = listings.get(one.image_id)
            if listing is not None and not self._is_unwanted(listing.title):
                shown.append(
                    replace(one, created_at=listing.created_at, clicks=listing.clicks, keys=keys[one.image_id])
                )
        return shown

    def _is_unwanted(self, title: str) -> bool:
        """Whether a title has a word that the shopper doesn't want; "heels" has "heel"."""
        excluded = self._query.words.excluded
        if not excluded:
            return False
        words = f" {singular(' '.join(title.casefold().replace('-', ' ').split()))} "
        return any(f" {singular(word)} " in words for word in excluded)
