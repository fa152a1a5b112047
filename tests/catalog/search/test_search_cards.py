"""What stands on a page: cards for things, not for listings; counts to narrow by; rows for an outfit; likes."""

from decimal import Decimal

import pytest
from PIL import Image, ImageFilter

from catalog.bands import Band
from catalog.models import Feedback, SearchRecord
from catalog.search.facets import Count
from catalog.search.listings import MOST_SHARING
from catalog.search.questions import Filters, Question
from catalog.search.ranking import Parts
from catalog.search.search import search
from detection.images import decode
from shop_search.errors import InputError
from tests.fakes import picture


def skus(answer) -> list[str]:
    return [result.product.sku for result in answer.results]


def test_every_result_says_what_its_place_is_made_of(shelf):
    shelf.put("S-1", 1)

    (result,) = search(Question(image=picture(1))).results

    assert isinstance(result.parts, Parts)
    assert result.parts.appearance == pytest.approx(result.score, abs=0.001)


def test_of_two_that_look_the_same_the_one_in_stock_comes_first(shelf):
    shelf.put("S-out", 1, in_stock=False, gtin="1000000000001")
    shelf.put("S-in", 1, gtin="1000000000001")

    assert skus(search(Question(image=picture(1)))) == ["S-in"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"gtin": "4006381333931"}, {"gtin": "04006381333931", "merchant": "maison"}),
        ({"item_group": "G1", "colors": ["Red"]}, {"item_group": "G1", "colors": ["red"]}),
    ],
)
def test_listings_of_one_thing_share_a_card(shelf, first, second):
    shelf.put("S-1", 1, price=Decimal("30.00"), **first)
    other = shelf.put("S-2", 2, price=Decimal("19.90"), **second)
    shelf.put("S-3", 3)

    answer = search(Question(image=picture(1)))

    assert skus(answer) == ["S-1", "S-3"]
    assert answer.results[0].others == (other.pk,)
    assert (answer.results[0].offers.count, answer.results[0].offers.lowest) == (2, Decimal("19.90"))
    assert answer.results[1].offers is None


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"item_group": "G1", "colors": ["Red"]}, {"item_group": "G1", "colors": ["Blue"]}),
        ({"item_group": "G1"}, {"item_group": "G1", "merchant": "maison"}),
        ({"gtin": ""}, {"gtin": ""}),
    ],
)
def test_things_that_only_resemble_keep_their_own_cards(shelf, first, second):
    shelf.put("S-1", 1, **first)
    shelf.put("S-2", 2, **second)

    assert len(search(Question(image=picture(1))).results) == 2


def test_the_lowest_price_is_one_in_the_cards_own_currency(shelf):
    shelf.put("S-1", 1, price=Decimal("30.00"), gtin="4006381333931")
    shelf.put("S-2", 2, price=Decimal("5.00"), currency="SEK", gtin="4006381333931")

    offers = search(Question(image=picture(1))).results[0].offers

    assert (offers.count, offers.lowest, offers.currency) == (2, Decimal("30.00"), "EUR")


def test_a_picture_that_stands_for_a_missing_one_makes_no_two_products_one(shelf):
    for number in range(MOST_SHARING + 1):
        shelf.put(f"S-{number}", 5)

    assert len(search(Question(image=picture(5), limit=50)).results) == MOST_SHARING + 1


def test_pages_of_cards_follow_each_other_without_gap_or_repeat(shelf):
    for seed in range(12):
        shelf.put(f"S-{seed}", seed, gtin=f"400000000000{seed // 2:02}")

    whole = skus(search(Question(image=picture(0), limit=6)))
    pages = [skus(search(Question(image=picture(0), limit=2, offset=offset))) for offset in (0, 2, 4)]

    assert [sku for page in pages for sku in page] == whole
    assert len(whole) == 6


def test_what_others_clicked_comes_first_among_equals(shelf):
    shelf.put("S-1", 1, gtin="1000000000001")
    clicked = shelf.put("S-2", 1, 2)
    record = SearchRecord.objects.create(answer={})
    for _ in range(5):
        Feedback.objects.create(search=record, product=clicked, verdict="click")

    assert skus(search(Question(image=picture(1))))[0] == "S-2"


def test_facets_count_the_products_one_could_narrow_to(shelf):
    shelf.put("S-1", 1, 2, brand="Linden", colors=["Red"], gender="male", price=Decimal(10))
    shelf.put("S-2", 3, brand="Linden", colors=["Blue", "Red"], gender="female", price=Decimal(40), in_stock=False)
    shelf.put("B-1", 4, category="bags", brand="Vale", merchant="maison")

    facets = search(Question(image=picture(1), category="shoes")).facets

    assert facets.category == (Count("shoes", "Shoes", 2), Count("bags", "Bags", 1))
    assert facets.brand == (Count("linden", "Linden", 2),)
    assert Count("red", "Red", 2) in facets.color
    assert facets.gender == (Count("men", "Men", 1), Count("women", "Women", 1))
    assert facets.merchant == (Count("atelier", "Atelier", 2),)
    assert (facets.price.low, facets.price.high, facets.price.currency) == (10, 40, "EUR")
    assert facets.in_stock == {"true": 1, "false": 1}


def test_a_kind_that_is_filtered_by_shows_what_else_there_is(shelf):
    shelf.put("S-1", 1, brand="Linden", colors=["Red"])
    shelf.put("S-2", 2, brand="Vale", colors=["Red"])
    shelf.put("S-3", 3, brand="Vale", colors=["Blue"])

    facets = search(Question(image=picture(1), filters=Filters(brands=("vale",), colors=("red",)))).facets

    assert facets.brand == (Count("linden", "Linden", 1), Count("vale", "Vale", 1))
    assert {"blue", "red"} <= {count.value for count in facets.color}


