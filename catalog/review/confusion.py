"""Which category a search was taken for, against the one that people say it is of.

What people say, the first of these that there is: a correction; the known answer of a simulated shopper; the category
of the products that reviewers called the same or a good match (what most of them are); "unnamed", where they only said
that the category is wrong.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from catalog.review.asked import NO_CATEGORY, OTHER, Asked

RELEVANT = ("same_product", "good")
# A table with more is read by nobody: the rarest go together.
MOST_CATEGORIES = 12
REST = "the rest"


@dataclass(frozen=True, slots=True)
class Confusion:
    """Searches by predicted (rows) and actual (columns) category: `cells[row][column]` counts them."""

    names: tuple[str, ...]
    actual_names: tuple[str, ...]
    cells: tuple[tuple[int, ...], ...]

    @property
    def n(self) -> int:
        return sum(map(sum, self.cells))

    @property
    def right(self) -> int:
        pairs = ((name, row) for name, row in zip(self.names, self.cells, strict=True) if name in self.actual_names)
        return sum(row[self.actual_names.index(name)] for name, row in pairs)


def named(one: Asked) -> str:
    """Returns the category that the search was taken for."""
    return one.category or NO_CATEGORY


def actual_category(one: Asked) -> str | None:
    """Returns the category that people say the search is of; None where nobody said."""
    if one.corrected:
        return one.corrected
    if one.known:
        return one.known.category or None
    good = Counter(said.category for said in one.said if said.verdict in RELEVANT)
    if good:
        return min(good, key=lambda category: (-good[category], category))
    wrong = one.said and all(said.verdict == "wrong_category" for said in one.said)
    return OTHER if wrong else None


def confusion(asked: Iterable[Asked]) -> Confusion | None:
    """Returns the matrix of the photo searches whose category people named, the most common first; None without any."""
    pairs = Counter((named(one), actual) for one in asked if one.has_photo and (actual := actual_category(one)))
    if not pairs:
        return None
    sizes: Counter[str] = Counter()
    for (predicted, actual), count in pairs.items():
        sizes[predicted] += count
        sizes[actual] += count
    common = [name for name, _ in sizes.most_common() if name not in (OTHER, NO_CATEGORY)]
    kept, rest = common[:MOST_CATEGORIES], set(common[MOST_CATEGORIES:])
    merged: Counter[tuple[str, str]] = Counter()
    for (predicted, actual), count in pairs.items():
        merged[REST if predicted in rest else predicted, REST if actual in rest else actual] += count
    order = [*kept, *([REST] if rest else [])]
    names = tuple(order + [NO_CATEGORY] * any(predicted == NO_CATEGORY for predicted, _ in merged))
    actual_names = tuple(order + [name for name in (OTHER, NO_CATEGORY) if any(actual == name for _, actual in merged)])
    return Confusion(names, actual_names, tuple(tuple(merged[row, column] for column in actual_names) for row in names))
