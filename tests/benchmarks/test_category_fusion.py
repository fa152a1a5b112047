import pytest

from benchmarks.category_fusion import Case, as_text, by_detector, by_fusion, by_vote, labels_of, names_of, sure_report

SEEN = Case("shoes", {"shoes": 0.6}, (("bags", 0.9), ("shoes", 0.8)), is_fitted_on=False)
MISSED = Case("ties", {}, (("ties", 0.9),), is_fitted_on=False)


def test_each_way_names_its_own_winner():
    assert (by_detector(SEEN), by_vote(SEEN, 2, 8), by_fusion(SEEN, 0.9, 2, 8)) == ("shoes", "bags", "shoes")
    assert (by_detector(MISSED), by_vote(MISSED, 2, 8), by_fusion(MISSED, 0.9, 2, 8)) == (None, "ties", "ties")


def test_a_sure_detection_leaves_the_neighbors_out():
    report = sure_report([SEEN, MISSED], 0.5, (0.0, 2, 8))

    assert report == {"skipped": 0.5, "accuracy": 1.0}


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
        "sure": {"0.9": {"skipped": 0.4, "accuracy": 0.9}},
    }

    assert "| fused | 0.900 | 0.800 to 0.950 |" in as_text(report)
