import threading

import pytest

from catalog import serving
from catalog.indexing.check import drop_other_collections
from catalog.indexing.index import index_all, index_due
from catalog.indexing.points import ALIAS, collection_of, point_alias, searched_collection
from catalog.models import AuditEntry, LiveVersion, ProductImage, SidePoint, Switch, Version
from catalog.search.questions import Question
from catalog.search.search import search
from catalog.versions import live, promote, propose, retire, rollback
from catalog.versions.beside import build, lacking
from embeddings import encoder
from shop_search.errors import InputError, ServiceError
from tests.catalog.versions.conftest import let_through, proposed
from tests.fakes import FakeEncoder, picture

FIRST, SECOND = FakeEncoder("1").card.fingerprint, FakeEncoder("2").card.fingerprint


@pytest.fixture
def stocked(shop):
    shop.feed.add_many(6)
    shop.upload()
    index_all()
    return shop


def built(version: str = "2") -> Version:
    made = proposed(version)
    build(made)
    let_through(made)
    made.refresh_from_db()
    return made


def encoders() -> set[str]:
    return set(ProductImage.objects.values_list("encoder", flat=True))


def best(seed: int) -> str:
    return search(Question(image=picture(seed))).results[0].product.sku


def test_without_a_promoted_version_the_settings_are_live(shop, settings):
    assert live("ranking") == settings.RANKING_WEIGHTS
    assert live("bands") == settings.BAND_THRESHOLDS
    assert live("encoder") == {"version": "1"}


def test_a_promoted_encoder_answers_from_its_own_collection(stocked, admin):
    old = searched_collection()
    version = built()

    promote(version, by=admin, why="finds more")

    assert encoder().card.fingerprint == SECOND
    assert searched_collection() == collection_of(encoder().card) != old
    assert stocked.store.resolve(ALIAS) == searched_collection()
    assert best(3) == "P-0003"
    assert encoders() == {SECOND}


def test_building_leaves_searches_and_the_pictures_rows_alone(stocked):
    old = searched_collection()

    build(proposed("2"))

    assert searched_collection() == old
    assert encoders() == {FIRST}
    assert sorted(stocked.store.collections().values()) == [6, 6]


def test_a_build_that_was_stopped_goes_on_where_it_was(stocked):
    version = proposed("2")
    calls: list[int] = []

    build(version, lambda done, total, what: calls.append(done), batch=2, is_stopped=lambda: len(calls) > 1)
    version.refresh_from_db()
    done = SidePoint.objects.count()
    assert version.state == Version.State.BUILDING
    assert 0 < done < 6

    assert build(version) == 6 - done
    version.refresh_from_db()
    assert version.state == Version.State.READY


def test_pictures_that_came_in_since_the_build_are_in_the_index_before_the_promote(stocked, admin):
    version = built()
    stocked.feed.add("NEW", seed=77)
    stocked.upload()
    index_all()

    promote(version, by=admin, why="finds more")

    assert best(77) == "NEW"
    assert encoders() == {SECOND}


def test_a_picture_that_changed_since_the_build_is_embedded_anew(stocked, admin):
    version = built()
    stocked.feed.draw("P-0002.png", seed=99)
    stocked.upload()
    index_all()

    promote(version, by=admin, why="finds more")

    assert best(99) == "P-0002"


def test_a_rollback_is_immediate_and_finds_all_that_came_in_meanwhile(stocked, admin):
    old = searched_collection()
    promote(built(), by=admin, why="finds more")
    stocked.feed.add("NEW", seed=77)
    stocked.upload()
    index_all()

    switch = rollback("encoder", by=admin, why="shoppers complain")

    assert switch.is_rollback
    assert searched_collection() == old == stocked.store.resolve(ALIAS)
    assert best(3) == "P-0003"
    index_all()
    assert best(77) == "NEW"
    assert encoders() == {FIRST}


def test_rolling_back_twice_goes_back_two_promotes_and_no_further(stocked, admin):
    promote(built("2"), by=admin, why="one")
    promote(built("3"), by=admin, why="two")

    rollback("encoder", by=admin, why="back")
    assert encoder().card.fingerprint == SECOND
    rollback("encoder", by=admin, why="back again")
    assert encoder().card.fingerprint == FIRST
    with pytest.raises(InputError, match="could be rolled back") as refused:
        rollback("encoder", by=admin, why="further")
    assert refused.value.code == "nothing_to_roll_back"


