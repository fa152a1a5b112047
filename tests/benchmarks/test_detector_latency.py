from PIL import Image

from benchmarks.detector_latency import BUNDLED, measure, opened


def test_every_model_is_timed_alone_and_with_what_a_search_waits_for() -> None:
    models = {"bundled": opened(str(BUNDLED), threads=1), "again": opened(f"{BUNDLED}@f32", threads=1)}
    measured = measure(models, [Image.new("RGB", (300, 400), "gray")], 3)
    for times in measured.values():
        assert times["network"].n == times["detect"].n == 3
        assert 0 < times["network"].p50 <= times["network"].p95
