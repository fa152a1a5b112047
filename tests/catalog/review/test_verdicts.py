"""Which searches are judged, and what becomes of verdicts."""

from collections import Counter
from uuid import UUID, uuid4

import pytest
from django.contrib.auth import get_user_model

from catalog.models import Product, SearchRecord, SearchSummary, Verdict
from catalog.review.verdicts import (
    OVERLAP_EVERY,
    Candidate,
    Stratum,
    candidates,
    in_turns,
    judge,
    progress,
    queue,
    sheet,
    undo,
)
from catalog.search.answers import record
from catalog.search.feedback import give_feedback
from catalog.search.questions import Question
from catalog.search.search import search
from embeddings import vector_store
from shop_search.errors import InputError
from tests.fakes import picture


@pytest.fixture
def rae(db):
    return get_user_model().objects.create_user("rae", is_staff=True)


@pytest.fixture
def ray(db):
    return get_user_model().objects.create_user("ray", is_staff=True)


def searched(seed: int = 1, **question) -> UUID:
    answer = search(Question(**({"image": picture(seed)} | question)))
    record(answer)
    return answer.id


def stock(shelf, count: int = 4) -> list[Product]:
    return [shelf.put(f"P{seed}", seed) for seed in range(1, count + 1)]


def test_a_photo_search_waits_to_be_judged(shelf, rae):
    stock(shelf)
    search_id = searched()

    assert queue(rae, limit=9) == [search_id]


def test_words_and_further_pages_are_not_judged(shelf, rae):
    stock(shelf)
    searched(image=None, text="a shoe")
    searched(limit=2, offset=2)

    assert queue(rae, limit=9) == []


def test_a_search_whose_crop_is_gone_is_not_shown_but_still_counted(shelf, rae):
    stock(shelf)
    searched()
    SearchRecord.objects.update(crop="")

    assert queue(rae, limit=9) == []
    assert len(candidates()) == 1


def test_a_rare_stratum_comes_as_soon_as_a_common_one():
    common, rare = Stratum("shoes", "similar", ""), Stratum("hats", "nothing_close", "")
    found = [Candidate(uuid4(), common) for _ in range(50)] + [Candidate(uuid4(), rare)]

    first_two = in_turns(found)[:2]

    assert found[-1].id in first_two


def test_the_order_inside_a_stratum_is_random_but_the_same_for_everyone():
    stratum = Stratum("shoes", "similar", "")
    found = [Candidate(uuid4(), stratum) for _ in range(40)]

    assert in_turns(found) == in_turns(reversed(found))
    assert in_turns(found) != [one.id for one in found]


def test_disliked_and_unsure_answers_are_strata_of_their_own(shelf):
    product, *_ = stock(shelf)
    plain, disliked = searched(), searched()
    give_feedback(disliked, product=product.pk, verdict="dislike")
    unsure = SearchRecord.objects.get(pk=searched())
    SearchSummary.objects.filter(pk=unsure.pk).update(confidence=0.3)

    concerns = {one.id: one.stratum.concern for one in candidates()}
    assert concerns == {plain: "", disliked: "disliked", unsure.pk: "unsure"}


def test_a_sheet_shows_the_results_and_what_this_reviewer_said(shelf, rae, ray):
    stock(shelf)
    search_id = searched()
    first = sheet(search_id, rae).items[0]
    judge(search_id, product=first.product["id"], verdict="good", reviewer=rae)

    assert sheet(search_id, rae).items[0].verdict == "good"
    assert sheet(search_id, ray).items[0].verdict == ""
    assert [item.rank for item in sheet(search_id, rae).items] == [1, 2, 3, 4]


def test_a_verdict_keeps_rank_and_band_as_they_were_shown(shelf, rae):
    stock(shelf)
    search_id = searched()
    second = sheet(search_id, rae).items[1]

    said = judge(search_id, product=second.product["id"], verdict="wrong", reviewer=rae)

    assert (said.rank, said.band) == (2, second.band)


def test_a_second_verdict_replaces_the_first(shelf, rae):
    product, *_ = stock(shelf)
    search_id = searched()
    judge(search_id, product=product.pk, verdict="good", reviewer=rae)
    judge(search_id, product=product.pk, verdict="near", reviewer=rae)

    assert [one.verdict for one in Verdict.objects.all()] == ["near"]
    assert (progress(rae).today, progress(rae).total) == (1, 1)


def test_undo_takes_back_the_latest_verdict_of_this_reviewer_alone(shelf, rae, ray):
    one, two, *_ = stock(shelf)
    search_id = searched()
    judge(search_id, product=one.pk, verdict="good", reviewer=rae)
    judge(search_id, product=two.pk, verdict="near", reviewer=rae)
    judge(search_id, product=two.pk, verdict="wrong", reviewer=ray)

    assert undo(rae).product_id == two.pk
    assert undo(rae).product_id == one.pk
    assert undo(rae) is None
    assert Verdict.objects.count() == 1


def test_a_verdict_changes_no_product_and_no_point(shelf, rae):
    product, *_ = stock(shelf)
    search_id = searched()
    before = Product.objects.values().get(pk=product.pk), list(vector_store().scroll(shelf.collection))

    judge(search_id, product=product.pk, verdict="wrong_category", reviewer=rae)

    assert before == (Product.objects.values().get(pk=product.pk), list(vector_store().scroll(shelf.collection)))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"verdict": "great"}, "verdict_unknown"),
        ({"product": 987654}, "product_not_found"),
        ({"search_id": UUID(int=7)}, "search_unknown"),
    ],
)
def test_a_verdict_on_something_else_is_refused(shelf, rae, changes, code):
    product, *_ = stock(shelf)
    asked = {"search_id": searched(), "product": product.pk, "verdict": "good"} | changes
    with pytest.raises(InputError) as refusal:
        judge(asked.pop("search_id"), reviewer=rae, **asked)
    assert refusal.value.code == code
    assert not Verdict.objects.exists()


def test_what_was_judged_or_skipped_does_not_come_again(shelf, rae):
    product, *_ = stock(shelf)
    first, second, third = searched(1), searched(2), searched(3)
    judge(first, product=product.pk, verdict="good", reviewer=rae)

    assert queue(rae, limit=9, skip=[second]) == [third]


def test_one_search_in_five_was_judged_by_somebody_else(shelf, rae, ray):
    product, *_ = stock(shelf)
    searches = [searched(1 + number % 4) for number in range(16)]
    for search_id in searches[:4]:
        judge(search_id, product=product.pk, verdict="good", reviewer=ray)

    coming = queue(rae, limit=15)

    where = [place for place, search_id in enumerate(coming, 1) if search_id in searches[:4]]
    assert where[:2] == [OVERLAP_EVERY, 2 * OVERLAP_EVERY]
    assert max(Counter(coming).values()) == 1
