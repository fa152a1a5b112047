import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.fakes import picture


def benchmark(*arguments: object) -> str:
    out = io.StringIO()
    call_command("benchmark", *arguments, "--searches", "2", stdout=out)
    return out.getvalue()


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.jpg"
    path.write_bytes(picture(3))
    return path


def test_benchmark_prints_one_json_document_with_every_stage(shelf, photo: Path) -> None:
    shelf.put("S-3", 3)
    report = json.loads(benchmark(photo, "--json"))
    assert (report["searches"], report["images_indexed"]) == (2, 1)
    assert set(report["ms"]) == {"decode", "detect", "embed", "search", "rank", "total"}
    assert all(row["p95"] >= row["p50"] >= 0 for row in report["ms"].values())


def test_benchmark_takes_a_sample_of_the_shop_when_no_photo_is_named(shelf, photo: Path, settings) -> None:
    with pytest.raises(CommandError, match="no samples"):
        benchmark()
    samples = Path(settings.MEDIA_ROOT) / "samples"
    samples.mkdir()
    photo.rename(samples / "a-lady.jpg")
    assert "2 searches of a-lady.jpg" in benchmark()


def test_benchmark_says_what_is_wrong_with_a_photo(shelf, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="Can't read"):
        benchmark(tmp_path / "none.jpg")
    (tmp_path / "empty.jpg").touch()
    with pytest.raises(CommandError):
        benchmark(tmp_path / "empty.jpg")
