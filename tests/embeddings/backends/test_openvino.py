"""What the serving backend leaves out, and what it says of damaged files."""

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings
from PIL import Image

from embeddings.backends.openvino import BULK, OpenVINOEncoder
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


def test_a_picture_among_many_has_the_embedding_that_it_has_alone():
    pictures = [
        Image.radial_gradient("L").rotate(7 * turn).convert("RGB").crop((0, 0, 200, 150 + turn)) for turn in range(11)
    ]
    encoder = OpenVINOEncoder(CARD)
    assert len(pictures) > BULK  # embedded by cores that work apart
    alone = np.concatenate([encoder.encode_images([picture]) for picture in pictures])
    np.testing.assert_allclose(encoder.encode_images(pictures), alone, atol=1e-6)
    assert np.linalg.norm(alone[0] - alone[-1]) > 1e-3  # else their order could not be told


def test_threads_that_embed_many_pictures_at_once_get_each_their_own():
    encoder = OpenVINOEncoder(CARD)
    sets = [
        [Image.radial_gradient("L").rotate(20 * number + turn).convert("RGB") for turn in range(BULK)]
        for number in range(4)
    ]
    expected = [np.concatenate([encoder.encode_images([one]) for one in pictures]) for pictures in sets]
    with ThreadPoolExecutor(4) as pool:
        for found, wanted in zip(pool.map(encoder.encode_images, sets), expected, strict=True):
            np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_a_picture_that_cannot_be_read_among_many_spoils_no_later_batch():
    encoder = OpenVINOEncoder(CARD)
    good = [Image.radial_gradient("L").convert("RGB") for _ in range(BULK)]
    with pytest.raises(AttributeError):
        encoder.encode_images([*good, None])  # type: ignore[list-item]
    assert encoder.encode_images(good).shape == (BULK, encoder.card.dim)