def test_a_facets_value_is_what_the_filter_takes(shelf):
    shelf.put("S-1", 1, brand="Pell & Oake", colors=["Navy Blue"], gender="female")
    facets = search(Question(image=picture(1))).facets

    filters = Filters(
        brands=(facets.brand[0].value,),
        colors=(facets.color[0].value,),
        genders=(facets.gender[0].value,),
        merchants=(facets.merchant[0].value,),
    )

    assert skus(search(Question(image=picture(1), filters=filters))) == ["S-1"]


def test_without_asking_there_is_no_outfit(shelf):
    assert search(Question(image=picture(1))).outfit is None


def test_each_thing_in_the_photo_gets_its_row(shelf):
    for seed in range(9):
        shelf.put(f"S-{seed}", seed)

    answer = search(Question(image=picture(3), outfit=True))

    assert answer.outfit is not None
    (row,) = answer.outfit
    assert (row.region, row.category.slug, row.band) == (0, "shoes", Band.SAME_PHOTO)
    assert [result.product.sku for result in row.results] == skus(answer)[:6]


def test_a_row_of_the_outfit_never_shows_another_category(shelf):
    for seed in range(4):
        shelf.put(f"B-{seed}", seed, category="bags")

    answer = search(Question(image=picture(3), outfit=True))

    assert len(answer.results) == 4
    assert answer.outfit is not None
    assert [(row.category.slug, row.band, row.results) for row in answer.outfit] == [("shoes", Band.NOTHING_CLOSE, ())]


def test_an_outfit_beside_a_box_still_shows_every_region(shelf):
    shelf.put("S-3", 3)

    answer = search(Question(image=picture(3), outfit=True, box=(0, 0, 20, 20)))

    assert answer.selected.region is None
    assert [row.region for row in answer.outfit] == [0]


def test_each_like_draws_the_answer_nearer(shelf):
    for seed in range(8):
        shelf.put(f"S-{seed}", seed)
    *_, liked, other = search(Question(image=picture(0), category="shoes")).results

    def score_of(*likes: int) -> float:
        answer = search(Question(image=picture(0), category="shoes", like=likes))
        return next(result.score for result in answer.results if result.product == liked.product)

    once = score_of(liked.product.pk)

    assert liked.score < once
    assert score_of(liked.product.pk, other.product.pk) != once


def test_what_is_disliked_is_left_out_and_draws_the_answer_away(shelf):
    for seed in range(6):
        shelf.put(f"S-{seed}", seed)
    plain = search(Question(image=picture(0)))
    disliked = plain.results[0].product

    refined = search(Question(image=picture(0), dislike=(disliked.pk,)))

    assert disliked.sku not in skus(refined)
    assert len(refined.results) == 5


def test_likes_alone_are_a_question(shelf):
    liked = shelf.put("S-1", 1)
    shelf.put("S-2", 2)

    assert skus(search(Question(like=(liked.pk,))))[0] == "S-1"


def test_likes_of_products_nobody_knows_are_an_error_of_the_sender_when_they_are_all_there_is(shelf):
    shelf.put("S-1", 1)

    assert skus(search(Question(image=picture(1), like=(999,)))) == ["S-1"]
    with pytest.raises(InputError) as caught:
        search(Question(like=(999,)))
    assert caught.value.code == "product_not_indexed"


def test_a_blurred_photo_is_told_so(shelf, settings):
    settings.BAND_THRESHOLDS = {"same_photo": 2.0, "same_product": 2.0, "similar": 2.0}
    shelf.put("S-1", 2)
    sharp = decode(picture(1, size=(300, 300))).image

    assert search(Question(image=_png(sharp))).reason == "no_similar_product"
    assert search(Question(image=_png(sharp.filter(ImageFilter.GaussianBlur(12))))).reason == "blurred"


def _png(image) -> bytes:
    import io

    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def test_a_plain_search_reads_little_from_the_database(shelf, django_assert_max_num_queries):
    for seed in range(30):
        shelf.put(f"S-{seed}", seed)
    search(Question(image=picture(99)))  # what the shop sells in sum is read once a minute, what is live once a second

    with django_assert_max_num_queries(6):
        search(Question(image=picture(99)))


def test_a_like_makes_nothing_the_same_product(shelf, settings):
    """Bands say how near things are to what was asked, not to what was liked."""
    for seed in range(8):
        shelf.put(f"S-{seed}", seed)
    photo = picture(0)
    *_, liked, _ = search(Question(image=photo, category="shoes")).results
    settings.BAND_THRESHOLDS = {"same_photo": 2.0, "same_product": liked.score + 0.001, "similar": -1.0}

    answer = search(Question(image=photo, category="shoes", like=(liked.product.pk,)))

    (again,) = (one for one in answer.results if one.product == liked.product)
    assert again.score > liked.score + 0.001
    assert again.band == "similar"


@pytest.mark.parametrize(("shade", "reason"), [(6, "too_dark"), (250, "nothing_detected")])
def test_a_photo_that_shows_nothing_is_like_nothing(shelf, settings, monkeypatch, shade, reason):
    settings.BAND_THRESHOLDS = {"same_photo": 2.0, "same_product": 2.0, "similar": -1.0}
    shelf.put("S-1", 1)
    monkeypatch.setattr("tests.fakes.FakeDetector._find", lambda self, image: [])

    answer = search(Question(image=_png(Image.new("RGB", (300, 300), (shade, shade, shade)))))

    assert (answer.band, answer.reason) == ("nothing_close", reason)
    assert [one.band for one in answer.results] == ["nothing_close"]
