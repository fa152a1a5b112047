"""What every encoder backend must do. Each is built from the bundled card."""

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest
from PIL import Image

from embeddings.types import Encoder
from fixtures import demo_products, draw_product
from shop_search.errors import ServiceError
from shop_search.model_card import ModelCard
from tests.embeddings.golden_vectors import CARD, DIMS, PINS, TEXTS, pictures

Build = Callable[..., Encoder]


def openvino(**options: object) -> Encoder:
    from embeddings.backends.openvino import OpenVINOEncoder

    return OpenVINOEncoder(**{"card": CARD, **options})  # type: ignore[arg-type]


def open_clip(**options: object) -> Encoder:
    if find_spec("open_clip") is None:
        pytest.skip("open_clip is not installed: it comes with the 'train' extra")
    from embeddings.backends.open_clip import OpenClipEncoder

    return OpenClipEncoder(**{"card": CARD, **options})  # type: ignore[arg-type]


@pytest.fixture(scope="module", params=[openvino, open_clip])
def build(request: pytest.FixtureRequest) -> Build:
    made: Build = request.param
    return made


@pytest.fixture(scope="module")
def encoder(build: Build) -> Encoder:
    return build()


def drawn(count: int) -> list[Image.Image]:
    """Returns the front views of products of every category in turn."""
    products = demo_products()
    return [draw_product(product, view=0, size=180) for product in products[:: len(products) // count][:count]]


def noise(count: int) -> list[Image.Image]:
    """Returns pictures of colored blotches, each another."""
    dice = np.random.default_rng(0)
    return [
        Image.fromarray(dice.integers(0, 256, (5, 4, 3), dtype=np.uint8)).resize((90, 110), Image.Resampling.BICUBIC)
        for _ in range(count)
    ]


def test_the_card_is_an_encoders(encoder: Encoder) -> None:
    assert encoder.card.kind == "encoder"
    assert 256 <= encoder.card.dim <= 512


def test_no_images_and_no_texts_make_no_rows(encoder: Encoder) -> None:
    for rows in (encoder.encode_images([]), encoder.encode_texts([])):
        assert (rows.shape, rows.dtype) == ((0, encoder.card.dim), np.float32)


def test_embeddings_are_unit_rows_of_the_cards_length(encoder: Encoder) -> None:
    for rows in (encoder.encode_images(list(pictures().values())), encoder.encode_texts(TEXTS)):
        assert (rows.shape, rows.dtype) == ((4, encoder.card.dim), np.float32)
        assert np.linalg.norm(rows, axis=1) == pytest.approx(1, abs=1e-5)


def test_pictures_have_their_pinned_embeddings(build: Build, encoder: Encoder) -> None:
    pinned = json.loads(PINS.read_text(encoding="utf-8"))["images"]
    rows = encoder.encode_images(list(pictures().values()))[:, :DIMS]
    # The export folds batch norms into FP16 weights, which torch keeps apart: that alone is worth 1.4e-3.
    np.testing.assert_allclose(rows, list(pinned.values()), atol=1e-3 if build is openvino else 3e-3)


def test_texts_have_their_pinned_embeddings(encoder: Encoder) -> None:
    pinned = json.loads(PINS.read_text(encoding="utf-8"))["texts"]
    assert tuple(pinned) == TEXTS
    np.testing.assert_allclose(encoder.encode_texts(TEXTS)[:, :DIMS], list(pinned.values()), atol=1e-3)


def test_the_pinned_embeddings_are_those_of_the_bundled_weights() -> None:
    assert json.loads(PINS.read_text(encoding="utf-8"))["fingerprint"] == ModelCard.load(CARD).fingerprint


def test_a_batch_is_embedded_as_its_pictures_are_one_by_one(encoder: Encoder) -> None:
    images = noise(35)  # more than a batch, and no multiple of one
    together = encoder.encode_images(images)
    alone = np.concatenate([encoder.encode_images([image]) for image in images])
    np.testing.assert_allclose(together, alone, atol=1e-4)


def test_a_batch_of_texts_is_embedded_as_its_texts_are_one_by_one(encoder: Encoder) -> None:
    texts = [
        f"{color} {thing}" for color in ("red", "black", "white") for thing in ("shoe", "bag", "hat", "silk scarf")
    ] * 3
    together = encoder.encode_texts(texts)
    np.testing.assert_allclose(together, np.concatenate([encoder.encode_texts([text]) for text in texts]), atol=1e-4)


def test_threads_get_their_own_answers(encoder: Encoder) -> None:
    images = noise(6)
    expected, found = encoder.encode_images(images), {}

    def ask(index: int) -> None:
        for _ in range(3):
            found[index] = encoder.encode_images([images[index]])[0]

    threads = [threading.Thread(target=ask, args=(index,)) for index in range(len(images))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    np.testing.assert_allclose([found[index] for index in range(len(images))], expected, atol=1e-4)


def test_two_views_of_a_product_are_closer_than_two_products(encoder: Encoder) -> None:
    products = demo_products()[::20]
    fronts = encoder.encode_images([draw_product(product, view=0, size=224) for product in products])
    backs = encoder.encode_images([draw_product(product, view=1, size=224) for product in products])
    scores = fronts @ backs.T
    assert np.mean(scores.argmax(axis=1) == np.arange(len(products))) > 0.5


def test_words_never_seen_in_training_have_embeddings_of_their_own(encoder: Encoder) -> None:
    rows = encoder.encode_texts(["xylographic", "Ωμέγα", "👠", "鞋"])
    assert (rows @ rows.T - np.eye(4)).max() < 0.999


def test_case_and_spaces_do_not_change_a_text(encoder: Encoder) -> None:
    rows = encoder.encode_texts(["red dress", "RED Dress"])
    assert float(rows[0] @ rows[1]) > 0.9999


def test_a_text_of_any_length_is_read(encoder: Encoder) -> None:
    assert encoder.encode_texts(["word " * 5000]).shape == (1, encoder.card.dim)


def test_both_backends_agree() -> None:
    ours, reference = openvino(), open_clip()
    images, texts = drawn(12), ["red dress", "blue jeans for men", "leather bag", "Sneaker weiß"]
    assert (ours.encode_images(images) * reference.encode_images(images)).sum(axis=1).min() >= 0.999
    assert (ours.encode_texts(texts) * reference.encode_texts(texts)).sum(axis=1).min() >= 0.999


def test_a_missing_card_is_said(build: Build) -> None:
    with pytest.raises(ServiceError) as raised:
        build(card="/nowhere/card.json")
    assert raised.value.code == "model_card_unreadable"


def test_the_fingerprint_changes_with_weights_and_preprocessing_and_with_nothing_else() -> None:
    card = ModelCard.load(CARD)
    files = {role: replace(file, sha256=file.sha256[::-1]) for role, file in card.files.items()}
    others = [replace(card, files=files), replace(card, preprocessing={**card.preprocessing, "resize": "pad"})]
    assert card.fingerprint not in [other.fingerprint for other in others]
    assert replace(card, notes="Read again.", metrics={}).fingerprint == card.fingerprint


def test_both_towers_are_small_enough_to_be_bundled() -> None:
    card = ModelCard.load(CARD)
    served = [card.path(role) for role in ("image", "image_bin", "text", "text_bin", "tokenizer")]
    assert sum(path.stat().st_size for path in served) <= 25e6
