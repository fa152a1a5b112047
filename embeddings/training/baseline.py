"""The plain pretrained trunk as an encoder: what every model of ours must beat."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import timm
from numpy.typing import NDArray
from PIL.Image import Image
from safetensors import SafetensorError
from safetensors.torch import load_file

from embeddings.preprocessing import Preprocessing
from embeddings.training.features import BATCH, Trunk
from shop_search.errors import InputError
from shop_search.model_card import ModelCard, WeightFile, sha256_of

# How timm's weights were evaluated, but for the resize: squashing crops beats cutting them on both models.
PREPROCESSING = Preprocessing(size=(224, 224), mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))


class PlainTrunk:
    """MobileNetV2's pooled 1,280 features, as ImageNet left them. It reads no texts."""

    def __init__(self, weights: Path) -> None:
        net = timm.create_model("mobilenetv2_100", num_classes=0)
        try:
            net.load_state_dict(load_file(weights))
        except (OSError, RuntimeError, SafetensorError) as error:
            raise InputError("backbone_unreadable", f"{weights} is no state of mobilenetv2_100: {error}") from error
        self._trunk = Trunk(net, PREPROCESSING)
        self.card = ModelCard(
            name="plain-mobilenetv2",
            kind="encoder",
            version="imagenet",
            license="Apache-2.0",
            files={"checkpoint": WeightFile(path=str(weights), sha256=sha256_of(weights))},
            preprocessing=PREPROCESSING.to_card(),
            dim=1280,
        )

    def encode_images(self, images: Sequence[Image]) -> NDArray[np.float32]:
        """Returns (n, 1280) float32, unit rows."""
        rows = [self._trunk(images[i : i + BATCH]) for i in range(0, len(images), BATCH)]
        if not rows:
            return np.zeros((0, 1280), np.float32)
        made = np.concatenate(rows)
        return np.asarray(made / np.maximum(np.linalg.norm(made, axis=1, keepdims=True), 1e-12), np.float32)

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Raises InputError: ImageNet's trunk has no text tower."""
        raise InputError("no_text_tower", "The plain trunk reads no texts.")
