import io
from decimal import Decimal

import pytest
from django.utils import timezone
from PIL import Image

from catalog.bands import Band
from catalog.models import Product
from catalog.search.questions import Filters, Question
from catalog.search.search import search
from embeddings import vector_store
from shop_search.errors import InputError, ServiceError
from tests.fakes import picture


def skus(answer) -> list[str]:
    return [result.product.sku for result in answer.results]


def one_color(value: int) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (200, 200), (value, value, value)).save(stream, "PNG")
    return stream.getvalue()


def test_the_product_in_the_photo_comes_first(shelf):
    for seed in range(8):
        shelf.put(f"S-{seed}", seed)

    answer = search(Question(image=picture(3)))

    assert skus(answer)[0] == "S-3"
    assert answer.results[0].rank == 1
    assert answer.band is answer.results[0].band is Band.SAME_PHOTO
    assert answer.reason is None


def test_the_detectors_category_narrows_the_catalog(shelf):
    shelf.put("B-3", 3, category="bags")
    for seed in range(4, 8):
        shelf.put(f"S-{seed}", seed, category="shoes")

    answer = search(Question(image=picture(3)))

    assert "B-3" not in skus(answer)
    assert answer.selected.category_applied
    assert (answer.selected.category.slug, answer.selected.category.source) == ("shoes", "detector")


def test_a_thin_category_is_left_and_the_answer_says_so(shelf):
    shelf.put("S-1", 1, category="shoes")
    shelf.put("B-3", 3, category="bags")

    answer = search(Question(image=picture(3)))

    assert sorted(skus(answer)) == ["B-3", "S-1"]
    assert not answer.selected.category_applied
    assert answer.selected.category.slug == "shoes"


def test_a_category_that_the_shopper_chose_is_never_left(shelf):
    shelf.put("S-1", 1, category="shoes")
    shelf.put("B-3", 3, category="bags")

    answer = search(Question(image=picture(3), category="shoe"))

    assert skus(answer) == ["S-1"]
    assert (answer.selected.category.slug, answer.selected.category.source) == ("shoes", "user")


def test_all_categories_can_be_searched(shelf):
    for seed in range(4):
        shelf.put(f"S-{seed}", seed, category="shoes")
    shelf.put("B-9", 9, category="bags")

    answer = search(Question(image=picture(9), category="all"))

    assert skus(answer)[0] == "B-9"
    assert not answer.selected.category_applied


def test_an_unknown_category_is_an_error_of_the_sender(shelf):
    with pytest.raises(InputError) as caught:
        search(Question(image=picture(1), category="spaceships"))

    assert caught.value.code == "category_unknown"
    assert "category" in caught.value.fields


def test_neighbors_name_the_category_where_nothing_is_detected(shelf):
    for number in range(6):
        shelf.put(f"W-{number}", 5, category="watches")
    shelf.put("B-1", 8, category="bags")

    answer = search(Question(image=one_color(255)))

    assert answer.regions == ()
    assert answer.selected.region is None
    assert (answer.selected.category.slug, answer.selected.category.source) == ("watches", "neighbors")
    assert answer.selected.category_applied
    assert "B-1" not in skus(answer)


def test_a_withdrawn_product_never_appears_in_results(shelf):
    shelf.put("S-1", 1)
    gone = shelf.put("S-2", 2)
    Product.objects.filter(pk=gone.pk).update(withdrawn_at=timezone.now())

    answer = search(Question(image=picture(2)))

    assert vector_store().count("products") == 2
    assert skus(answer) == ["S-1"]


def test_a_product_with_several_pictures_appears_once(shelf):
    shelf.put("S-1", 1, 2, 3)
    shelf.put("S-9", 9)

    assert sorted(skus(search(Question(image=picture(2))))) == ["S-1", "S-9"]


def test_pages_follow_each_other_without_gap_or_repeat(shelf):
    for seed in range(10):
        shelf.put(f"S-{seed}", seed)

    whole = skus(search(Question(image=picture(0), limit=10)))
    pages = [skus(search(Question(image=picture(0), limit=4, offset=offset))) for offset in (0, 4, 8)]

    assert [sku for page in pages for sku in page] == whole
    assert len(set(whole)) == 10


def test_ranks_on_a_later_page_go_on_counting(shelf):
    for seed in range(6):
        shelf.put(f"S-{seed}", seed)

    answer = search(Question(image=picture(0), limit=3, offset=3))

    assert [result.rank for result in answer.results] == [4, 5, 6]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(price_max=Decimal(20)), {"S-cheap"}),
        (Filters(price_min=Decimal(20)), {"S-dear"}),
        (Filters(brands=("LINDEN",)), {"S-dear"}),
        (Filters(colors=("Red",)), {"S-cheap"}),
        (Filters(merchants=("maison",)), {"S-dear"}),
        (Filters(in_stock=True), {"S-cheap"}),
        (Filters(brands=("Linden",), colors=("red",)), set()),
    ],
)
def test_filters_hold(shelf, filters, expected):
    shelf.put("S-cheap", 1, price=Decimal(10), colors=["red"])
    shelf.put("S-dear", 2, price=Decimal(90), brand="Linden", merchant="maison", in_stock=False)

    assert set(skus(search(Question(image=picture(1), category="shoes", filters=filters)))) == expected


