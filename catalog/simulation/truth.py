"""How good a result is for what a simulated shopper meant, by the catalog's own words: no model is asked."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from catalog.models import Product
from catalog.simulation.clicks import Grade


@dataclass(frozen=True, slots=True)
class Thing:
    """A product as its seller describes it."""

    category: str
    colors: frozenset[str] = frozenset()
    gender: str = ""


@dataclass(frozen=True, slots=True)
class Meant:
    """What a shopper has in mind."""

    thing: Thing
    products: frozenset[int]  # the listings that are it; none: nothing sold here is


def things(products: Iterable[int]) -> dict[int, Thing]:
    """Returns the products by id."""
    rows = Product.objects.filter(pk__in=list(products)).values_list("pk", "category__slug", "colors", "gender")
    return {
        pk: Thing(category, frozenset(color.casefold() for color in colors), gender.casefold())
        for pk, category, colors, gender in rows
    }


def grade(meant: Meant, product: int, others: Sequence[int], thing: Thing) -> Grade:
    """Returns the grade of a card: the very product, one of its category that shares a color, one that doesn't, one
    made for somebody else, one of another category."""
    if not meant.products.isdisjoint((product, *others)):
        return Grade.SAME_PRODUCT
    if thing.category != meant.thing.category:
        return Grade.WRONG_CATEGORY
    if thing.gender and meant.thing.gender and thing.gender != meant.thing.gender:
        return Grade.WRONG
    return Grade.GOOD if thing.colors & meant.thing.colors else Grade.NEAR
