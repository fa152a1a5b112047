"""The life of the Edge daemon: who starts it, who may be the one, how it dies and what survives."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.conf import settings

from embeddings.stores import wire
from embeddings.stores.edge import EdgeStore
from embeddings.stores.edge_address import IS_KEPT, Address
from embeddings.stores.edge_server import EXIT_LOCKED
from embeddings.types import Point
from shop_search.errors import ServiceError
from tests.embeddings.stores.running import VECTORS, output, points, python, vector, wait_until

SAY_PID = "import sys; from embeddings.stores.edge import EdgeStore; print(EdgeStore(sys.argv[1]).health().pid)"


def kill(store: EdgeStore) -> None:
    """Kills the daemon; while the writer's client is starting a new one, its pid takes a moment to be known."""
    deadline = time.monotonic() + 30
    while (pid := store.pid()) is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_building_a_store_starts_nothing(path: Path) -> None:
    store = EdgeStore(path)
    assert store.pid() is None
    store.stop()
    assert not path.exists()


def test_processes_that_start_at_once_share_one_daemon(store: EdgeStore, path: Path) -> None:
    pids = {output(process) for process in [python(SAY_PID, path) for _ in range(5)]}
    assert pids == {str(store.pid())}


def test_the_daemon_outlives_the_process_that_started_it(store: EdgeStore, path: Path) -> None:
    pid = int(output(python(SAY_PID, path)))
    assert store.pid() == pid


def test_two_processes_write_and_read_at_once(store: EdgeStore, path: Path) -> None:
    store.ensure("products", VECTORS)
    code = """
import sys
from embeddings.stores.edge import EdgeStore
from tests.embeddings.stores.running import points
store = EdgeStore(sys.argv[1])
for start in range(1000, 1400, 20):
    store.upsert("products", points(range(start, start + 20)))
print(store.count("products") >= 400)
"""
    other = python(code, path)
    for start in range(0, 400, 20):
        store.upsert("products", points(range(start, start + 20)))
    assert output(other) == "True"
    assert [id_ for id_, _ in store.scroll("products")] == [*range(400), *range(1000, 1400)]


def test_a_second_daemon_is_refused_the_folder(store: EdgeStore, path: Path) -> None:
    pid = store.start()
    second = subprocess.run(
        [sys.executable, "-m", "embeddings.stores.edge_server", "--path", str(path)],
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert second.returncode == EXIT_LOCKED
    assert str(path / "lock") in second.stderr
    assert store.pid() == pid


def test_no_acknowledged_point_is_lost_when_the_daemon_is_killed(store: EdgeStore) -> None:
    store.ensure("products", VECTORS)
    acknowledged: list[int] = []
    errors: list[BaseException] = []

    def write() -> None:
        try:
            for start in range(0, 3000, 10):
                store.upsert("products", points(range(start, start + 10)))
                acknowledged.extend(range(start, start + 10))
        except BaseException as error:
            errors.append(error)

    writer = threading.Thread(target=write)
    writer.start()
    for enough in (500, 1000, 1500, 2000):
        while len(acknowledged) < enough and writer.is_alive():
            time.sleep(0.001)
        kill(store)
    writer.join()
    assert errors == []
    kill(store)
    assert len(acknowledged) == 3000
    assert [id_ for id_, _ in store.scroll("products")] == acknowledged
    found = store.retrieve("products", acknowledged, using="clip")
    assert all((found[id_] == vector(id_)).all() for id_ in acknowledged)


def test_payloads_deletions_and_aliases_survive_a_kill(store: EdgeStore) -> None:
    store.ensure("products", VECTORS)
    store.upsert("products", points(range(10)))
    store.set_payload("products", {3: {"category": "bags"}})
    store.delete("products", [4])
    store.alias("live", "products")
    kill(store)
    assert dict(store.scroll("live")) == {
        id_: {"category": "bags"} if id_ == 3 else {"product": id_} for id_ in range(10) if id_ != 4
    }


def test_a_refused_write_does_not_come_back_with_the_log(store: EdgeStore) -> None:
    store.ensure("products", VECTORS)
    for wrong in ({"clop": vector(1)}, {"clip": vector(1)[:3]}):
        with pytest.raises(ServiceError):
            store.upsert("products", [*points([1]), Point(2, wrong, {})])
    store.set_payload("products", {1: {"a": 1}, 77: {"a": 1}})
    kill(store)
    assert {id_ for id_, _ in store.scroll("products")} <= {1}


def test_the_client_of_another_process_notices_nothing_of_a_restart(store: EdgeStore, path: Path) -> None:
    other = EdgeStore(path)
    store.ensure("products", VECTORS)
    store.upsert("products", points([1]))
    assert other.count("products") == 1
    store.stop()
    assert other.count("products") == 1
    assert store.count("products") == 1


def test_a_writer_notices_nothing_of_restarts(store: EdgeStore, path: Path) -> None:
    store.ensure("products", VECTORS)
    written: list[int] = []

    def write() -> None:
        for start in range(0, 2000, 10):
            store.upsert("products", points(range(start, start + 10)))
            written.extend(range(start, start + 10))

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        for enough in (400, 800, 1200):
            while len(written) < enough and not writing.done():
                time.sleep(0.001)
            EdgeStore(path).stop()
        writing.result()
    assert [id_ for id_, _ in store.scroll("products")] == written == [*range(2000)]


def test_sigterm_closes_everything_and_leaves_no_socket(store: EdgeStore, path: Path) -> None:
    store.ensure("products", VECTORS)
    store.upsert("products", points(range(50)))
    pid = store.start()
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not is_alive(pid))
    assert not (path / "daemon.sock").exists()
    assert (path / "daemon.log").read_text().strip().endswith("stopped")
    assert store.count("products") == 50


