import pytest

from catalog.comparisons.comparing import compare
from catalog.comparisons.jobs import compare_version
from catalog.indexing.points import searched_collection
from catalog.models import Comparison, SearchRecord, Verdict
from catalog.pictures import searched_crops
from catalog.search.answers import record
from catalog.search.questions import Question
from catalog.search.search import search
from catalog.versions import promote, propose
from catalog.versions.gate import gate
from shop_search.errors import InputError
from tests.catalog.comparisons.conftest import built
from tests.fakes import picture


def test_a_worse_encoder_loses_and_the_gate_refuses_it(shop, settings, django_user_model):
    settings.VERSION_GATE = {**settings.VERSION_GATE, "queries": 10}
    version = built("poor")

    made = compare(version, by=None, sample=12)

    recall = made.report["measures"]["recall@1"]["all"]
    assert recall["n"] == 12
    assert recall["before"] == 1.0
    assert recall["high"] < 0
    assert recall["losses"] > 6 > recall["wins"]
    said = gate(version)
    assert not said.passes
    assert [line.passes for line in said.lines if line.text.startswith("recall@1: difference")] == [False]
    with pytest.raises(InputError) as refused:
        promote(version, by=None, why="I trained it myself")
    assert refused.value.code == "gate_refused"


def test_an_encoder_of_the_same_eye_ties_and_is_let_through_with_enough_queries(shop, settings):
    settings.VERSION_GATE = {**settings.VERSION_GATE, "queries": 10, "latency_ratio": 100, "category_queries": 100}
    settings.VERSION_GATE["measures"] = {"encoder": {"recall@1": -0.2, "ndcg@10": -0.2}}
    version = built("2")

    made = compare(version, by=None, sample=12)

    assert made.report["measures"]["ndcg@10"]["all"]["ties"] == 12
    assert made.report["measures"]["ndcg@10"]["all"]["low"] < 0  # twelve alike don't prove that all are
    assert gate(version).passes
    promote(version, by=None, why="smaller")


def test_a_second_photo_is_out_of_the_index_for_its_own_query_alone(shop):
    compare(built("2"), by=None, sample=12)

    assert shop.store.count(searched_collection() or "") == 24
    images = {one["picture"]["image"] for one in Comparison.objects.get().outcomes}
    for one in Comparison.objects.get().outcomes:
        found = {card["image"] for card in one["before"]["cards"]}
        assert one["picture"]["image"] not in found
    assert len(images) == 12


def test_losses_come_first_with_what_each_side_found(shop):
    made = compare(built("poor"), by=None, sample=12)

    assert made.outcomes[0]["result"] == "loss"
    assert made.outcomes[0]["before"]["cards"][0]["is_it"]
    assert not made.outcomes[0]["after"]["cards"][0]["is_it"]


def test_what_reviewers_said_of_a_search_is_asked_of_both(shop, django_user_model):
    reviewer = django_user_model.objects.create_user("rae")
    answer = search(Question(image=picture(3)))
    record(answer)
    searched_crops.wait()
    for one in answer.results[:3]:
        Verdict.objects.create(
            search=SearchRecord.objects.get(),
            product=one.product,
            rank=one.rank,
            verdict="same_product" if one.product.sku == "P-3" else "wrong",
            reviewer=reviewer,
        )

    made = compare(built("poor"), by=None, sample=5)

    assert made.report["sources"]["judged search"] == 1
    judged = made.report["measures"]["recall@1"]["sources"]["judged search"]
    assert (judged["n"], judged["before"]) == (1, 1.0)


def test_without_second_photos_or_verdicts_photos_are_made(db, settings, tmp_path):
    from catalog.indexing.index import index_all
    from tests.catalog.shop import open_shop

    shop = open_shop(settings, tmp_path)
    shop.feed.add_many(5)
    shop.upload()
    index_all()

    made = compare(built("2"), by=None, sample=5)

    assert made.report["sources"] == {"made photo": 5}


def test_weights_are_compared_without_an_index_of_their_own(shop):
    weights = {"appearance": 0.0, "color": 0.0, "attributes": 0.0, "quality": 1.0}
    version = propose("ranking", name="quality alone", options=weights, by=None)

    made = compare(version, by=None, sample=12)

    assert made.report["measures"]["recall@1"]["all"]["n"] == 12
    assert made.report["memory_mb"] == {}


def test_too_high_a_threshold_breaks_the_promise_of_bands(shop, settings):
    settings.BAND_THRESHOLDS = {"same_photo": 0.999, "same_product": 0.9, "similar": 0.1}
    version = propose("bands", name="shy", options={"same_photo": 1.0, "same_product": 1.0, "similar": 0.5}, by=None)

    made = compare(version, by=None, sample=12)

    band = made.report["measures"]["band_right"]["all"]
    assert band["before"] > band["after"]
    assert made.outcomes[0]["result"] == "loss"


def test_what_was_not_built_or_is_live_is_not_compared(shop):
    with pytest.raises(InputError) as refused:
        compare(propose("encoder", name="raw", options={"version": "3"}, by=None), by=None)
    assert refused.value.code == "version_not_built"
    version = built("2")
    promote(version, by=None, why="on", without_gate=True)
    with pytest.raises(InputError) as refused:
        compare(version, by=None)
    assert refused.value.code == "version_is_live"


def test_progress_is_told_to_the_end(shop):
    told: list[tuple[int, int, str]] = []

    compare_version(lambda done, total=0, what="": told.append((done, total, what)), version=built("2").pk, sample=6)

    assert told[0][:2] == (0, 6)
    assert told[-1][:2] == (6, 6)


def test_memory_is_measured_in_a_process_of_its_own(settings):
    from catalog.comparisons.memory import memory_mb
    from shop_search import settings as product

    settings.ENCODER = product.ENCODER
    grown = memory_mb("encoder", product.ENCODER["OPTIONS"])
    assert grown is not None
    assert 5 < grown < 1000
    assert memory_mb("encoder", {"card": "/nowhere.json"}) is None
