"""What goes with a product: things of other kinds in its colors, the nearest in style first.

No stylist was asked: the encoder says what is near, the feed or the picture what color it is, and the table below what
is worn together.
"""

from dataclasses import replace

from catalog.models import Category, Product
from catalog.pages.cards import Card, cards_of
from catalog.search.answers import Json, as_json
from catalog.search.questions import Filters, Question
from catalog.search.search import search
from shop_search.errors import InputError

# What is worn with what, the more telling first. A kind that isn't listed goes with shoes and bags.
WORN_WITH = {
    "bags": ("shoes", "dresses", "jackets", "tops"),
    "dresses": ("shoes", "bags", "jackets", "sunglasses"),
    "hats": ("jackets", "tops", "sunglasses", "shoes"),
    "jackets": ("pants", "tops", "shoes", "bags"),
    "pants": ("tops", "shoes", "jackets", "bags"),
    "shoes": ("pants", "dresses", "bags", "tops"),
    "shorts": ("tops", "shoes", "hats", "sunglasses"),
    "skirts": ("tops", "shoes", "bags", "jackets"),
    "sunglasses": ("hats", "dresses", "tops", "bags"),
    "tops": ("pants", "skirts", "shoes", "jackets"),
}
ANYTHING = ("shoes", "bags")
KINDS = 4
EACH = 2


def goes_with(product: Product) -> list[Card]:
    """Returns up to eight cards, one of each kind before the second of any; none where its colors are not known.

    Raises ServiceError when the search is out of order.
    """
    colors = colors_of(product)
    if not colors:
        return []
    wanted = WORN_WITH.get(product.category.slug, ANYTHING)
    known = set(Category.objects.filter(slug__in=wanted).values_list("slug", flat=True))
    filters = Filters(colors=colors, genders=(product.gender,) if product.gender else (), in_stock=True)
    question = Question(product=product.pk, filters=filters, limit=EACH)
    rows = [_cards(replace(question, category=slug)) for slug in wanted if slug in known][:KINDS]
    return [row[place] for place in range(EACH) for row in rows if place < len(row)]


def colors_of(product: Product) -> tuple[str, ...]:
    """Returns the colors that the feed names or, failing that, those that its main picture shows."""
    if product.colors:
        return tuple(str(color) for color in product.colors)
    main = next(iter(product.images.all()), None)
    return tuple(main.seen_colors) if main else ()


def _cards(question: Question) -> list[Card]:
    try:
        answer: Json = as_json(search(question))
    except InputError:  # not indexed yet
        return []
    # Kinds differ by design, so how near they are says nothing of sameness.
    return [replace(card, is_same=False, band="similar") for card in cards_of(answer)]
