"""The last blocks learn from bad photos, keep what the start knows, and go on where they were killed."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from PIL import Image

torch = pytest.importorskip("torch", reason="torch comes with the 'train' extra")
pytest.importorskip("open_clip", reason="open_clip comes with the 'train' extra")

from embeddings.backends.openvino import OpenVINOEncoder  # noqa: E402
from embeddings.training import activations, model, tail  # noqa: E402
from embeddings.training.tail import UnfreezePlan, chosen  # noqa: E402
from embeddings.training.unfreeze import Found, best_mix, mixture, unfreeze  # noqa: E402
from shop_search.errors import InputError  # noqa: E402
from tests.embeddings.training.conftest import picture  # noqa: E402

BUNDLED = Path(__file__).parents[3] / "embeddings" / "weights"


@pytest.fixture
def plan(products, views, tmp_path, settings) -> UnfreezePlan:
    settings.DETECTOR = {"BACKEND": "tests.fakes.FakeDetector"}
    streets = tmp_path / "streets"
    streets.mkdir()
    Image.effect_noise((120, 120), 80).convert("RGB").save(streets / "one.jpg")
    return UnfreezePlan(
        products=products, views=views, backgrounds=streets, start=BUNDLED, work=tmp_path / "work",
        blocks=2, bad_photos=1, epochs=2, batch=8,
    )  # fmt: skip


def test_the_last_blocks_change_and_everything_else_stays(plan):
    trained = unfreeze(replace(plan, mix=1.0))
    before, after = (model.load(folder)[0].state_dict() for folder in (BUNDLED, trained.folder))
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed
    assert all(name.startswith("visual.trunk.net.") for name in changed)
    assert not [name for name in changed if ".blocks." in name and not name.split(".blocks.")[1].startswith(("5", "6"))]
    assert len(trained.facts["losses"]["choice"]) == 2
    assert Image.open(plan.work / "curves.png").width > 400


def test_a_training_that_was_killed_after_an_epoch_goes_on_with_the_next(plan, monkeypatch):
    whole = unfreeze(plan).facts["losses"]
    again = replace(plan, work=plan.work.with_name("again"))
    keep, kept = tail._keep, []

    def keep_and_die(*arguments):
        keep(*arguments)
        kept.append(1)
        raise KeyboardInterrupt

    monkeypatch.setattr(tail, "_keep", keep_and_die)
    with pytest.raises(KeyboardInterrupt):
        unfreeze(again)
    monkeypatch.setattr(tail, "_keep", keep)
    monkeypatch.setattr(activations.Front, "__call__", lambda *_: pytest.fail("activations were computed again"))
    resumed = unfreeze(again).facts["losses"]
    assert kept == [1]
    for name, values in whole.items():
        assert resumed[name] == pytest.approx(values, abs=2e-3), name


def test_the_command_writes_an_encoder_that_is_served_and_says_where_it_comes_from(plan, tmp_path, capsys):
    out = tmp_path / "out"
    call_command(
        "train_encoder", "--from", "bundled", "--unfreeze", "2", "--epochs", "1", "--products", str(plan.products),
        "--views", str(plan.views), "--backgrounds", str(plan.backgrounds), "--work", str(plan.work), "--out", str(out),
        "--threads", "1", "--bad-photos", "2", "--fp32",
    )  # fmt: skip
    encoder = OpenVINOEncoder(out / "card.json")
    assert encoder.encode_texts(["red shoes"]) == pytest.approx(
        OpenVINOEncoder(BUNDLED / "card.json").encode_texts(["red shoes"])
    )
    training = json.loads((out / "card.json").read_text())["training"]
    assert training["trunk"].startswith("last 2 blocks")
    assert training["started_from"]["label"].startswith("shop-search-encoder")


def test_in_bf16_the_blocks_answer_nearly_as_in_fp32():
    made, config = model.load(BUNDLED)
    made.eval()
    front = activations.Front(model.trunk_of(made), model.preprocessing_of(config), first=5)
    rows = front([picture(seed, (224, 224)) for seed in range(6)])
    whole, half = (tail.embedded(made, rows, first=5, bf16=bf16) for bf16 in (False, True))
    assert half.dtype == np.float32
    assert not np.array_equal(half, whole)
    assert (half * whole).sum(axis=1).min() > 0.99


def test_what_is_learned_in_bf16_is_kept_in_fp32(plan):
    trained = unfreeze(replace(plan, bf16=True, mix=1.0, epochs=1))
    assert all(np.isfinite(values).all() for values in trained.facts["losses"].values())
    kept = torch.load(plan.work / tail.CHECKPOINT, weights_only=True)
    assert {value.dtype for value in kept["tail"].values() if value.is_floating_point()} == {torch.float32}


@pytest.mark.parametrize("blocks", [1, 8])
def test_a_number_of_blocks_that_cannot_be_trained_is_a_sentence(plan, blocks):
    with pytest.raises(CommandError, match="from 2 to 7 can"):
        call_command(
            "train_encoder", "--from", "bundled", "--unfreeze", str(blocks), "--products", str(plan.products),
            "--views", str(plan.views), "--backgrounds", str(plan.backgrounds), "--work", str(plan.work),
            "--out", str(plan.work / "out"),
        )  # fmt: skip


@pytest.mark.parametrize("option", ["--pictures", "--bad-photos", "--epochs"])
def test_none_of_what_it_learns_from_is_a_sentence(plan, option):
    with pytest.raises(CommandError, match=f"{option} 0 is too few"):
        call_command(
            "train_encoder", "--from", "bundled", "--unfreeze", "2", option, "0", "--products", str(plan.products),
            "--views", str(plan.views), "--backgrounds", str(plan.backgrounds), "--work", str(plan.work),
            "--out", str(plan.work / "out"),
        )  # fmt: skip


def test_unfreezing_needs_a_trained_start_and_folders_to_learn_from(tmp_path):
    for arguments, message in (
        (["--backbone", "x.safetensors"], "--from"),
        (["--from", "bundled"], "--products"),
    ):
        with pytest.raises(CommandError, match=message):
            call_command("train_encoder", *arguments, "--unfreeze", "2", "--out", str(tmp_path / "out"))


def test_a_twin_is_no_wrong_answer():
    bank = torch.nn.functional.normalize(torch.tensor([[1.0, 0, 0], [1, 0.1, 0], [0, 1, 0]]), dim=1)
    asked, picked, whose = bank[:1], torch.tensor([0]), torch.tensor([0, 1, 2])
    with_twin = chosen(asked, picked, bank, whose, bank, whose, 10.0)
    without = chosen(asked, picked, bank, whose, bank[[0, 2]], whose[[0, 2]], 10.0)
    assert float(with_twin) == pytest.approx(float(without))


NAN = float("nan")


@pytest.mark.parametrize(
    ("found", "best"),
    [
        ({0.0: Found(0.6, 0.9), 0.5: Found(0.7, 0.895), 1.0: Found(0.8, 0.85)}, 0.5),  # real pairs go first
        ({0.0: Found(0.6, 0.9), 0.5: Found(0.7, 0.91), 1.0: Found(0.8, 0.92)}, 1.0),
        ({0.0: Found(0.6, 0.9), 0.5: Found(0.5, 0.91), 1.0: Found(0.5, 0.92)}, 0.0),  # it has made things worse
        ({0.0: Found(0.6, NAN), 0.5: Found(0.7, NAN), 1.0: Found(0.65, NAN)}, 0.5),  # nobody wears anything
        ({0.0: Found(NAN, 0.9), 0.5: Found(NAN, 0.9), 1.0: Found(NAN, 0.9)}, 1.0),  # too few products to hold any out
    ],
)
def test_the_best_mix_finds_bad_photos_and_loses_no_real_pairs(found, best):
    assert best_mix(found) == best


def test_the_mixes_are_measured_and_the_best_of_them_is_what_is_left(plan):
    trained = unfreeze(plan)
    by_mix = {float(mix): Found(**of) for mix, of in trained.facts["mean_reciprocal_rank_by_mix"].items()}
    assert list(by_mix) == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert all(0 < rank <= 1 for of in by_mix.values() for rank in (of.bad_photos, of.real_pairs))
    assert trained.facts["mix"] == best_mix(by_mix)


def test_too_few_products_to_hold_any_out_train_all_the_same(plan, monkeypatch):
    monkeypatch.setattr("embeddings.training.unfreeze.TUNING", 0.0)
    facts = unfreeze(replace(plan, epochs=1)).facts
    assert facts["counts"]["tuning"] == 0
    assert {of["bad_photos"] for of in facts["mean_reciprocal_rank_by_mix"].values()} == {None}
    json.dumps(facts, allow_nan=False)  # a card is JSON


def test_another_mix_trains_nothing_anew(plan, monkeypatch):
    monkeypatch.setattr("embeddings.training.unfreeze.MIXES", (1.0,))
    whole = model.load(unfreeze(plan).folder)[0].state_dict()
    monkeypatch.setattr(tail, "_keep", lambda *_: pytest.fail("it trained again"))
    moved = plan.work.rename(plan.work.with_name("moved"))
    trained = unfreeze(replace(plan, work=moved, mix=0.3))
    assert trained.facts["mix"] == 0.3
    assert [float(mix) for mix in trained.facts["mean_reciprocal_rank_by_mix"]] == [0.3, 1.0]
    start, mixed = (model.load(folder)[0].state_dict() for folder in (BUNDLED, trained.folder))
    name = "visual.trunk.net.conv_head.weight"
    torch.testing.assert_close(mixed[name], start[name] + 0.3 * (whole[name] - start[name]), atol=1e-4, rtol=1e-2)


@pytest.mark.parametrize("mix", [-0.1, 1.5])
def test_a_mix_beyond_both_ends_is_a_sentence(plan, mix):
    with pytest.raises(InputError, match="between 0"):
        unfreeze(replace(plan, mix=mix))


def test_a_mixture_lies_between_start_and_end():
    before, after = {"a": torch.zeros(2), "n": torch.tensor(3)}, {"a": torch.ones(2), "n": torch.tensor(4)}
    assert mixture(before, after, 0.25)["a"].tolist() == [0.25, 0.25]
    assert int(mixture(before, after, 1.0)["n"]) == 3
    np.testing.assert_array_equal(mixture(before, after, 0.0)["a"], before["a"])
