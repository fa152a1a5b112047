"""`kill -9` while a version is built or switched: a build goes on, a switch is there whole or not at all."""

import json
import time

import pytest

from tests.fakes import FakeEncoder
from tests.journeys.test_crashes import Home, kill, stock, wait_until

PICTURES = 48
FINGERPRINTS = {None: FakeEncoder("1").card.fingerprint, "two": FakeEncoder("2").card.fingerprint}
PROPOSE = ("propose_version", "encoder", "two", "--options", '{"version": "2"}', "--build")
PROMOTE = ("promote_version", "two", "--why", "a test", "--without-gate")
ROLLBACK = ("rollback_version", "encoder", "--why", "a test")
LIVE = (
    "SELECT (SELECT name FROM catalog_version v WHERE v.id = l.version_id) FROM catalog_liveversion l "
    "WHERE l.kind = 'encoder'"
)


@pytest.fixture
def stocked(home: Home) -> Home:
    stock(home, PICTURES, pictures=PICTURES)
    home.import_feed()
    home.run("worker", "--burst")
    return home


def found(home: Home, picture: int) -> str:
    answer = json.loads(home.run("search", str(home.feed.root / f"{picture}.png"), "--category", "all", "--json"))
    return str(answer["results"][0]["product"]["sku"])


def is_whole(home: Home) -> bool:
    """Says whether what is live, the pictures' rows and the versions' states tell the same."""
    live = home.ask(LIVE)
    states = home.count("version", "state = 'live'")
    rows = home.count("productimage", f"encoder = '{FINGERPRINTS[live]}' AND state = 'indexed'")
    return rows == PICTURES and states == (live is not None) and home.count("sidepoint") == PICTURES


def test_a_build_that_is_killed_goes_on_where_it_was(stocked):
    building = stocked.start(*PROPOSE, delay_s=0.05)
    wait_until(lambda: stocked.count("sidepoint") >= 16, building)
    kill(building)
    kept = stocked.count("sidepoint")
    assert 0 < kept < PICTURES
    assert found(stocked, 7) == "P-00007"

    assert "is ready" in stocked.run(*PROPOSE)

    assert stocked.count("sidepoint") == PICTURES
    assert stocked.ask("SELECT COUNT(DISTINCT image_id) FROM catalog_sidepoint") == PICTURES


def test_a_switch_that_is_killed_is_there_whole_or_not_at_all(stocked):
    stocked.run(*PROPOSE)
    for moment in (1.5, 2.5, 3.5):
        command = PROMOTE if stocked.ask(LIVE) is None else ROLLBACK
        switching = stocked.start(*command)
        time.sleep(moment)
        kill(switching)
        assert is_whole(stocked)
    command = PROMOTE if stocked.ask(LIVE) is None else ROLLBACK
    before = stocked.ask(LIVE)
    switching = stocked.start(*command)
    wait_until(lambda: stocked.ask(LIVE) != before, switching)
    kill(switching)  # between the switch and the store's alias, or a moment later

    assert is_whole(stocked)
    assert found(stocked, 7) == "P-00007"
    stocked.run("reindex_catalog", "--check")
    check = stocked.check()
    assert check["agrees"]
    assert check["is_searched"]
