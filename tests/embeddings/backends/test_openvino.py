"""What the serving backend leaves out, and what it says of damaged files."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings
from PIL import Image

from embeddings.backends.openvino import OpenVINOEncoder
from shop_search.errors import ServiceError
from tests.embeddings.golden_vectors import CARD

USE = f"""
import sys
from PIL import Image
from embeddings.backends.openvino import OpenVINOEncoder
encoder = OpenVINOEncoder({str(CARD)!r})
encoder.encode_images([Image.new("RGB", (50, 70))])
encoder.encode_texts(["red shoe"])
print(sorted({{name.split(".")[0] for name in sys.modules}} & {{"torch", "timm", "open_clip", "transformers"}}))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the bundled weights that a test may damage."""
    return Path(shutil.copytree(CARD.parent, tmp_path / "weights"))


def test_using_it_never_imports_torch():
    process = subprocess.run(
        [sys.executable, "-c", USE],
        cwd=settings.BASE_DIR,
        env={**os.environ, "PYTHONPATH": str(settings.BASE_DIR)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (process.returncode, process.stdout.strip()) == (0, "[]"), process.stderr


def test_pictures_are_embedded_without_loading_the_text_tower(folder):
    (folder / "text.bin").unlink()
    encoder = OpenVINOEncoder(folder / "card.json")
    assert encoder.encode_images([Image.new("RGB", (20, 20))]).shape == (1, encoder.card.dim)
    with pytest.raises(ServiceError) as raised:
        encoder.encode_texts(["shoe"])
    assert raised.value.code == "model_file_missing"


def test_a_damaged_weight_file_is_refused(folder):
    with (folder / "image.bin").open("r+b") as stream:
        stream.write(b"\xff" * 64)
    with pytest.raises(ServiceError) as raised:
        OpenVINOEncoder(folder / "card.json")
    assert raised.value.code == "model_file_damaged"


def test_the_number_of_threads_does_not_change_the_embedding():
    image = Image.radial_gradient("L").convert("RGB")
    one, all_ = OpenVINOEncoder(CARD, threads=1), OpenVINOEncoder(CARD)
    np.testing.assert_allclose(one.encode_images([image]), all_.encode_images([image]), atol=1e-5)
