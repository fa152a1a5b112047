"""Train, export, serve: the whole command on a handful of pictures and a trunk of random weights."""

import json

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from PIL import Image

timm = pytest.importorskip("timm", reason="timm comes with the 'train' extra")
torch = pytest.importorskip("torch", reason="torch comes with the 'train' extra")
pytest.importorskip("open_clip", reason="open_clip comes with the 'train' extra")

from safetensors.torch import save_file  # noqa: E402

from embeddings.backends.openvino import OpenVINOEncoder  # noqa: E402
from embeddings.training import drawn, features, model  # noqa: E402
from embeddings.training.projection import Projection  # noqa: E402
from embeddings.training.train import follow  # noqa: E402
from fixtures import products_by_sku  # noqa: E402
from tests.embeddings.training.conftest import picture  # noqa: E402


@pytest.fixture
def arguments(products, views, tmp_path, settings, monkeypatch) -> list[str]:
    """What the command is called with. Of the drawn catalog, only what one scene shows takes part."""
    settings.DETECTOR = {"BACKEND": "tests.fakes.FakeDetector"}
    shown = [crop.sku for crops in drawn.scene_crops(1, seed=drawn.TRAIN_SEED) for crop in crops]
    monkeypatch.setattr(drawn, "products", lambda: tuple(products_by_sku()[sku] for sku in shown))
    streets = tmp_path / "streets"
    streets.mkdir()
    Image.effect_noise((120, 120), 80).convert("RGB").save(streets / "one.jpg")
    save_file(timm.create_model("mobilenetv2_100", num_classes=0).state_dict(), tmp_path / "trunk.safetensors")
    return [
        *("train_encoder", "--products", str(products), "--views", str(views), "--backgrounds", str(streets)),
        *("--work", str(tmp_path / "work"), "--scenes", "1", "--text-epochs", "2"),
    ]


def test_what_is_trained_is_served(arguments, tmp_path):
    out = tmp_path / "out"
    call_command(*arguments, "--backbone", str(tmp_path / "trunk.safetensors"), "--out", str(out), "--rights", "Ours.")
    encoder = OpenVINOEncoder(out / "card.json")
    assert encoder.encode_images([picture(1)]).shape == encoder.encode_texts(["red shoes"]).shape == (1, 512)
    assert encoder.card.training["text_epochs"] == 2
    assert "Ours." in encoder.card.data


def test_a_training_goes_on_where_it_was_killed(arguments, tmp_path, monkeypatch):
    start = ["--backbone", str(tmp_path / "trunk.safetensors"), "--out"]
    call_command(*arguments, *start, str(tmp_path / "first"))
    monkeypatch.setattr(features.Trunk, "__call__", lambda *_: pytest.fail("features were computed again"))
    call_command(*arguments, *start, str(tmp_path / "second"))
    first, second = (json.loads((tmp_path / name / "card.json").read_text()) for name in ("first", "second"))
    assert first["fingerprint"] == second["fingerprint"]


def test_a_trained_model_is_trained_further_with_its_own_words(arguments, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    call_command(*arguments, "--backbone", str(tmp_path / "trunk.safetensors"), "--out", str(first))
    again = [str(tmp_path / "work2") if argument == str(tmp_path / "work") else argument for argument in arguments]
    call_command(*again, "--from", str(first), "--out", str(second))
    assert (second / "tokenizer.json").read_text() == (first / "tokenizer.json").read_text()
    assert OpenVINOEncoder(second / "card.json").encode_texts(["red shoes"]).shape == (1, 512)


def test_texts_turn_along_when_the_pictures_get_another_projection():
    made = model.build(model.read_config()).eval()
    dice = np.random.default_rng(0)
    rows = dice.normal(size=(900, 1, model.trunk_of(made).num_features)).astype(np.float32)
    turn = np.linalg.qr(dice.normal(size=(512, 512)))[0].astype(np.float32)
    weight, bias = (part.detach().numpy().copy() for part in model.projection_of(made).parameters())
    old, new = Projection(weight, bias), Projection(turn @ weight, turn @ bias)
    ids = torch.tensor([[1, 7, 2] + [0] * 29, [1, 9, 8, 2] + [0] * 28])
    with torch.no_grad():
        before = made.encode_text(ids, normalize=True).numpy() @ old(rows[:50, 0]).T
        follow(made, rows[:, 0], new)
        after = made.encode_text(ids, normalize=True).numpy() @ new(rows[:50, 0]).T
    np.testing.assert_allclose(before, after, atol=1e-3)


def test_a_file_that_is_no_trunk_is_refused(arguments, tmp_path):
    (tmp_path / "other.safetensors").write_bytes(b"not weights")
    with pytest.raises(CommandError, match=r"other\.safetensors"):
        call_command(*arguments, "--backbone", str(tmp_path / "other.safetensors"), "--out", str(tmp_path / "out"))


def test_features_of_another_training_are_not_taken_for_ones_own(arguments, tmp_path):
    start = ["--backbone", str(tmp_path / "trunk.safetensors"), "--out", str(tmp_path / "out")]
    call_command(*arguments, *start)
    with pytest.raises(CommandError, match="--work"):
        call_command(*arguments, *start, "--seed", "1")