def test_a_search_that_began_before_the_switch_ends_with_what_it_began_with(stocked, admin):
    version = built()
    for switch in (lambda: promote(version, by=admin, why="on"), lambda: rollback("encoder", by=admin, why="off")):
        with serving.pinned(serving.read()):
            before = encoder().card.fingerprint
            switch()
            assert encoder().card.fingerprint == before
            assert searched_collection() == collection_of(encoder().card)
            assert best(4) == "P-0004"


def test_the_alias_is_mended_by_whoever_indexes_when_the_switch_died_before_it(stocked, admin, monkeypatch):
    version = built()
    monkeypatch.setattr("catalog.versions.switching._follow", lambda move: None)
    promote(version, by=admin, why="finds more")
    assert stocked.store.resolve(ALIAS) != collection_of(encoder().card)
    assert best(3) == "P-0003"

    point_alias()

    assert stocked.store.resolve(ALIAS) == collection_of(encoder().card)


def test_who_works_on_with_the_old_encoder_neither_points_the_alias_back_nor_marks_pictures(stocked, admin):
    version = built()
    stocked.feed.add("NEW", seed=77)
    stocked.upload()
    old = serving.read()
    promote(version, by=admin, why="finds more")
    new = stocked.store.resolve(ALIAS)
    ProductImage.objects.filter(product__sku="NEW").update(state="pending")

    with serving.pinned(old):
        assert index_due().indexed == 0

    assert stocked.store.resolve(ALIAS) == new
    assert stocked.image("NEW").state == "pending"
    index_all()
    assert stocked.image("NEW").encoder == SECOND


def test_nothing_changes_when_the_switch_fails_in_the_middle(stocked, admin, monkeypatch):
    version = built()

    def die(*args, **kwargs):
        raise ServiceError("died", "The process died.")

    monkeypatch.setattr("catalog.versions.switching.note", die)
    with pytest.raises(ServiceError):
        promote(version, by=admin, why="finds more")

    assert encoders() == {FIRST}
    assert not Switch.objects.exists()
    version.refresh_from_db()
    assert version.state == Version.State.READY
    assert best(3) == "P-0003"


def test_a_version_without_an_index_is_not_promoted(stocked, admin):
    version = proposed("2")
    let_through(version)

    with pytest.raises(InputError) as refused:
        promote(version, by=admin, why="at once")

    assert refused.value.code == "version_not_built"


def test_a_version_that_lost_to_the_live_one_is_refused_with_the_failing_lines(stocked, admin):
    version = proposed("2")
    build(version)
    let_through(version, difference=-0.2, low=-0.3)

    with pytest.raises(InputError, match=r"recall@1: difference -0\.200, at worst -0\.300") as refused:
        promote(version, by=admin, why="I like it")

    assert refused.value.code == "gate_refused"
    assert encoders() == {FIRST}


def test_a_comparison_with_what_was_live_before_says_nothing(stocked, admin):
    later = built("3")
    promote(built("2"), by=admin, why="first")

    with pytest.raises(InputError, match="compared with what is live"):
        promote(later, by=admin, why="second")


def test_past_the_gate_the_switch_says_so(stocked, admin):
    version = proposed("2")
    build(version)

    promote(version, by=admin, why="the old one broke", without_gate=True)

    entry = AuditEntry.objects.get(action="promote")
    assert entry.details["without_gate"] is True
    assert entry.why == "the old one broke"
    assert entry.by_id == admin.pk


@pytest.mark.parametrize("why", ["", "   "])
def test_a_switch_needs_a_reason(stocked, admin, why):
    with pytest.raises(InputError) as refused:
        promote(built(), by=admin, why=why)

    assert refused.value.code == "why_missing"


def test_promoted_weights_rank_at_once_and_are_rolled_back(shop, admin):
    weights = {"appearance": 0.7, "color": 0.1, "attributes": 0.1, "quality": 0.1}
    version = propose("ranking", name="learned", options=weights, by=admin)
    let_through(version)

    promote(version, by=admin, why="clicks say so")
    assert live("ranking") == weights
    rollback("ranking", by=admin, why="they don't")
    assert live("ranking")["appearance"] == 0.85


def test_another_process_follows_within_a_second(shop, admin, monkeypatch):
    weights = {"appearance": 0.7, "color": 0.1, "attributes": 0.1, "quality": 0.1}
    version = propose("ranking", name="learned", options=weights, by=admin)
    assert live("ranking")["appearance"] == 0.85
    LiveVersion.objects.filter(pk="ranking").update(version=version)  # as another process does
    assert live("ranking")["appearance"] == 0.85

    monkeypatch.setattr(serving, "monotonic", lambda: serving._kept.read_at + 1.01)

    assert live("ranking")["appearance"] == 0.7


