"""Exports a model that open_clip knows by name, and checks that the export computes what torch computes."""

from pathlib import Path

import numpy as np
from PIL import Image

from embeddings.backends import open_clip
from embeddings.backends.openvino import OpenVINOEncoder
from embeddings.training.export import Export, export, with_metrics
from embeddings.training.tokenizers_json import converted
from embeddings.types import Encoder
from shop_search.errors import InputError, ServiceError
from shop_search.model_card import ModelCard

LEAST_AGREEMENT = 0.999  # cosine, per picture and text: FP16 weights cost about 1e-5
TEXTS = ("a red dress", "white leather sneakers for men", "Bag", "schwarze Lederjacke mit Reißverschluss")


def export_model(
    model: str, *, pretrained: str | None, folder: Path, license_name: str = "see the model's source"
) -> ModelCard:
    """Returns the card of the exported files.

    Raises InputError without weights, ServiceError when the model can't be loaded, converted, or disagrees with torch.
    """
    if pretrained is None and ":" not in model:
        raise InputError(
            "weights_missing", f"{model} alone has random weights. Name --pretrained, a tag or a checkpoint file."
        )
    reference = open_clip.OpenClipEncoder(model=model, pretrained=pretrained, device="cpu")
    tokenizer, clean = converted(open_clip.tokenizer_of(model))
    card = export(
        Export(
            model=reference.model,
            tokenizer=tokenizer,
            clean=clean,
            preprocessing=reference.preprocessing,
            dim=reference.card.dim,
            name=reference.card.name.removeprefix("hf-hub:").removeprefix("local-dir:").strip("-"),
            version=reference.card.version,
            license=license_name,
            data=("See the model's source.",),
            training={"open_clip": model, "pretrained": pretrained},
        ),
        folder,
    )
    found = agreement(reference, OpenVINOEncoder(folder / "card.json"))
    if min(found.values()) < LEAST_AGREEMENT:
        raise ServiceError(
            "export_disagrees", f"The export differs from torch: cosine {found}, at least {LEAST_AGREEMENT} is needed."
        )
    return with_metrics(card, {"agreement": found})


def agreement(one: Encoder, other: Encoder, *, pictures: int = 8) -> dict[str, float]:
    """Returns the smallest cosine between two encoders' embeddings of the same pictures and of the same texts."""
    dice = np.random.default_rng(0)
    shown = [
        Image.fromarray(dice.integers(0, 256, (6, 5, 3), dtype=np.uint8)).resize((200, 260), Image.Resampling.BICUBIC)
        for _ in range(pictures)
    ]
    return {
        "image": _least_cosine(one.encode_images(shown), other.encode_images(shown)),
        "text": _least_cosine(one.encode_texts(TEXTS), other.encode_texts(TEXTS)),
    }


def _least_cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float((a * b).sum(axis=1).min())
