"""Web, worker, store and database die at random while uploads come in; nothing acknowledged is lost."""

import os

import pytest

from tests.journeys.mayhem import Mayhem


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_whatever_is_killed_at_random_nothing_acknowledged_is_lost_and_nothing_doubled(tmp_path, request, database):
    """A few kills here; fifty, of an upload of 5,000 rows: `python -m tests.journeys.mayhem --database ...`."""
    if database == "postgresql":
        request.getfixturevalue("postgres")  # skips without one; what is crashed here is a server of its own
    kills = int(os.environ.get("MAYHEM_KILLS", "6"))

    report = Mayhem(tmp_path, rows=600, seed=3, database=database).run(kills)

    assert report["wrong"] == []
    assert sum(report["kills"].values()) == kills
    assert report["uploads"] >= 2
