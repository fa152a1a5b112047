"""Writes an encoder for serving: OpenVINO towers in FP16, the tokenizer, and the card that ties them together.

image.xml, image.bin     (n, 3, height, width) float32, normalized -> (n, dim)
text.xml, text.bin       (n, context_length) int64 -> (n, dim)
tokenizer.json           with truncation and padding inside
card.json
"""

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import openvino as ov
import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from embeddings.preprocessing import Preprocessing
from shop_search.errors import ServiceError
from shop_search.model_card import ModelCard, WeightFile, sha256_of

FILES = {
    "image": "image.xml", "image_bin": "image.bin", "text": "text.xml", "text_bin": "text.bin",
    "tokenizer": "tokenizer.json",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Export:
    """What is exported: an open_clip model, how its input is prepared, and what the card says."""

    model: Any  # with encode_image, encode_text, float32, on the CPU
    tokenizer: Tokenizer
    clean: str  # the text cleaning of embeddings.tokenization
    preprocessing: Preprocessing
    dim: int
    name: str
    version: str
    license: str
    data: tuple[str, ...] = ()
    training: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    notes: str = ""
    also: Mapping[str, str] = field(default_factory=dict)  # further files of the folder by role: the torch checkpoint


class _ImageTower(nn.Module):
    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, pixels: Tensor) -> Tensor:
        rows: Tensor = self.model.encode_image(pixels, normalize=True)
        return rows


class _TextTower(nn.Module):
    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, ids: Tensor) -> Tensor:
        rows: Tensor = self.model.encode_text(ids, normalize=True)
        return rows


def export(what: Export, folder: Path) -> ModelCard:
    """Returns the card of the files written to `folder`, which appear together or not at all.

    Raises ServiceError when OpenVINO can't convert the model.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as work:
        made = Path(work)
        what.tokenizer.save(str(made / FILES["tokenizer"]))
        length = int((what.tokenizer.padding or {})["length"])
        ids = torch.zeros((2, length), dtype=torch.int64)
        ids[:, 0] = 1
        _convert(_ImageTower(what.model), torch.zeros(2, 3, *what.preprocessing.size), made / FILES["image"])
        _convert(_TextTower(what.model), ids, made / FILES["text"])
        for name in FILES.values():
            shutil.move(made / name, folder / name)
    roles = {**FILES, **what.also}
    card = ModelCard(
        name=what.name,
        kind="encoder",
        version=what.version,
        license=what.license,
        files={role: WeightFile(path=name, sha256=sha256_of(folder / name)) for role, name in roles.items()},
        preprocessing={**what.preprocessing.to_card(), "text": {"clean": what.clean}},
        dim=what.dim,
        data=what.data,
        training=what.training,
        metrics=what.metrics,
        notes=what.notes,
        folder=folder,
    )
    card.save(folder / "card.json")
    return card


def with_metrics(card: ModelCard, metrics: Mapping[str, Any]) -> ModelCard:
    """Returns the card with measures added, written to its file. Measures don't touch the fingerprint."""
    made = replace(card, metrics={**card.metrics, **metrics})
    made.save(card.folder / "card.json")
    return made


def _convert(tower: nn.Module, example: Tensor, path: Path) -> None:
    try:
        with torch.inference_mode():
            model = ov.convert_model(tower.eval(), example_input=example, input=[-1, *example.shape[1:]])
        # OpenVINO numbers constants through a process: without names of our own, the same weights exported twice would
        # be two files with two fingerprints.
        model.set_friendly_name(path.stem)
        for index, operation in enumerate(model.get_ordered_ops()):
            operation.set_friendly_name(f"{operation.get_type_name()}_{index}")
        ov.save_model(model, path, compress_to_fp16=True)
    except Exception as error:  # conversion fails with whatever the traced code raised
        raise ServiceError("export_failed", f"OpenVINO can't convert {type(tower).__name__}: {error}") from error
