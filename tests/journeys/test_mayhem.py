"""Web, worker, store and database die at random while uploads come in; nothing acknowledged is lost."""

import os

from tests.journeys.mayhem import Mayhem


def test_whatever_is_killed_at_random_nothing_acknowledged_is_lost_and_nothing_doubled(tmp_path):
    """A few kills here; fifty, of an upload of 5,000 rows: `python -m tests.journeys.mayhem`."""
    kills = int(os.environ.get("MAYHEM_KILLS", "6"))

    report = Mayhem(tmp_path, rows=600, seed=3).run(kills)

    assert report["wrong"] == []
    assert sum(report["kills"].values()) == kills
    assert report["uploads"] >= 2
