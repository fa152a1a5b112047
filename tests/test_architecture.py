"""The rules that import-linter can't say: docs/architecture.md explains them."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
PACKAGES = ["shop_search", "detection", "embeddings", "catalog", "fixtures", "benchmarks", "tests"]
PRODUCT = [name for name in PACKAGES if name != "tests"]  # a long table of cases is no catch-all
ROOMS = ["detection", "embeddings"]
MOST_LINES = 450
CATCH_ALLS = {"utils", "util", "helpers", "helper", "services", "service", "managers", "manager", "common", "misc"}
SHORT = 20  # a file of so few lines says itself what it is for


def sources(*packages: str) -> list[Path]:
    """Returns every Python file of the packages, migrations left out."""
    return [path for name in packages for path in sorted((ROOT / name).rglob("*.py")) if "migrations" not in path.parts]


def imports_of(path: Path) -> Iterator[str]:
    """Yields the dotted names that a file imports anywhere."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def named(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


def test_no_file_has_grown_into_a_catch_all() -> None:
    too_long = [path for path in sources(*PRODUCT) if len(path.read_text(encoding="utf-8").splitlines()) > MOST_LINES]
    assert named(too_long) == []


def test_no_module_is_named_for_nothing_in_particular() -> None:
    assert named([path for path in sources(*PACKAGES) if path.stem in CATCH_ALLS]) == []


def test_every_module_opens_with_what_it_is_for() -> None:
    silent = [
        path
        for path in sources(*PRODUCT)
        if len((text := path.read_text(encoding="utf-8")).splitlines()) > SHORT
        and not ast.get_docstring(ast.parse(text))
    ]
    assert named(silent) == []


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_knows_neither_database_nor_http_nor_the_catalog(room: str) -> None:
    strangers = ("django.db", "django.http", "django.contrib", "rest_framework", "catalog")
    found = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sources(room)
        for name in imports_of(path)
        if any(name == stranger or name.startswith(f"{stranger}.") for stranger in strangers)
    ]
    assert found == []


def test_the_supervisor_and_the_leash_need_nothing_but_python() -> None:
    """They stay small and alive whatever happens to the programs they keep."""
    for name in ("supervisor", "leash", "instance"):
        found = {module.partition(".")[0] for module in imports_of(ROOT / "shop_search" / f"{name}.py")}
        assert found - {"shop_search"} <= set(sys.stdlib_module_names)


SEARCH = """
import io, json, sys
import shop_search.wsgi
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from embeddings import vector_store
from PIL import Image

call_command("migrate", verbosity=0)
photo = io.BytesIO()
Image.effect_mandelbrot((320, 320), (-2, -1.5, 1, 1.5), 100).convert("RGB").save(photo, "JPEG")
photo.seek(0)
photo.name = "photo.jpg"
try:
    response = Client().post("/api/v1/search/", {"image": photo}, HTTP_HOST="localhost")
finally:
    vector_store().stop()
heavy = {"torch", "torchvision", "ultralytics", "open_clip", "timm", "nncf", "cv2", "matplotlib", "pandas"}
print(json.dumps({"status": response.status_code, "heavy": sorted(heavy & set(sys.modules))}))
"""


def test_serving_a_search_imports_no_training_library(tmp_path: Path) -> None:
    """With torch and ultralytics installed: importing them costs 2.5 s and 415 MB a process."""
    done = subprocess.run(
        [sys.executable, "-c", SEARCH],
        cwd=ROOT,
        env={"SHOP_SEARCH_HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == '{"status": 200, "heavy": []}', done.stdout + done.stderr
