"""Embeddings by open_clip in torch: for machines with a GPU, and the reference that exported models must agree with."""

import hashlib
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import torch
from numpy.typing import NDArray
from PIL.Image import Image

import embeddings.backends.shop_mobilenet  # noqa: F401  (makes our own trunk known to timm)
from embeddings.preprocessing import Preprocessing
from embeddings.tokenization import Tokenizer
from shop_search.errors import ServiceError
from shop_search.model_card import ModelCard, WeightFile

BATCH = 32
# What open_clip calls the three ways to resize.
RESIZE = {"shortest": "crop", "longest": "pad", "squash": "squash"}

Tokenize = Callable[[Sequence[str]], NDArray[np.int64]]


class OpenClipEncoder:
    """An encoder in torch. Thread-safe.

    Either `card`, of a folder that open_clip can load (our own bundled weights), or `model` (a name that open_clip
    knows, `hf-hub:...` or `local-dir:...`) with `pretrained` (a tag or a checkpoint file; random weights without).
    `device`: "cuda" where there is one.
    """

    def __init__(
        self,
        card: Path | str | None = None,
        *,
        model: str | None = None,
        pretrained: str | None = None,
        device: str | None = None,
    ) -> None:
        if (card is None) == (model is None):
            raise ServiceError("encoder_misconfigured", "OpenClipEncoder takes either a card or a model name.")
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self._lock = threading.Lock()
        self._tokenize: Tokenize
        if card is not None:
            self.card = ModelCard.load(card)
            for role in ("config", "checkpoint"):
                self.card.path(role)
            self.model = load_model(f"local-dir:{self.card.folder}")
            clean = self.card.preprocessing.get("text", {}).get("clean", "none")
            self._tokenize = Tokenizer(self.card.path("tokenizer"), clean=clean)
        else:
            assert model is not None
            self.model = load_model(model, pretrained=pretrained)
            self.card = card_of(self.model, name=model, pretrained=pretrained)
            tokenizer = tokenizer_of(model)
            self._tokenize = lambda texts: np.asarray(tokenizer(list(texts)), np.int64)
        self.preprocessing = Preprocessing.from_card(self.card.preprocessing)
        self.model.to(self.device)

    def encode_images(self, images: Sequence[Image]) -> NDArray[np.float32]:
        """Returns (n, dim) float32, unit rows; (0, dim) for no images."""
        batches = []
        for start in range(0, len(images), BATCH):
            pixels = self.preprocessing.normalize(self.preprocessing.pixels(images[start : start + BATCH]))
            batches.append(self._run(self.model.encode_image, np.ascontiguousarray(pixels)))
        return np.concatenate(batches) if batches else np.zeros((0, self.card.dim), np.float32)

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Returns (n, dim) float32, unit rows; (0, dim) for no texts."""
        batches = [
            self._run(self.model.encode_text, self._tokenize(texts[start : start + BATCH]))
            for start in range(0, len(texts), BATCH)
        ]
        return np.concatenate(batches) if batches else np.zeros((0, self.card.dim), np.float32)

    def _run(self, encode: Any, batch: NDArray[Any]) -> NDArray[np.float32]:
        with self._lock, torch.inference_mode():
            rows: NDArray[np.float32] = (
                encode(torch.from_numpy(batch).to(self.device), normalize=True).float().cpu().numpy()
            )
        return rows


def load_model(model: str, *, pretrained: str | None = None) -> Any:
    """Returns open_clip's model in evaluation mode, float32, on the CPU.

    Raises ServiceError when open_clip doesn't know the name or can't get the weights.
    """
    try:
        made = open_clip.create_model(model, pretrained=pretrained, precision="fp32", device="cpu")
    except (RuntimeError, ValueError, OSError, KeyError) as error:
        raise ServiceError("encoder_unavailable", f"open_clip can't load {model!r} ({pretrained}): {error}") from error
    return made.eval()


def tokenizer_of(model: str) -> Any:
    """Returns open_clip's tokenizer of a model name. Raises ServiceError when it can't be had."""
    try:
        return open_clip.get_tokenizer(model)
    except ImportError as error:
        message = f"The tokenizer of {model!r} needs a package that is not installed: {error}"
        raise ServiceError("encoder_unavailable", message) from error
    except (RuntimeError, ValueError, OSError) as error:
        raise ServiceError("encoder_unavailable", f"Can't get the tokenizer of {model!r}: {error}") from error


def preprocessing_of(model: Any) -> Preprocessing:
    """Returns how open_clip prepares pictures for this model."""
    facts = open_clip.get_model_preprocess_cfg(model)
    size = facts["size"]
    fill = int(facts.get("fill_color") or 0)
    return Preprocessing(
        size=(size, size) if isinstance(size, int) else (int(size[0]), int(size[1])),
        mean=tuple(facts["mean"]),
        std=tuple(facts["std"]),
        resize=RESIZE[facts.get("resize_mode") or "shortest"],
        interpolation=facts.get("interpolation") or "bicubic",
        fill=(fill, fill, fill),
    )


def dim_of(model: Any) -> int:
    """Returns the length of the model's embeddings, by encoding a blank picture."""
    height, width = preprocessing_of(model).size
    with torch.inference_mode():
        return int(model.encode_image(torch.zeros(1, 3, height, width)).shape[1])


def card_of(model: Any, *, name: str, pretrained: str | None) -> ModelCard:
    """Returns a card for a model that has none: its fingerprint is taken over the loaded weights."""
    digest = hashlib.sha256()
    for key, tensor in sorted(model.state_dict().items()):
        digest.update(key.encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return ModelCard(
        name=name.replace("/", "-"),
        kind="encoder",
        version=Path(pretrained).stem if pretrained else "own",
        license="see the model's source",
        files={"checkpoint": WeightFile(path="", sha256=digest.hexdigest())},
        preprocessing=preprocessing_of(model).to_card(),
        dim=dim_of(model),
    )
