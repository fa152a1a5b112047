"""What shoppers looked for and nobody here sells: searches with nothing close, put together by what they share.

    searches of the band "nothing close" of shoppers who agreed -> category, words, color -> clusters of at least five
    searchers -> what the merchant has

No photo is kept or shown. A word or color is named only where five searchers of a cluster share it, and small pictures
of what was searched with are shown only where five searchers have one, so nothing is told of one of them alone
(catalog.search.agreement).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Q, TextField
from django.db.models.functions import Cast

from catalog.bands import Band
from catalog.insights.counts import Period
from catalog.models import Category, Merchant, Product, ProductImage, SearchRecord
from catalog.words.tokens import tokenize
from catalog.words.vocabulary import STOPS

# Searchers that a cluster has at least.
LEAST = 5
# The latest searches that are looked at: of what a busy shop misses, these tell enough.
LATEST = 20_000
# What went wrong with the photo is no demand.
_BAD_PHOTO = ("too_dark", "too_small", "blurred")
# Share of the crop from which a photo's color is a wish: under it, it may be the background.
_COLOR_SHARE = 0.4
_SHORTEST_WORD = 3
# Crops that are shown of a cluster: each another person's.
MOST_CROPS = 5
# Share of a cluster's searches that must say a word for it to be in the cluster's name.
_NEARLY_ALL = 0.8
_SAY_NOTHING = frozenset(STOPS) | {"the", "this", "that", "like", "one", "any", "some", "new", "not", "you"}

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Missed:
    """One search that found nothing close."""

    category: str  # slug, or ""
    words: tuple[str, ...]  # in their order, each once
    color: str = ""
    searcher: str = ""  # pseudonym of who searched
    crop: str = ""  # name of the small picture of what was searched with (catalog.pictures.searched_crops)


@dataclass(frozen=True, slots=True)
class Cluster:
    """Searches that share something: a category, a word, a color; what they don't share is empty."""

    category: str
    words: tuple[str, ...]
    color: str
    searches: int
    searchers: int
    crops: tuple[str, ...] = ()  # of the latest searches, one of a person; none where fewer than LEAST have one


@dataclass(frozen=True, slots=True)
class Demand:
    cluster: Cluster
    name: str  # of the category; "" for none
    stocked: int  # the merchant's own products on sale that this describes


def unmet_demand(merchant: Merchant, period: Period, limit: int) -> list[Demand]:
    """Returns the largest clusters of the shop's searches that found nothing close, with what the merchant has."""
    found = clusters(_missed(period))[:limit]
    names = dict(Category.objects.filter(slug__in={one.category for one in found}).values_list("slug", "name"))
    return [Demand(one, names.get(one.category, one.category), _stocked(merchant, one)) for one in found]


def clusters(missed: Iterable[Missed]) -> list[Cluster]:
    """Returns clusters of at least LEAST searchers, the largest first. Each search is in one at most.

    Within a category, searches that share a word go together first, then those that share a color, then the rest.
    """
    by_category: dict[str, list[Missed]] = {}
    for one in missed:
        by_category.setdefault(one.category, []).append(one)
    found: list[Cluster] = []
    for category, searches in by_category.items():
        rest = searches
        for word, group, rest_of_words in _split(rest, lambda one: one.words):
            found.append(_cluster(category, _shared_words(group, word), _shared_color(group), group))
            rest = rest_of_words
        for color, group, rest_of_colors in _split(rest, lambda one: {one.color} - {""}):
            found.append(_cluster(category, (), color, group))
            rest = rest_of_colors
        if _people(rest) >= LEAST and category:
            found.append(_cluster(category, (), "", rest))
    return sorted(found, key=lambda one: (-one.searches, one.category, one.words, one.color))


def _cluster(category: str, words: tuple[str, ...], color: str, group: Sequence[Missed]) -> Cluster:
    crops: dict[str, str] = {}  # by person, the first that comes
    for one in group:
        if one.crop:
            crops.setdefault(one.searcher, one.crop)
    shown = tuple(crops.values())[:MOST_CROPS] if len(crops) >= LEAST else ()
    return Cluster(category, words, color, len(group), _people(group), shown)