def test_filters_that_leave_nothing_are_named_as_the_reason(shelf):
    shelf.put("S-1", 1)

    answer = search(Question(image=picture(1), filters=Filters(brands=("nobody",))))

    assert (answer.band, answer.reason) == (Band.NOTHING_CLOSE, "nothing_matches_filters")


def test_a_box_is_searched_instead_of_a_region(shelf):
    shelf.put("S-1", 1)

    answer = search(Question(image=picture(1), box=(4, 4, 40, 40)))

    assert answer.selected.region is None
    assert answer.selected.box == (4, 4, 40, 40)


def test_a_box_on_a_region_is_that_region(shelf):
    shelf.put("S-1", 1)
    box = search(Question(image=picture(1))).regions[0].xyxy

    assert search(Question(image=picture(1), box=box)).selected.region == 0


def test_a_box_reaching_outside_is_cut_at_the_photos_edge(shelf):
    answer = search(Question(image=picture(1), box=(-50, -50, 5000, 40)))

    assert answer.selected.box == (0, 0, 96, 40)


@pytest.mark.parametrize("box", [(10, 10, 12, 90), (90, 90, 10, 10), (200, 200, 300, 300), (float("nan"),) * 4])
def test_a_box_without_enough_pixels_is_an_error_of_the_sender(shelf, box):
    with pytest.raises(InputError) as caught:
        search(Question(image=picture(1), box=box))

    assert caught.value.code == "box_invalid"


def test_more_like_a_product_leaves_that_product_out(shelf):
    liked = shelf.put("S-1", 1, 2)
    shelf.put("S-2", 1)
    shelf.put("S-3", 7)

    answer = search(Question(product=liked.pk))

    assert skus(answer) == ["S-2", "S-3"]
    assert answer.size is None


def test_more_like_an_unknown_product_is_an_error_of_the_sender(shelf):
    with pytest.raises(InputError) as caught:
        search(Question(product=12345))

    assert caught.value.code == "product_unknown"


def test_words_alone_find_products(shelf):
    shelf.put("S-1", 1, colors=["Red"])

    answer = search(Question(text="red shoes"))

    assert skus(answer) == ["S-1"]
    assert answer.band is Band.SIMILAR


def test_words_beside_a_photo_move_the_answer(shelf):
    for seed in range(3):
        shelf.put(f"S-{seed}", seed)

    plain = search(Question(image=picture(0)))
    blended = search(Question(image=picture(0), text="striped"))

    assert plain.results[0].score > blended.results[0].score


def test_a_dark_photo_is_told_so(shelf):
    shelf.put("S-1", 1)

    answer = search(Question(image=one_color(3), filters=Filters(brands=("nobody",))))

    assert answer.reason == "too_dark"


def test_an_empty_shop_answers_with_nothing_and_a_reason(db, settings):
    settings.DETECTOR = {"BACKEND": "tests.fakes.FakeDetector"}
    settings.ENCODER = {"BACKEND": "tests.fakes.FakeEncoder"}
    settings.VECTOR_STORE = {"BACKEND": "tests.fakes.MemoryStore"}

    answer = search(Question(image=picture(1)))

    assert answer.results == ()
    assert answer.reason == "nothing_matches_filters"


def test_an_index_of_another_encoder_is_a_failure_that_names_the_cure(shelf, settings):
    shelf.put("S-1", 1)
    settings.ENCODER = {"BACKEND": "tests.fakes.FakeEncoder", "OPTIONS": {"version": "2"}}

    with pytest.raises(ServiceError) as caught:
        search(Question(image=picture(1)))

    assert caught.value.code == "index_outdated"
    assert "reindex_catalog" in caught.value.message


def test_a_store_that_is_down_is_a_failure_not_an_empty_answer(shelf):
    shelf.break_store()

    with pytest.raises(ServiceError) as caught:
        search(Question(image=picture(1)))

    assert caught.value.code == "vector_store_unavailable"


def test_the_answer_says_what_each_stage_cost_and_which_models_gave_it(shelf):
    answer = search(Question(image=picture(1)))

    assert set(answer.timings_ms) == {"decode", "detect", "embed", "search", "rank", "total"}
    assert answer.models["encoder"].startswith("fake-encoder-1@")


def test_the_probable_brand_is_what_products_agree_on_that_score_like_the_same_one(shelf, settings):
    settings.BAND_THRESHOLDS = {"same_photo": 2.0, "same_product": -1.0, "similar": -1.0}
    shelf.put("S-1", 1, brand="Linden")
    shelf.put("S-2", 2, brand="Linden", merchant="maison")
    answer = search(Question(image=picture(9)))

    assert answer.copies == ()
    assert [result.band for result in answer.results] == [Band.SAME_PRODUCT, Band.SIMILAR]
    assert answer.facts is not None
    assert (answer.facts.brand, answer.facts.seller) == ("Linden", None)


def test_more_like_a_product_calls_nothing_the_same_product(shelf):
    """Catalog pictures resemble each other too much: thresholds are learned from shoppers' photos."""
    asked = shelf.put("asked", 1)
    shelf.put("alike", 1, colors=["Red"], gtin="4006381333931")

    answer = search(Question(product=asked.pk))

    assert [(one.product.sku, one.band) for one in answer.results] == [("alike", "similar")]
