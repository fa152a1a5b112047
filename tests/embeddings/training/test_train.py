"""Train, export, serve: the whole command on a handful of pictures and a trunk of random weights."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings
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
from tests.embeddings.training.conftest import picture, write_products, write_views  # noqa: E402

FAKE_DETECTOR = {"BACKEND": "tests.fakes.FakeDetector"}


@dataclass(frozen=True)
class Trained:
    """A training that was done, and what its command was called with."""

    folder: Path
    products: Path
    views: Path

    @property
    def out(self) -> Path:
        return self.folder / "out"

    @property
    def start(self) -> list[str]:
        return ["--backbone", str(self.folder / "trunk.safetensors"), "--out"]

    def arguments(self, work: Path) -> list[str]:
        return [
            *("train_encoder", "--products", str(self.products), "--views", str(self.views)),
            *("--backgrounds", str(self.folder / "streets")),
            *("--work", str(work), "--scenes", "1", "--text-epochs", "2"),
        ]


def draw_little(patch: pytest.MonkeyPatch) -> None:
    """Of the drawn catalog, only what one scene shows takes part."""
    shown = [crop.sku for crops in drawn.scene_crops(1, seed=drawn.TRAIN_SEED) for crop in crops]
    patch.setattr(drawn, "products", lambda: tuple(products_by_sku()[sku] for sku in shown))


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Trained:
    """One training, which takes longer than everything else here: tests go on from copies of it."""
    folder = tmp_path_factory.mktemp("trained")
    streets = folder / "streets"
    streets.mkdir()
    Image.effect_noise((120, 120), 80).convert("RGB").save(streets / "one.jpg")
    save_file(timm.create_model("mobilenetv2_100", num_classes=0).state_dict(), folder / "trunk.safetensors")
    done = Trained(folder, write_products(folder), write_views(folder))
    with override_settings(DETECTOR=FAKE_DETECTOR), pytest.MonkeyPatch.context() as patch:
        draw_little(patch)
        call_command(*done.arguments(folder / "work"), *done.start, str(folder / "out"), "--rights", "Ours.")
    return done


@pytest.fixture
def work(trained, tmp_path, settings, monkeypatch) -> Path:
    """Where that training worked, to be worked on."""
    settings.DETECTOR = FAKE_DETECTOR
    draw_little(monkeypatch)
    return shutil.copytree(trained.folder / "work", tmp_path / "work")


def test_what_is_trained_is_served(trained):
    encoder = OpenVINOEncoder(trained.out / "card.json")
    assert encoder.encode_images([picture(1)]).shape == encoder.encode_texts(["red shoes"]).shape == (1, 512)
    assert encoder.card.training["text_epochs"] == 2
    assert "Ours." in encoder.card.data


def test_a_training_goes_on_where_it_was_killed(trained, work, tmp_path, monkeypatch):
    monkeypatch.setattr(features.Trunk, "__call__", lambda *_: pytest.fail("features were computed again"))
    call_command(*trained.arguments(work), *trained.start, str(tmp_path / "second"), "--rights", "Ours.")
    first, second = (json.loads((out / "card.json").read_text()) for out in (trained.out, tmp_path / "second"))
    assert first["fingerprint"] == second["fingerprint"]


def test_a_trained_model_is_trained_further_with_its_own_words(trained, work, tmp_path):
    second = tmp_path / "second"
    call_command(*trained.arguments(tmp_path / "work2"), "--from", str(trained.out), "--out", str(second))
    assert (second / "tokenizer.json").read_text() == (trained.out / "tokenizer.json").read_text()
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


def test_a_file_that_is_no_trunk_is_refused(trained, work, tmp_path):
    (tmp_path / "other.safetensors").write_bytes(b"not weights")
    start = ["--backbone", str(tmp_path / "other.safetensors"), "--out", str(tmp_path / "out")]
    with pytest.raises(CommandError, match=r"other\.safetensors"):
        call_command(*trained.arguments(tmp_path / "new"), *start)


def test_features_of_another_training_are_not_taken_for_ones_own(trained, work, tmp_path):
    with pytest.raises(CommandError, match="--work"):
        call_command(*trained.arguments(work), *trained.start, str(tmp_path / "out"), "--seed", "1")
