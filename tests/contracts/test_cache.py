"""What counting in the shared cache promises, whoever keeps it: the home's file, or Redis."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from django.conf import settings
from django.core.cache.backends.base import BaseCache

from shop_search.errors import ServiceError
from shop_search.fleet_cache import FleetCache
from shop_search.home_cache import HomeCache

COUNT = """
import sys
from django.conf import settings
settings.configure()
from {module} import {name}
cache = {name}({location!r}, {{}})
for _ in range({times}):
    cache.incr("n")
"""


@pytest.fixture(params=["home", "redis"])
def cache(request, tmp_path) -> BaseCache:
    if request.param == "home":
        return HomeCache(tmp_path / "cache.sqlite3", {})
    found = FleetCache(request.getfixturevalue("redis").url, {})
    found.clear()
    return found


def location(cache: BaseCache, tmp_path: Path, redis_url: str) -> tuple[str, str, str]:
    if isinstance(cache, HomeCache):
        return "shop_search.home_cache", "HomeCache", str(tmp_path / "cache.sqlite3")
    return "shop_search.fleet_cache", "FleetCache", redis_url


def test_what_was_set_is_there_until_it_is_deleted(cache):
    cache.set("name", {"a": [1, None]})
    assert cache.get("name") == {"a": [1, None]}
    assert cache.delete("name")
    assert cache.get("name", "gone") == "gone"
    assert not cache.delete("name")


def test_adding_leaves_what_is_there(cache):
    assert cache.add("n", 3)
    assert not cache.add("n", 9)
    assert cache.get("n") == 3


def test_what_ran_out_is_gone_and_can_be_added_anew(cache):
    cache.set("n", 7, timeout=1)
    assert cache.get("n") == 7
    time.sleep(1.1)
    assert cache.get("n") is None
    with pytest.raises(ValueError, match="not found"):
        cache.incr("n")
    assert cache.add("n", 1, timeout=60)
    assert cache.incr("n") == 2


def test_a_number_without_an_end_can_be_given_one(cache):
    cache.set("n", 1, timeout=None)
    assert cache.touch("n", 0.01 if isinstance(cache, HomeCache) else 1)
    assert not cache.touch("other", 5)
    time.sleep(1.1)
    assert cache.get("n") is None


def test_counting_what_is_not_there_fails(cache):
    with pytest.raises(ValueError, match="not found"):
        cache.incr("n")


def test_clearing_leaves_nothing(cache):
    cache.set("n", 1)
    cache.clear()
    assert cache.get("n") is None


def test_no_count_of_several_threads_is_lost(cache):
    cache.set("n", 0)

    def count() -> None:
        for _ in range(100):
            cache.incr("n")

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert cache.get("n") == 400


def test_no_count_of_several_processes_is_lost(cache, tmp_path, redis):
    cache.set("n", 0)
    module, name, where = location(cache, tmp_path, redis.url)
    script = COUNT.format(module=module, name=name, location=where, times=200)

    processes = [subprocess.Popen([sys.executable, "-c", script], cwd=settings.BASE_DIR) for _ in range(2)]
    assert [process.wait(timeout=60) for process in processes] == [0, 0]

    assert cache.get("n") == 400


def test_a_file_that_is_no_cache_any_more_is_made_anew(tmp_path):
    path = tmp_path / "cache.sqlite3"
    path.write_bytes(b"power was cut here " * 500)
    cache = HomeCache(path, {})

    cache.set("n", 1)

    assert cache.incr("n") == 2


def test_what_ran_out_is_swept_from_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr("shop_search.home_cache._SWEEP_EVERY", 10)
    cache = HomeCache(tmp_path / "cache.sqlite3", {})
    for n in range(9):
        cache.set(f"old-{n}", n, timeout=0.001)
    time.sleep(0.01)

    cache.set("new", 1)

    assert cache._do(lambda database: database.execute("SELECT name FROM entry").fetchall()) == [(":1:new",)]


def test_a_redis_that_is_down_says_so(tmp_path):
    cache = FleetCache(f"unix://{tmp_path}/no-socket", {})
    for ask in (lambda: cache.get("n"), lambda: cache.add("n", 0), lambda: cache.incr("n")):
        with pytest.raises(ServiceError) as caught:
            ask()
        assert caught.value.code == "cache_unavailable"
