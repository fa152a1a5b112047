from PIL import Image

from benchmarks.model_latency import BUNDLED, measure, opened


def test_every_model_is_timed_alone_and_with_what_a_search_waits_for() -> None:
    models = {name: opened(name, threads=1) for name in (*BUNDLED, f"{BUNDLED[0]}@f32")}
    measured = measure(models, [Image.new("RGB", (300, 400), "gray")], 3)
    assert len(measured) == 3
    for times in measured.values():
        assert times["network"].n == times["everything"].n == 3
        assert 0 < times["network"].p50 <= times["network"].p95