def test_a_promoted_detector_has_a_collection_of_its_own(stocked, admin):
    old = searched_collection()
    version = proposed("2", kind="detector")
    build(version)
    let_through(version)

    promote(version, by=admin, why="sharper boxes")

    assert searched_collection() != old
    assert best(3) == "P-0003"
    rollback("detector", by=admin, why="no")
    assert searched_collection() == old
    assert best(3) == "P-0003"


def test_a_withdrawn_product_is_gone_from_the_collection_that_is_kept_too(stocked, admin):
    promote(built(), by=admin, why="on")
    stocked.image("P-0003").product.__class__.objects.filter(sku="P-0003").withdraw()
    index_all()
    rollback("encoder", by=admin, why="off")

    assert best(3) != "P-0003"
    assert not SidePoint.objects.filter(image=stocked.image("P-0003")).exists()


def test_a_retired_version_leaves_neither_collection_nor_side_points(stocked, admin):
    version = built()
    promote(version, by=admin, why="on")
    rollback("encoder", by=admin, why="off")

    retire(version, by=admin, why="no use")

    assert list(stocked.store.collections()) == [searched_collection()]
    assert not SidePoint.objects.exists()
    with pytest.raises(InputError):
        promote(version, by=admin, why="again")


def test_the_live_version_cannot_be_retired(stocked, admin):
    version = built()
    promote(version, by=admin, why="on")

    with pytest.raises(InputError) as refused:
        retire(version, by=admin, why="off with it")

    assert refused.value.code == "version_is_live"


def test_of_two_promotes_at_once_the_second_is_told(stocked, admin, monkeypatch):
    first, second = built("2"), built("3")
    stale = serving.read()
    promote(first, by=admin, why="race")
    let_through(second)
    monkeypatch.setattr(serving, "read", lambda: stale)

    with pytest.raises(InputError) as refused:
        promote(second, by=admin, why="race")

    assert refused.value.code == "switched_meanwhile"
    assert encoders() == {SECOND}
    assert lacking(collection_of(FakeEncoder("2").card)).count() == 6  # told by the rows themselves


def test_a_follower_loads_what_went_live_before_a_search_needs_it(stocked, admin, monkeypatch):
    version = built()
    told = [False, True]
    stopped = threading.Event()
    monkeypatch.setattr(stopped, "wait", lambda timeout: told.pop(0))
    LiveVersion.objects.filter(pk="encoder").update(version=version)
    loaded: list[str] = []
    monkeypatch.setattr(serving, "encoder", lambda: loaded.append(serving.serving().versions["encoder"].name))

    serving.follow(stopped)

    assert loaded == ["fake 2"]
    assert serving.serving().pk("encoder") == version.pk


def test_a_process_that_cannot_load_what_went_live_answers_on_with_what_it_had(stocked, admin, monkeypatch):
    version = built()
    assert serving.serving().versions == {}
    told = [False, False, True]
    stopped = threading.Event()
    monkeypatch.setattr(stopped, "wait", lambda timeout: told.pop(0))
    LiveVersion.objects.filter(pk="encoder").update(version=version)

    def broken() -> None:
        raise ServiceError("model_file_missing", "gone")

    monkeypatch.setattr(serving, "encoder", broken)
    serving.follow(stopped)
    monkeypatch.undo()

    assert encoder().card.fingerprint == FIRST
    assert best(3) == "P-0003"


def test_pruning_leaves_the_collections_of_versions_alone(stocked, admin):
    version = built("2")
    promote(version, by=admin, why="on")
    build(proposed("3"))
    collections = set(stocked.store.collections())

    assert drop_other_collections() == []

    assert set(stocked.store.collections()) == collections
    assert len(collections) == 3


def test_a_model_that_was_replaced_under_its_version_is_told_and_not_searched_with(stocked, admin):
    version = built("2")
    promote(version, by=admin, why="on")
    Version.objects.filter(pk=version.pk).update(options={"version": "3"})  # as if other files lay there now
    serving.forget()

    with pytest.raises(ServiceError) as told:
        best(3)

    assert told.value.code == "version_changed"
    rollback("encoder", by=admin, why="it is another one")
    assert best(3) == "P-0003"
