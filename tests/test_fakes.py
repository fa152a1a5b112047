"""The fakes keep the promises of what they stand for: the store's contract suite, and the models' shapes."""

import numpy as np
import pytest
from PIL import Image

from embeddings.types import VectorStore
from tests.contracts.test_vector_store import *  # noqa: F403 - the whole suite, against the store below
from tests.fakes import DIM, FakeDetector, FakeEncoder, MemoryStore


@pytest.fixture(scope="module")  # type: ignore[no-redef]  # in place of the suite's own
def store() -> VectorStore:
    return MemoryStore()


def test_the_fake_encoder_gives_unit_rows_that_tell_pictures_apart() -> None:
    red, blue = Image.new("RGB", (40, 30), "red"), Image.new("RGB", (40, 30), "blue")

    rows = FakeEncoder().encode_images([red, blue, red])

    assert rows.shape == (3, DIM)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    assert rows[0] @ rows[2] > 0.999 > rows[0] @ rows[1]
    assert FakeEncoder().encode_images([]).shape == (0, DIM)
    assert FakeEncoder().encode_texts([]).shape == (0, DIM)


def test_two_versions_of_the_fake_encoder_are_two_spaces() -> None:
    image = Image.new("RGB", (40, 30), "red")

    one, two = FakeEncoder("1"), FakeEncoder("2")

    assert one.card.fingerprint != two.card.fingerprint
    assert one.encode_images([image])[0] @ two.encode_images([image])[0] < 0.9


def test_the_fake_detector_finds_what_is_not_white() -> None:
    image = Image.new("RGB", (40, 30), "white")
    image.paste("red", (10, 5, 20, 25))

    found, nothing = FakeDetector("bags").detect([image, Image.new("RGB", (40, 30), "white")])

    assert [(one.category, one.xyxy) for one in found] == [("bags", (10.0, 5.0, 20.0, 25.0))]
    assert nothing == []
