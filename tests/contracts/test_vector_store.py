"""What every vector store does, run against each of them.

The store for a Qdrant server runs against qdrant-client's own in-memory mode, which needs no server, and against a real
server too when QDRANT_TEST_URL names one.
"""

import os
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray

from embeddings.stores.edge import EdgeStore
from embeddings.types import Payload, Point, VectorStore, Where
from shop_search.errors import ServiceError

SERVER = os.environ.get("QDRANT_TEST_URL")
KINDS = ["edge", "qdrant-client-in-memory", *(["qdrant-server"] if SERVER else [])]
VECTORS = {"clip": 32, "copy": 16}
CATEGORIES = ("shoes", "bags", "hats")


@pytest.fixture(scope="module", params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[VectorStore]:
    if request.param == "edge":
        edge = EdgeStore(tmp_path_factory.mktemp("vectors"), idle_exit_s=60)
        yield edge
        edge.stop()
        return
    from embeddings.stores.qdrant import QdrantStore

    yield QdrantStore(SERVER) if request.param == "qdrant-server" else QdrantStore(location=":memory:")


@pytest.fixture
def collection(store: VectorStore) -> Iterator[str]:
    name = f"test-{uuid.uuid4().hex}"
    store.ensure(name, VECTORS)
    yield name
    store.drop(name)


def units(count: int, dim: int, *, seed: int = 0) -> NDArray[np.float32]:
    rows = np.random.default_rng(seed).standard_normal((count, dim)).astype(np.float32)
    unit: NDArray[np.float32] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


def payload(id_: int) -> Payload:
    return {
        "product": id_ // 2,
        "category": CATEGORIES[id_ % 3],
        "merchant": f"shop-{id_ % 2}",
        "brand": f"brand {id_ % 5}",
        "colors": ["red", "navy blue"][: id_ % 3],
        "price": None if id_ % 10 == 9 else id_ * 1.5,
        "in_stock": id_ % 4 != 0,
    }


def points(count: int, *, seed: int = 0) -> list[Point]:
    clip, copy = units(count, 32, seed=seed), units(count, 16, seed=seed + 1)
    return [Point(row + 1, {"clip": clip[row], "copy": copy[row]}, payload(row + 1)) for row in range(count)]


def ids(store: VectorStore, collection: str, where: Where | None = None) -> list[int]:
    return sorted(hit.id for hit in store.query(collection, units(1, 32)[0], using="clip", limit=1000, where=where))


@pytest.mark.skipif(SERVER is not None, reason="a Qdrant server is given")
def test_say_that_no_qdrant_server_was_given() -> None:
    pytest.skip("QDRANT_TEST_URL is not set: QdrantStore ran against qdrant-client's in-memory mode, not a server")


def test_a_query_ranks_as_an_exact_scan_does(store: VectorStore, collection: str) -> None:
    stored = points(500)
    store.upsert(collection, stored)
    for using, dim in VECTORS.items():
        matrix = np.stack([point.vectors[using] for point in stored])
        for vector in units(5, dim, seed=7):
            hits = store.query(collection, vector, using=using, limit=20)
            scores = matrix @ vector
            best = np.argsort(-scores)[:20]
            assert [hit.id for hit in hits] == [int(row) + 1 for row in best]
            np.testing.assert_allclose([hit.score for hit in hits], scores[best], atol=1e-5)


def test_a_hit_carries_its_payload_as_it_was_put(store: VectorStore, collection: str) -> None:
    stored = points(30)
    store.upsert(collection, stored)
    hits = store.query(collection, stored[8].vectors["clip"], using="clip", limit=1)
    assert hits[0].id == 9
    assert hits[0].payload == payload(9)
    assert hits[0].payload["in_stock"] is True


@pytest.mark.parametrize(
    ("where", "belongs"),
    [
        pytest.param(Where(), lambda it: True, id="no condition"),
        pytest.param(Where(match={"category": ("bags",)}), lambda it: it["category"] == "bags", id="one value"),
        pytest.param(
            Where(match={"category": ("bags", "hats")}),
            lambda it: it["category"] in ("bags", "hats"),
            id="any of two values",
        ),
        pytest.param(
            Where(match={"colors": ("navy blue",)}), lambda it: "navy blue" in it["colors"], id="an entry of a list"
        ),
        pytest.param(
            Where(match={"colors": ("green", "red")}), lambda it: "red" in it["colors"], id="any of two entries"
        ),
        pytest.param(Where(match={"in_stock": (True,)}), lambda it: it["in_stock"], id="true"),
        pytest.param(Where(match={"in_stock": (False,)}), lambda it: not it["in_stock"], id="false"),
        pytest.param(Where(match={"in_stock": (True, False)}), lambda it: True, id="true or false"),
        pytest.param(Where(match={"product": (3, 4)}), lambda it: it["product"] in (3, 4), id="any of two numbers"),
        pytest.param(Where(match={"price": (15.0,)}), lambda it: it["price"] == 15.0, id="a fraction"),
        pytest.param(Where(match={"category": ("watches",)}), lambda it: False, id="a value nobody has"),
        pytest.param(Where(match={"category": ()}), lambda it: False, id="no value"),
        pytest.param(Where(match={"no_such_field": ("x",)}), lambda it: False, id="a field nobody has"),
        pytest.param(
            Where(within={"price": (30.0, 60.0)}),
            lambda it: it["price"] is not None and 30 <= it["price"] <= 60,
            id="a range",
        ),
        pytest.param(
            Where(within={"price": (30.0, None)}),
            lambda it: it["price"] is not None and it["price"] >= 30,
            id="a lower limit",
        ),
        pytest.param(
            Where(within={"price": (None, 30.0)}),
            lambda it: it["price"] is not None and it["price"] <= 30,
            id="an upper limit",
        ),
        pytest.param(Where(within={"price": (None, None)}), lambda it: True, id="a range open on both sides"),
        pytest.param(Where(reject={"category": ("bags",)}), lambda it: it["category"] != "bags", id="not one value"),
        pytest.param(
            Where(reject={"category": ("bags", "hats")}),
            lambda it: it["category"] == "shoes",
            id="neither of two values",
        ),
        pytest.param(
            Where(reject={"colors": ("red",)}), lambda it: "red" not in it["colors"], id="no such entry of a list"
        ),
        pytest.param(Where(reject={"in_stock": (False,)}), lambda it: it["in_stock"], id="not false"),
        pytest.param(Where(reject={"no_such_field": ("x",)}), lambda it: True, id="without a field nobody has"),
        pytest.param(Where(reject={"category": ()}), lambda it: True, id="rejecting nothing"),
        pytest.param(
            Where(match={"category": ("bags", "hats")}, reject={"brand": ("brand 1",), "category": ("hats",)}),
            lambda it: it["category"] == "bags" and it["brand"] != "brand 1",
            id="wanted and rejected",
        ),
        pytest.param(
            Where(
                match={"category": ("shoes", "bags"), "in_stock": (True,), "merchant": ("shop-1",)},
                within={"price": (10.0, 100.0)},
            ),
            lambda it: (
                it["category"] in ("shoes", "bags")
                and it["in_stock"]
                and it["merchant"] == "shop-1"
                and it["price"] is not None
                and 10 <= it["price"] <= 100
            ),
            id="everything at once",
        ),
    ],
)
def test_only_what_the_filter_allows_comes_back(store: VectorStore, collection: str, where: Where, belongs) -> None:
    store.upsert(collection, points(80))
    expected = [id_ for id_ in range(1, 81) if belongs(payload(id_))]
    assert ids(store, collection, where) == expected
    assert store.count(collection, where) == len(expected)


def test_excluded_points_make_room_for_the_next(store: VectorStore, collection: str) -> None:
    stored = points(20)
    store.upsert(collection, stored)
    vector = stored[0].vectors["clip"]
    all_ids = [hit.id for hit in store.query(collection, vector, using="clip", limit=20)]
    where = Where(exclude=(all_ids[0], all_ids[2], 999))
    hits = store.query(collection, vector, using="clip", limit=3, where=where)
    assert [hit.id for hit in hits] == [all_ids[1], all_ids[3], all_ids[4]]
    assert store.count(collection, where) == 18


def test_a_point_put_again_is_replaced_whole(store: VectorStore, collection: str) -> None:
    store.upsert(collection, points(10))
    vector = units(1, 32, seed=99)[0]
    store.upsert(collection, [Point(3, {"clip": vector}, {"category": "hats"})])
    assert store.count(collection) == 10
    assert store.query(collection, vector, using="clip", limit=1)[0].payload == {"category": "hats"}
    assert store.retrieve(collection, [3], using="copy") == {}
    assert ids(store, collection, Where(match={"brand": ("brand 3",)})) == [8]


def test_the_last_of_two_points_of_one_id_wins(store: VectorStore, collection: str) -> None:
    first, second = units(2, 32)
    store.upsert(collection, [Point(1, {"clip": first}, {"brand": "a"}), Point(1, {"clip": second}, {"brand": "b"})])
    assert list(store.scroll(collection)) == [(1, {"brand": "b"})]
    np.testing.assert_array_equal(store.retrieve(collection, [1], using="clip")[1], second)


def test_a_new_payload_leaves_the_vectors_alone(store: VectorStore, collection: str) -> None:
    stored = points(10)
    store.upsert(collection, stored)
    store.set_payload(collection, {2: {"category": "belts", "price": 9.0}, 4: {"category": "ties"}, 999: {"price": 1}})
    hits = {hit.id: hit.payload for hit in store.query(collection, units(1, 32)[0], using="clip", limit=10)}
    assert hits[2] == {"category": "belts", "price": 9.0}
    assert hits[4] == {"category": "ties"}
    assert hits[3] == payload(3)
    assert store.count(collection) == 10
    assert ids(store, collection, Where(match={"category": ("belts",)})) == [2]
    np.testing.assert_array_equal(store.retrieve(collection, [2], using="clip")[2], stored[1].vectors["clip"])


def test_deleted_points_are_gone_and_unknown_ids_no_error(store: VectorStore, collection: str) -> None:
    store.upsert(collection, points(10))
    store.delete(collection, [2, 3, 999])
    assert [id_ for id_, _ in store.scroll(collection)] == [1, 4, 5, 6, 7, 8, 9, 10]
    assert store.retrieve(collection, [1, 2, 999], using="clip").keys() == {1}
    assert store.count(collection, Where(match={"merchant": ("shop-1",)})) == 4


def test_vectors_come_back_unchanged(store: VectorStore, collection: str) -> None:
    stored = points(300)
    store.upsert(collection, stored)
    for using in VECTORS:
        found = store.retrieve(collection, [point.id for point in stored], using=using)
        assert len(found) == 300
        for point in stored:
            assert found[point.id].dtype == np.float32
            np.testing.assert_array_equal(found[point.id], point.vectors[using])


def test_a_vector_of_any_length_comes_back_unchanged(store: VectorStore, collection: str) -> None:
    vector = np.arange(32, dtype=np.float32)
    store.upsert(collection, [Point(1, {"clip": vector}, {})])
    np.testing.assert_array_equal(store.retrieve(collection, [1], using="clip")[1], vector)


def test_scrolling_visits_every_point_once_by_rising_id(store: VectorStore, collection: str) -> None:
    wanted = [7, 3, 2**40, *range(100, 2500), 1]
    clip = units(len(wanted), 32)
    store.upsert(collection, [Point(id_, {"clip": clip[row]}, {"product": id_}) for row, id_ in enumerate(wanted)])
    assert list(store.scroll(collection)) == [(id_, {"product": id_}) for id_ in sorted(wanted)]


def test_nothing_in_gives_nothing_out(store: VectorStore, collection: str) -> None:
    vector = units(1, 32)[0]
    store.upsert(collection, [])
    store.set_payload(collection, {})
    store.delete(collection, [])
    assert store.query(collection, vector, using="clip", limit=5) == []
    assert store.retrieve(collection, [], using="clip") == {}
    assert store.count(collection) == 0
    assert list(store.scroll(collection)) == []
    store.upsert(collection, points(3))
    assert store.query(collection, vector, using="clip", limit=0) == []


def test_payloads_keep_text_of_any_script(store: VectorStore, collection: str) -> None:
    odd: Payload = {"brand": "Ñandú “靴” 👟\n\x00", "colors": ["größe", ""], "price": 0.1, "note": None}
    store.upsert(collection, [Point(1, {"clip": units(1, 32)[0]}, odd)])
    assert list(store.scroll(collection)) == [(1, odd)]
    assert ids(store, collection, Where(match={"colors": ("größe",)})) == [1]


def test_an_alias_stands_for_its_collection_everywhere(store: VectorStore, collection: str) -> None:
    alias = f"{collection}-alias"
    store.alias(alias, collection)
    stored = points(5)
    store.upsert(alias, stored)
    store.set_payload(alias, {1: {"brand": "x"}})
    store.delete(alias, [5])
    assert store.resolve(alias) == collection
    assert store.count(alias) == store.count(collection) == 4
    assert next(iter(store.scroll(alias))) == (1, {"brand": "x"})
    assert store.retrieve(alias, [2], using="clip").keys() == {2}
    assert store.query(alias, stored[1].vectors["clip"], using="clip", limit=1)[0].id == 2
    assert store.collections()[collection] == 4
    assert alias not in store.collections()


def test_an_alias_switches_in_one_step_while_queries_run(store: VectorStore, collection: str) -> None:
    other, alias = f"{collection}-b", f"{collection}-live"
    store.ensure(other, VECTORS)
    vector = units(1, 32)[0]
    store.upsert(collection, [Point(1, {"clip": vector}, {})])
    store.upsert(other, [Point(2, {"clip": vector}, {})])
    store.alias(alias, collection)
    seen: list[list[int]] = []
    done = threading.Event()

    def ask() -> None:
        while not done.wait(0.001):  # a pause, or Python's unfair locks may starve the thread that switches
            seen.append([hit.id for hit in store.query(alias, vector, using="clip", limit=5)])

    with ThreadPoolExecutor(3) as pool:
        asking = [pool.submit(ask) for _ in range(3)]
        switches = 0
        while switches < 20 or len(seen) < 20:
            switches += 1
            target = (collection, other)[switches % 2]
            store.alias(alias, target)
            assert store.resolve(alias) == target
            expected = 2 if target == other else 1
            assert [hit.id for hit in store.query(alias, vector, using="clip", limit=5)] == [expected]
        done.set()
        for future in asking:
            future.result()
    assert all(ids in ([1], [2]) for ids in seen)
    store.drop(other)


def test_dropping_a_collection_drops_its_aliases(store: VectorStore, collection: str) -> None:
    alias = f"{collection}-alias"
    store.alias(alias, collection)
    store.drop(collection)
    assert store.resolve(alias) is None
    assert collection not in store.collections()
    store.drop(collection)
    store.ensure(collection, VECTORS)
    assert store.count(collection) == 0


def test_an_unknown_alias_resolves_to_none(store: VectorStore) -> None:
    assert store.resolve("nobody") is None


@pytest.mark.parametrize("name", ["missing", "../escape", "", "." * 3])
def test_a_missing_collection_is_an_error_and_not_an_empty_answer(store: VectorStore, name: str) -> None:
    if name != "missing" and not isinstance(store, EdgeStore):
        pytest.skip("a server checks names by itself")
    calls = [
        lambda: store.query(name, units(1, 32)[0], using="clip", limit=1),
        lambda: store.count(name),
        lambda: store.upsert(name, points(1)),
        lambda: store.set_payload(name, {1: {}}),
        lambda: store.delete(name, [1]),
        lambda: store.retrieve(name, [1], using="clip"),
        lambda: list(store.scroll(name)),
        lambda: store.alias("some-alias", name),
    ]
    for call in calls:
        with pytest.raises(ServiceError) as caught:
            call()
        assert caught.value.code == "collection_missing"


def test_ensuring_twice_keeps_the_points(store: VectorStore, collection: str) -> None:
    store.upsert(collection, points(3))
    store.ensure(collection, VECTORS)
    assert store.count(collection) == 3


@pytest.mark.parametrize("vectors", [{"clip": 31, "copy": 16}, {"clip": 32}, {"clip": 32, "copy": 16, "more": 4}])
def test_ensuring_other_dims_is_refused(store: VectorStore, collection: str, vectors: dict[str, int]) -> None:
    with pytest.raises(ServiceError) as caught:
        store.ensure(collection, vectors)
    assert caught.value.code == "collection_mismatch"


def test_a_name_is_a_collection_or_an_alias_but_never_both(store: VectorStore, collection: str) -> None:
    alias = f"{collection}-alias"
    store.alias(alias, collection)
    with pytest.raises(ServiceError) as caught:
        store.ensure(alias, VECTORS)
    assert caught.value.code == "collection_mismatch"
    other = f"{collection}-b"
    store.ensure(other, VECTORS)
    with pytest.raises(ServiceError) as caught:
        store.alias(other, collection)
    assert caught.value.code == "collection_mismatch"
    store.drop(other)


@pytest.mark.parametrize("vectors", [{"clip": np.ones(31, np.float32)}, {"clop": np.ones(32, np.float32)}])
def test_a_vector_that_does_not_fit_is_refused(
    store: VectorStore, collection: str, vectors: dict[str, NDArray[np.float32]]
) -> None:
    store.upsert(collection, points(2))
    with pytest.raises(ServiceError) as caught:
        store.upsert(collection, [Point(9, vectors, {})])
    assert caught.value.code == "collection_mismatch"
    name, vector = next(iter(vectors.items()))
    with pytest.raises(ServiceError) as caught:
        store.query(collection, vector, using=name, limit=1)
    assert caught.value.code == "collection_mismatch"
    assert [id_ for id_, _ in store.scroll(collection)] == [1, 2]


def test_a_broken_vector_is_refused(store: VectorStore, collection: str) -> None:
    broken = np.full(32, np.nan, np.float32)
    with pytest.raises(ServiceError) as caught:
        store.upsert(collection, [Point(1, {"clip": broken}, {})])
    assert caught.value.code == "vector_invalid"
    with pytest.raises(ServiceError) as caught:
        store.query(collection, broken, using="clip", limit=1)
    assert caught.value.code == "vector_invalid"
    assert store.count(collection) == 0


def test_eight_threads_write_and_read_at_once(store: VectorStore, collection: str) -> None:
    clip = units(8 * 60, 32)

    def work(worker: int) -> None:
        for row in range(worker * 60, worker * 60 + 60, 5):
            batch = [Point(at + 1, {"clip": clip[at]}, payload(at + 1)) for at in range(row, row + 5)]
            store.upsert(collection, batch)
            best = store.query(collection, clip[row], using="clip", limit=1)
            assert best[0].id == row + 1
            assert best[0].payload == payload(row + 1)
        store.delete(collection, [worker * 60 + 1])

    with ThreadPoolExecutor(8) as pool:
        for future in [pool.submit(work, worker) for worker in range(8)]:
            future.result()
    assert [id_ for id_, _ in store.scroll(collection)] == [id_ for id_ in range(1, 481) if id_ % 60 != 1]
