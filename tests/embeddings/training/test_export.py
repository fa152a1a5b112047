"""Any open_clip model becomes files that serve: tiny ones with random weights, of the two families there are."""

import json
from importlib.util import find_spec
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from PIL import Image

open_clip = pytest.importorskip("open_clip", reason="open_clip comes with the 'train' extra")
torch = pytest.importorskip("torch", reason="torch comes with the 'train' extra")

from embeddings.backends.open_clip import OpenClipEncoder, load_model, tokenizer_of  # noqa: E402
from embeddings.backends.openvino import OpenVINOEncoder  # noqa: E402
from embeddings.training.foreign import agreement  # noqa: E402
from shop_search.errors import ServiceError  # noqa: E402

TEXT = {"context_length": 20, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 2}
CLIP = {
    "embed_dim": 24,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 32, "head_width": 16, "patch_size": 8},
    "text_cfg": TEXT,
}
# As SigLIP is built: a timm tower, a text tower that sees all tokens and reads the last one, a bias to the logits.
# Its own tokenizer has to be fetched and needs transformers, so this one is read by CLIP's.
SIGLIP = {
    "embed_dim": 24,
    "init_logit_bias": -10,
    "custom_text": True,
    "vision_cfg": {
        "image_size": 32,
        "timm_model_name": "test_vit",
        "timm_model_pretrained": False,
        "timm_pool": "avg",
        "timm_proj": "linear",
    },
    "text_cfg": {**TEXT, "no_causal_mask": True, "pool_type": "last", "proj_bias": True},
}


@pytest.fixture(scope="module", params=["clip", "sigmoid"])
def model(request, tmp_path_factory) -> tuple[str, Path]:
    """The name of a model that open_clip knows, and a checkpoint of it."""
    folder = tmp_path_factory.mktemp("models")
    name = f"tiny-{request.param}"
    (folder / f"{name}.json").write_text(json.dumps(CLIP if request.param == "clip" else SIGLIP))
    open_clip.add_model_config(folder / f"{name}.json")
    torch.manual_seed(0)
    checkpoint = folder / "weights.pt"
    torch.save(load_model(name).state_dict(), checkpoint)
    return name, checkpoint


@pytest.fixture(scope="module")
def card(model, tmp_path_factory) -> Path:
    """The card of that model's export, made by the command."""
    folder = tmp_path_factory.mktemp("export")
    name, checkpoint = model
    call_command("export_encoder", "--model", name, "--pretrained", str(checkpoint), "--out", str(folder))
    return folder / "card.json"


def test_the_export_computes_what_torch_computes(model, card):
    name, checkpoint = model
    reference = OpenClipEncoder(model=name, pretrained=str(checkpoint), device="cpu")
    found = agreement(reference, OpenVINOEncoder(card))
    assert min(found.values()) >= 0.999


def test_the_card_says_what_it_is_and_how_to_prepare_pictures(model, card):
    made = OpenVINOEncoder(card)
    assert (made.card.name, made.card.dim, made.card.kind) == (model[0], 24, "encoder")
    assert made.preprocessing.size == (32, 32)
    assert made.card.metrics["agreement"]["image"] >= 0.999


def test_settings_alone_serve_it(card, settings):
    import embeddings

    settings.ENCODER = {**settings.ENCODER, "OPTIONS": {"card": str(card)}}
    assert embeddings.encoder().encode_texts(["red shoe"]).shape == (1, 24)
    assert embeddings.encoder().encode_images([Image.new("RGB", (40, 30))] * 3).shape == (3, 24)


@pytest.mark.parametrize(
    "model", ["clip"], indirect=True, scope="module"
)  # what is numbered has no kind; it takes long
def test_exporting_again_makes_the_same_fingerprint(model, card, tmp_path):
    call_command("export_encoder", "--model", model[0], "--pretrained", str(model[1]), "--out", str(tmp_path))
    assert OpenVINOEncoder(tmp_path / "card.json").card.fingerprint == OpenVINOEncoder(card).card.fingerprint


def test_random_weights_are_not_exported(model, tmp_path):
    with pytest.raises(CommandError, match="random weights"):
        call_command("export_encoder", "--model", model[0], "--out", str(tmp_path))


def test_siglips_own_tokenizer_is_asked_for_by_name_where_it_can_not_be_had():
    if find_spec("transformers") is not None:
        pytest.skip("transformers is installed: the tokenizer would be fetched")
    with pytest.raises(ServiceError, match="transformers"):
        tokenizer_of("ViT-B-16-SigLIP")


def test_an_unknown_model_is_said():
    with pytest.raises(ServiceError, match="ViT-Z-99"):
        OpenClipEncoder(model="ViT-Z-99", pretrained="laion2b")


def test_a_model_needs_a_card_or_a_name():
    with pytest.raises(ServiceError, match="card or a model name"):
        OpenClipEncoder()


def test_the_reference_tells_two_sets_of_weights_apart(model):
    cards = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        cards.append(OpenClipEncoder(model=model[0], device="cpu").card)
    assert cards[0].fingerprint != cards[1].fingerprint