def test_a_forked_child_speaks_on_a_connection_of_its_own(store: EdgeStore) -> None:
    store.ensure("products", VECTORS)
    store.upsert("products", points(range(5)))
    child = os.fork()
    if child == 0:
        good = all(store.count("products") == 5 for _ in range(200))
        os._exit(0 if good else 1)
    assert all(store.query("products", vector(1), using="clip", limit=1)[0].id == 1 for _ in range(200))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_daemon_on_demand_ends_when_nobody_is_connected(path: Path) -> None:
    code = SAY_PID.replace("sys.argv[1]", "sys.argv[1], idle_exit_s=0.5")
    output(python(code, path))
    wait_until(lambda: not (path / "daemon.sock").exists())
    assert "nobody was connected" in (path / "daemon.log").read_text()


def test_a_daemon_that_was_told_to_stay_outlives_idleness(path: Path) -> None:
    store = EdgeStore(path, idle_exit_s=0.1)
    pid = store.start(idle_exit_s=None)
    store._client._forget()
    with pytest.raises(AssertionError):
        wait_until(lambda: not (path / "daemon.sock").exists(), at_most_s=2.5)
    assert store.pid() == pid
    store.stop()


def test_a_daemon_whose_folder_is_removed_ends(path: Path) -> None:
    store = EdgeStore(path)
    pid = store.start()
    shutil.rmtree(path)
    wait_until(lambda: not is_alive(pid))


def test_what_a_crash_left_behind_is_cleaned_up(store: EdgeStore, path: Path) -> None:
    store.ensure("products", VECTORS)
    kill(store)
    (path / "collections" / ".new-half").mkdir()
    (path / "collections" / ".dropped-old" / "wal").mkdir(parents=True)
    (path / "collections" / "unfinished").mkdir()
    assert store.collections() == {"products": 0}
    assert sorted(os.listdir(path / "collections")) == ["products", "unfinished"]
    store.ensure("unfinished", VECTORS)
    assert store.collections() == {"products": 0, "unfinished": 0}


def ask_often(store: EdgeStore) -> None:
    for _ in range(1000):
        store.collections()