def _split(
    searches: Sequence[Missed], traits: Callable[[Missed], Iterable[str]]
) -> Iterator[tuple[str, list[Missed], list[Missed]]]:
    """Yields the trait that most searches share, those searches and the rest, again and again until too few share."""
    rest = list(searches)
    while True:
        counted = _people_by(rest, traits)
        best = min(counted, key=lambda trait: (-counted[trait], trait), default="")
        if not best or counted[best] < LEAST:
            return
        group = [one for one in rest if best in traits(one)]
        rest = [one for one in rest if best not in traits(one)]
        yield best, group, rest


def _people(group: Iterable[Missed]) -> int:
    return len({one.searcher for one in group})


def _people_by(group: Iterable[Missed], traits: Callable[[Missed], Iterable[str]]) -> Counter[str]:
    """Returns how many searchers have each trait."""
    return Counter(trait for trait, _ in {(trait, one.searcher) for one in group for trait in traits(one)})


def _shared_words(group: Sequence[Missed], word: str) -> tuple[str, ...]:
    """Returns the word, and what nearly all of the group say with it, in the order in which most say them."""
    counted = _people_by(group, lambda one: one.words)
    shared = {other for other, count in counted.items() if count >= max(LEAST, _NEARLY_ALL * _people(group))} | {word}
    orders = Counter(order for one in group if len(order := tuple(w for w in one.words if w in shared)) == len(shared))
    return min(orders, key=lambda order: (-orders[order], order), default=(word,))


def _shared_color(group: Sequence[Missed]) -> str:
    """Returns the color that all of the group ask for, else ""."""
    colors = {one.color for one in group}
    return colors.pop() if len(colors) == 1 else ""


def _missed(period: Period) -> Iterator[Missed]:
    rows = (
        SearchRecord.objects.counted()
        .filter(Q(agreed__isnull=False) | Q(is_simulated=True), band=Band.NOTHING_CLOSE, created_at__gte=period.since)
        .order_by("-created_at")
        .values_list(
            "pk", "agreed__searcher", "category", "crop",
            "answer__reason", "answer__wishes", "answer__rest", "answer__facts__colors",
        )
    )  # fmt: skip
    for pk, searcher, category, crop, reason, wishes, rest, colors in rows[:LATEST].iterator():
        if reason not in _BAD_PHOTO:
            # A simulated search, where they are counted at all, is somebody's of her own.
            asked = missed(category, wishes or [], rest or "", colors or [])
            yield replace(asked, searcher=searcher or str(pk), crop=crop)


def missed(category: str, wishes: Sequence[Json], rest: str, colors: Sequence[Json]) -> Missed:
    """Returns what a recorded search asked for: its chips, the words that were left, the colors of its photo."""
    asked = [str(wish.get("value", "")).casefold() for wish in wishes if wish.get("kind") == "color"]
    seen = [str(one.get("name", "")) for one in colors[:1] if one.get("share", 0) >= _COLOR_SHARE]
    said = [token.key for token in tokenize(rest) if token.is_word and len(token.key) >= _SHORTEST_WORD]
    said += [str(wish.get("value", "")).casefold() for wish in wishes if wish.get("kind") == "brand"]
    known = {*asked, category, category.removesuffix("s"), category.removesuffix("es"), "", *_SAY_NOTHING}
    words = tuple(word for word in dict.fromkeys(said) if word not in known)
    return Missed(category, words, next(iter([*asked, *seen]), ""))


def _stocked(merchant: Merchant, cluster: Cluster) -> int:
    own = Product.objects.for_merchant(merchant).shown()
    if cluster.category:
        own = own.filter(category__slug=cluster.category)
    for word in cluster.words:
        own = own.filter(Q(title__icontains=word) | Q(brand__icontains=word))
    if cluster.color:
        # Lists of names as JSON text: every database can look into a text.
        quoted = f'"{cluster.color}"'
        seen = ProductImage.objects.filter(product__in=own).annotate(names=Cast("seen_colors", TextField()))
        own = own.annotate(named=Cast("colors", TextField()))
        own = own.filter(Q(named__icontains=quoted) | Q(pk__in=seen.filter(names__contains=quoted).values("product")))
    return own.count()
