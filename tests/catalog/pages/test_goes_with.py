from catalog.models import Product
from catalog.pages.goes_with import WORN_WITH, colors_of, goes_with
from detection.categories import DETECTED


def names(cards):
    return [card.title for card in cards]


def test_things_of_other_kinds_in_the_same_colors_go_with_a_product(shelf):
    top = shelf.put("T-1", 1, category="tops", colors=["red"])
    shelf.put("T-2", 2, category="tops", colors=["red"])
    shelf.put("P-1", 3, category="pants", colors=["red"])
    shelf.put("P-2", 4, category="pants", colors=["green"])
    shelf.put("S-1", 5, category="shoes", colors=["red", "white"])
    shelf.put("P-3", 6, category="pants", colors=["red"], in_stock=False)

    assert names(goes_with(top)) == ["Product P-1", "Product S-1"]


def test_one_of_each_kind_comes_before_the_second_of_any(shelf):
    top = shelf.put("T-1", 1, category="tops", colors=["red"])
    for number in range(3):
        shelf.put(f"P-{number}", 10 + number, category="pants", colors=["red"])
        shelf.put(f"S-{number}", 20 + number, category="shoes", colors=["red"])

    kinds = [Product.objects.get(pk=card.product_id).category.slug for card in goes_with(top)]

    assert kinds == ["pants", "shoes", "pants", "shoes"]


def test_a_product_of_no_known_color_goes_with_nothing(shelf):
    top = shelf.put("T-1", 1, category="tops")
    shelf.put("P-1", 2, category="pants", colors=["red"])
    top.images.update(seen_colors=[])

    assert goes_with(Product.objects.get(pk=top.pk)) == []


def test_colors_are_read_off_the_picture_where_the_feed_names_none(shelf):
    top = shelf.put("T-1", 1, category="tops")
    top.images.update(seen_colors=["navy"])

    assert colors_of(Product.objects.get(pk=top.pk)) == ("navy",)


def test_a_product_that_is_not_indexed_goes_with_nothing(shelf):
    shelf.put("P-1", 2, category="pants", colors=["red"])

    assert goes_with(shelf.put("T-1", category="tops", colors=["red"])) == []


def test_every_detected_kind_has_something_it_is_worn_with():
    assert set(WORN_WITH) == set(DETECTED)
    assert all(kind not in others and set(others) <= set(DETECTED) for kind, others in WORN_WITH.items())