def test_a_daemon_that_hangs_is_an_error_and_not_a_wait_for_ever(path: Path) -> None:
    store = EdgeStore(path, timeout_s=0.5)
    pid = store.start(idle_exit_s=60)
    os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(ServiceError, match=r"gave no answer to 'collections' within 0\.5 s") as caught:
            ask_often(store)  # the signal may arrive after an answer or two
        assert caught.value.code == "vector_store_unavailable"
    finally:
        os.kill(pid, signal.SIGCONT)
    patient = EdgeStore(path)
    assert patient.collections() == {}
    patient.stop()


@pytest.fixture
def one_that_hangs_up(path: Path) -> Iterator[None]:
    """A daemon that greets and then hangs up on every request."""
    address = Address(path)
    address.make_folder()
    listener = address.listen()

    def run() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                if (request := wire.receive(connection)) and request.header["op"] == "ping":
                    wire.send(connection, {"ok": True})
                    wire.receive(connection)

    threading.Thread(target=run, daemon=True).start()
    yield
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


@pytest.mark.usefixtures("one_that_hangs_up")
def test_a_request_that_kills_the_daemon_is_sent_twice_and_no_more(path: Path) -> None:
    with pytest.raises(ServiceError, match="died twice over 'count'") as caught:
        EdgeStore(path).count("products")
    assert caught.value.code == "vector_store_unavailable"


def test_a_daemon_that_can_not_start_says_why_and_where_its_log_is(path: Path) -> None:
    path.mkdir()
    (path / "aliases.json").write_text("{")
    with pytest.raises(ServiceError) as caught:
        EdgeStore(path).collections()
    assert caught.value.code == "vector_store_unavailable"
    assert "JSONDecodeError" in caught.value.message
    assert str(path / "daemon.log") in caught.value.message


def test_a_folder_that_can_not_be_made_is_named(path: Path) -> None:
    path.write_text("a file, not a folder")
    with pytest.raises(ServiceError, match=str(path)) as caught:
        EdgeStore(path / "below").collections()
    assert caught.value.code == "vector_store_unavailable"


def test_a_record_of_nonsense_is_no_obstacle(store: EdgeStore, path: Path) -> None:
    path.mkdir()
    (path / "daemon.json").write_text("nonsense")
    (path / "daemon.sock").write_text("a plain file where the socket goes")
    assert store.collections() == {}


def test_a_socket_left_by_a_killed_daemon_is_no_obstacle(store: EdgeStore, path: Path) -> None:
    first = store.start()
    kill(store)
    assert (path / "daemon.sock").exists()
    assert store.health().pid != first
    assert json.loads((path / "daemon.json").read_text())["pid"] == store.pid()


def test_the_daemon_is_lean(store: EdgeStore) -> None:
    code = """
import sys
import embeddings.stores.edge_server
from django.conf import settings
print([name for name in ("torch", "openvino", "open_clip", "ultralytics", "qdrant_client") if name in sys.modules])
print(settings.configured)
"""
    assert output(python(code)) == "[]\nFalse"
    status = Path(f"/proc/{store.start()}/status")
    if not status.exists():
        pytest.skip("no /proc here to read the resident memory from")
    resident_kb = int(next(line for line in status.read_text().splitlines() if line.startswith("VmRSS")).split()[1])
    assert resident_kb < 80 * 1024


def test_nothing_where_the_caller_stands_takes_a_modules_place(
    store: EdgeStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "selectors.py").write_text("raise SystemExit('not this one')")
    monkeypatch.chdir(tmp_path)
    assert store.collections() == {}


def test_clients_do_not_load_the_engine() -> None:
    code = "import sys, embeddings.stores.edge; print('qdrant_edge' in sys.modules, 'qdrant_client' in sys.modules)"
    assert output(python(code)) == "False False"


def test_a_supervisors_program_starts_no_daemon_that_would_outlive_it(path: Path, monkeypatch) -> None:
    monkeypatch.setenv(IS_KEPT, "1")
    store = EdgeStore(path, start_timeout_s=0.2)

    with pytest.raises(ServiceError, match="did not answer"):
        store.health()
    assert store.pid() is None

    monkeypatch.delenv(IS_KEPT)
    started = int(output(python(SAY_PID, path)))
    monkeypatch.setenv(IS_KEPT, "1")
    assert store.health().pid == started
    store.stop()
