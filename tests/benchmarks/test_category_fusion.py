import pytest

from benchmarks.category_fusion import (
    Case,
    Voting,
    as_text,
    by_detector,
    by_fusion,
    by_vote,
    keep,
    labels_of,
    measure,
    names_of,
    seen_before,
    sure_report,
    vote_report,
)

SEEN = Case("shoes", {"shoes": 0.6}, (("bags", 0.9), ("shoes", 0.8)), is_fitted_on=False)
VOTING = Voting({}, 2, 8, 0.0)
MISSED = Case("ties", {}, (("ties", 0.9),), is_fitted_on=False)


def test_each_way_names_its_own_winner():
    assert (by_detector(SEEN), by_vote(SEEN, VOTING), by_fusion(SEEN, 0.9, VOTING)) == ("shoes", "bags", "shoes")
    assert (by_detector(MISSED), by_vote(MISSED, VOTING), by_fusion(MISSED, 0.9, VOTING)) == (None, "ties", "ties")


def test_a_sure_detection_leaves_the_neighbors_out():
    report = sure_report([SEEN, MISSED], 0.5, 0.0, VOTING)

    assert report == {"skipped": 0.5, "accuracy": 1.0}


def test_of_undetected_things_only_sure_votes_count():
    unsure = Case("ties", {}, (("ties", 0.9), ("belts", 0.9)), is_fitted_on=False)

    assert vote_report([SEEN, MISSED, unsure], 0.6, VOTING) == {"n": 1, "of": 2, "right": 1.0}


def test_labels_are_read_in_our_categories_and_in_pixels(tmp_path):
    data = tmp_path / "data.yaml"
    data.write_text("path: .\nnames:\n  0: sunglass\n  1: shoe\n")
    (tmp_path / "labels" / "val").mkdir(parents=True)
    (tmp_path / "labels" / "val" / "a.txt").write_text("1 0.5 0.5 0.2 0.4\n")

    names = names_of(data)

    assert names == ["sunglasses", "shoes"]
    ((category, box),) = labels_of(data, tmp_path / "a.jpg", names, (100, 200))
    assert category == "shoes"
    assert box == pytest.approx((40, 60, 60, 140))
    assert list(labels_of(data, tmp_path / "b.jpg", names, (100, 200))) == []


def test_a_report_is_a_table():
    row = {"value": 0.9, "low": 0.8, "high": 0.95}
    names = ("detector", "neighbors", "fused", "fused_over_detector")
    report = {
        **dict.fromkeys(names, row),
        "n": 10,
        "n_fitted": 12,
        "products": 100,
        "nothing_detected": 1,
        "fitted": {"detector": 0.5},
        "undetected": {"0.6": {"n": 3, "of": 5, "right": 0.5}},
        "sure": {"0.9": {"skipped": 0.4, "accuracy": 0.9}},
    }

    assert "| fused | 0.900 | 0.800 to 0.950 |" in as_text(report)


def test_what_was_seen_can_be_kept_and_measured_again(tmp_path):
    counts = {"shoes": 3, "bags": 9, "ties": 1}
    keep(tmp_path / "cases.json", counts, [SEEN, MISSED])

    assert seen_before(tmp_path / "cases.json") == (counts, [SEEN, MISSED])
    assert seen_before(tmp_path / "nothing.json") is None
    assert seen_before(None) is None


def test_both_halves_are_needed_and_told_apart():
    fitted = [Case("ties", {}, (("ties", 0.9),), is_fitted_on=True)]

    report = measure({"ties": 1}, [SEEN, MISSED, *fitted])

    assert (report["n"], report["n_fitted"], report["nothing_detected"]) == (2, 1, 1)
    assert report["fused"]["value"] >= report["detector"]["value"]
