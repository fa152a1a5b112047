"""The heads that serve: what they say, when they keep silent, and whose embeddings they refuse."""

from pathlib import Path

import numpy as np
import pytest
from django.conf import settings

from embeddings.attributes import CARD, Attributes, Head, Heads, attributes, heads_of
from embeddings.backends.openvino import OpenVINOEncoder
from embeddings.color_names import NAMES
from shop_search.errors import ServiceError
from shop_search.model_card import ModelCard, WeightFile, sha256_of

DIM = 4
VALUES = {
    "gender": ["men", "women"],
    "article_type": ["shirts", "handbags", "other"],
    "color": ["black", "red", "white"],
    "pattern": ["plain", "striped"],
}


def head(values: list[str], *, sharpness: float = 20.0) -> Head:
    """Returns a head that says the value whose place is the largest entry of the row."""
    return Head(
        tuple(values), np.eye(len(values), DIM, dtype=np.float32) * sharpness, np.zeros(len(values), np.float32)
    )


def heads(**others: Head) -> Heads:
    made = {name: others.get(name, head(values)) for name, values in VALUES.items()}
    return Heads(**made, patterned=frozenset({"shirts"}))


def row(at: int) -> np.ndarray:
    return np.eye(DIM, dtype=np.float32)[[at]]


def written(folder: Path, **changes) -> ModelCard:
    """Writes heads for an encoder in the folder; returns the encoder's card."""
    encoder = ModelCard(
        name="e", kind="encoder", version="1", license="", files={}, preprocessing={}, dim=DIM, folder=folder
    )
    (folder / CARD).parent.mkdir()
    arrays: dict = {
        f"{name}.weight": np.eye(len(values), DIM, dtype=np.float16) * 20 for name, values in VALUES.items()
    }
    arrays |= {f"{name}.bias": np.zeros(len(values), np.float32) for name, values in VALUES.items()}
    np.savez(folder / CARD.parent / "heads.npz", **{**arrays, **changes.pop("arrays", {})})
    facts = {"encoder": encoder.fingerprint, "values": VALUES, "patterned": ["shirts"]} | changes
    files = {"heads": WeightFile("heads.npz", sha256_of(folder / CARD.parent / "heads.npz"))}
    card = ModelCard(name="a", kind="attributes", version="1", license="", files=files, preprocessing=facts, dim=DIM)
    card.save(folder / CARD)
    return encoder


def test_a_sure_head_is_believed():
    (found,) = heads()(row(0))
    assert (found.gender.value, found.article_type.value, found.pattern.value) == ("men", "shirts", "plain")
    assert found.gender.confidence == pytest.approx(1.0)
    assert [color.value for color in found.colors] == ["black"]


def test_an_unsure_head_keeps_silent():
    (found,) = heads(gender=head(["men", "women", "unisex"], sharpness=0.1))(row(0))
    assert found.gender is None


def test_a_product_may_have_two_colors():
    both = np.array([[1, 1, 0, 0]], np.float32) / np.sqrt(2)
    (found,) = heads()(both)
    assert {color.value: round(color.confidence, 1) for color in found.colors} == {"black": 0.5, "red": 0.5}


def test_a_pattern_is_said_of_clothes_only():
    (found,) = heads(pattern=head(["x", "plain"]))(row(1))
    assert found.article_type.value == "handbags"
    assert found.pattern is None


def test_a_type_seen_too_seldom_has_no_name():
    (found,) = heads()(row(2))
    assert found.article_type is None


def test_confidences_sum_to_one_however_large_the_numbers():
    made = head(["a", "b", "c"], sharpness=1e4)(np.eye(DIM, dtype=np.float32))
    assert made.sum(axis=1) == pytest.approx(1)


def test_no_embeddings_have_no_attributes():
    assert heads()(np.zeros((0, DIM), np.float32)) == []


def test_heads_are_read_from_beside_the_encoder(tmp_path):
    read = heads_of(written(tmp_path))
    assert read is not None
    (found,) = read(row(1))
    assert (found.gender.value, found.article_type.value) == ("women", "handbags")


def test_an_encoder_without_heads_says_nothing(settings):
    settings.ENCODER = {"BACKEND": "tests.fakes.FakeEncoder"}
    assert attributes(np.zeros((2, 64), np.float32)) == [Attributes(), Attributes()]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"encoder": "another"}, "attributes_of_another_encoder"),
        ({"values": {"gender": ["men"]}}, "attributes_unreadable"),
        ({"arrays": {"color.weight": np.zeros((3, DIM + 1), np.float16)}}, "attributes_unreadable"),
        ({"arrays": {"color.weight": np.array([{}], dtype=object)}}, "attributes_unreadable"),
    ],
)
def test_heads_that_do_not_fit_are_refused(tmp_path, changes, code):
    with pytest.raises(ServiceError) as caught:
        heads_of(written(tmp_path, **changes))
    assert caught.value.code == code


def test_damaged_weights_are_refused(tmp_path):
    encoder = written(tmp_path)
    with (tmp_path / CARD.parent / "heads.npz").open("ab") as stream:
        stream.write(b"more")
    with pytest.raises(ServiceError) as caught:
        heads_of(encoder)
    assert caught.value.code == "model_file_damaged"


def test_the_bundled_heads_are_of_the_bundled_encoder():
    card = ModelCard.load(Path(settings.BASE_DIR) / "embeddings" / "weights" / "card.json")
    heads = heads_of(card)
    assert heads is not None
    assert {"men", "women"} <= set(heads.gender.values)
    assert set(heads.color.values) <= set(NAMES)
    assert "shirts" in heads.patterned


def test_the_bundled_heads_know_a_word_of_their_encoder_for_what_it_means():
    """Texts lie where their pictures lie, so they are what can be asked without a real photo."""
    encoder = OpenVINOEncoder(Path(settings.BASE_DIR) / "embeddings" / "weights" / "card.json")
    heads = heads_of(encoder.card)
    assert heads is not None
    rows = encoder.encode_texts(["Men black wrist watch", "Women red handbag", "Men blue jeans"])
    said = [heads.article_type.values[row.argmax()] for row in heads.article_type(rows)]
    assert said == ["watches", "handbags", "jeans"]
