from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from catalog.bands import Band
from catalog.curation.curating import Draft, add, remove
from catalog.curation.rules import Rule, trying
from catalog.models import AuditEntry, Curation, SearchRecord
from catalog.pictures import searched_crops
from catalog.search.answers import as_json, recall, record
from catalog.search.questions import Filters, Question
from catalog.search.search import search
from shop_search.errors import InputError
from tests.fakes import picture

QUERY = Question(image=picture(3))


@pytest.fixture
def admin(db) -> User:
    return User.objects.create_user("rae", is_staff=True)


@pytest.fixture
def products(shelf, settings, tmp_path):
    settings.SEARCH_CROPS_ROOT = tmp_path / "searched"
    settings.BAND_THRESHOLDS = {"same_photo": 0.999, "same_product": 0.95, "similar": -1.0}
    made = [shelf.put(f"S-{seed}", seed, price=Decimal(10 + seed)) for seed in range(8)]
    made.append(shelf.put("B-1", 20, category="bags"))
    return {product.sku: product for product in made}


def skus(question: Question = QUERY) -> list[str]:
    return [result.product.sku for result in search(question).results]


def draft(kind: str, product, **fields) -> Draft:
    return Draft(kind, product.pk, **{"category": "shoes", "why": "Season.", **fields})


def test_a_pinned_product_stands_at_its_rank_and_keeps_its_honest_band(products, admin):
    last = skus()[-1]
    band = search(QUERY).results[-1].band
    add(draft("pin", products[last], rank=1), by=admin)

    answer = search(QUERY)

    assert answer.results[0].product.sku == "S-3"  # a verified copy of the photo stays first
    assert answer.results[0].band is Band.SAME_PHOTO
    assert answer.results[1].product.sku == last
    assert answer.results[1].band is band is not Band.SAME_PHOTO
    assert len(skus()) == len(set(skus())) == 8


def test_a_pin_brings_a_product_of_another_category_with_its_own_score(products, admin):
    add(draft("pin", products["B-1"], rank=3), by=admin)
    answer = search(QUERY)
    assert answer.results[2].product.sku == "B-1"
    everything = search(Question(image=picture(3), category="all"))
    own = next(one for one in everything.results if one.product.sku == "B-1")
    assert answer.results[2].score == pytest.approx(own.score, abs=1e-4)


def test_a_pin_first_does_not_make_the_answer_look_worse(products, admin):
    add(draft("pin", products["B-1"], rank=1), by=admin)
    assert search(QUERY).band is Band.SAME_PHOTO


def test_a_pin_breaks_no_filter_of_the_shopper(products, admin):
    add(draft("pin", products["S-7"], rank=1), by=admin)
    cheap = Question(image=picture(3), category="shoes", filters=Filters(price_max=Decimal(14)))
    assert "S-7" not in skus(cheap)
    assert "S-3" in skus(cheap)


def test_a_pin_stays_in_its_place_on_later_pages(products, admin):
    last = skus()[-1]
    add(draft("pin", products[last], rank=3), by=admin)
    pages = [skus(Question(image=picture(3), limit=2, offset=offset)) for offset in (0, 2, 4, 6)]
    assert pages[1][0] == last
    assert sorted(sku for page in pages for sku in page) == sorted(skus())


def test_a_hidden_product_is_left_out_for_its_category_alone(products, admin):
    add(draft("hide", products["S-3"]), by=admin)
    assert "S-3" not in skus(Question(image=picture(4)))
    assert "S-3" in skus(Question(image=picture(4), category="all"))


def test_a_boost_moves_a_product_within_its_band(products, admin):
    before = skus(Question(image=picture(4)))
    add(draft("boost", products[before[3]], factor=5.0), by=admin)
    after = skus(Question(image=picture(4)))
    assert after[0] == "S-4"  # a surer band: boosting doesn't make it more alike
    assert after[1] == before[3]


def test_a_rule_holds_between_its_dates_and_until_it_is_removed(products, admin):
    now = timezone.now()
    row = add(draft("hide", products["S-5"], starts_at=now + timedelta(days=1)), by=admin)
    assert "S-5" in skus()
    Curation.objects.update(starts_at=now - timedelta(days=2), ends_at=now - timedelta(days=1))
    assert "S-5" in skus()
    Curation.objects.update(ends_at=now + timedelta(days=1))
    assert "S-5" not in skus()
    remove(row, by=admin)
    assert "S-5" in skus()
    assert list(AuditEntry.objects.order_by("pk").values_list("action", "why")) == [
        ("curation_hide", "Season."),
        ("curation_removed", ""),
    ]


def kept_search(seed: int) -> SearchRecord:
    answer = search(Question(image=picture(seed), category="all"))
    record(answer)
    searched_crops.wait()
    return SearchRecord.objects.get(pk=answer.id)


def test_a_cluster_is_what_looks_like_a_kept_crop(products, admin):
    kept = kept_search(3)
    add(draft("hide", products["S-6"], category="", search=kept.pk, least_score=0.98), by=admin)
    assert "S-6" not in skus(Question(image=picture(3), category="all"))
    assert "S-6" in skus(Question(image=picture(6), category="all"))


def test_a_cluster_of_another_encoder_is_ignored(products, admin):
    kept = kept_search(3)
    add(draft("hide", products["S-6"], category="", search=kept.pk, least_score=0.98), by=admin)
    Curation.objects.update(encoder="another")
    assert "S-6" in skus(Question(image=picture(3), category="all"))


def test_a_cluster_outlives_the_picture_it_was_made_of(products, admin):
    kept = kept_search(3)
    add(draft("hide", products["S-6"], category="", search=kept.pk, least_score=0.98), by=admin)
    kept.delete()
    assert "S-6" not in skus(Question(image=picture(3), category="all"))


def test_words_alone_belong_to_no_cluster(products, admin):
    kept = kept_search(3)
    add(draft("hide", products["S-6"], category="", search=kept.pk, least_score=0.01), by=admin)
    assert "S-6" in skus(Question(text="something"))


def test_shoppers_are_never_told_what_was_curated(products, admin):
    add(draft("pin", products["S-7"], rank=2), by=admin)
    answer = search(QUERY)
    record(answer)
    assert "curated" not in str(as_json(answer))
    assert "curated" not in str(recall(answer.id))
    assert SearchRecord.objects.get(pk=answer.id).answer["curated"] == {str(products["S-7"].pk): "pin"}


def test_a_rule_can_be_tried_before_it_is_made(products, admin):
    with trying([Rule(0, "hide", products["S-5"].pk, category="shoes")]):
        assert "S-5" not in skus()
    assert "S-5" in skus()


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"rank": 0}, "rank"),
        ({"rank": 1, "category": "nothing"}, "category"),
        ({"rank": 1, "category": ""}, "category"),
        ({"rank": 1, "why": " "}, "why"),
        ({"rank": 1, "ends_at": timezone.now() - timedelta(days=1)}, "ends_at"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_by_field(products, admin, fields, wrong):
    with pytest.raises(InputError) as raised:
        add(draft("pin", products["S-1"], **fields), by=admin)
    assert list(raised.value.fields) == [wrong]
    assert not Curation.objects.exists()


@pytest.mark.parametrize("factor", [None, 0.0, -1.0, 99.0, float("nan")])
def test_a_boost_has_a_sensible_factor(products, admin, factor):
    with pytest.raises(InputError):
        add(draft("boost", products["S-1"], factor=factor), by=admin)
