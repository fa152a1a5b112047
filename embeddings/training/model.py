"""Our own CLIP: built by open_clip from a model config, kept as a folder that open_clip can load again."""

import json
from pathlib import Path
from typing import Any

import torch
from open_clip.model import CustomTextCLIP
from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as to_bytes
from torch import nn

import embeddings.backends.shop_mobilenet  # noqa: F401  (makes our own trunk known to timm)
from embeddings.preprocessing import Preprocessing
from shop_search.errors import InputError

CONFIG = Path(__file__).parent / "configs" / "shop_clip.json"
CONFIG_NAME, CHECKPOINT_NAME = "open_clip_config.json", "open_clip_model.safetensors"  # open_clip's own names


def read_config(path: Path = CONFIG) -> dict[str, Any]:
    """Returns an open_clip config: `model_cfg` and `preprocess_cfg`. Raises InputError when it can't be read."""
    try:
        config: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return {"model_cfg": config["model_cfg"], "preprocess_cfg": config["preprocess_cfg"]}
    except (OSError, ValueError, KeyError) as error:
        raise InputError("model_config_unreadable", f"Can't read the model config {path}: {error!r}.") from error


def build(config: dict[str, Any], *, backbone: Path | None = None) -> CustomTextCLIP:
    """Returns the model with random weights, its image trunk started from `backbone` (timm's state of its `net`)."""
    model = CustomTextCLIP(**{key: value for key, value in config["model_cfg"].items() if key != "custom_text"})
    if backbone is not None:
        try:
            trunk_of(model).net.load_state_dict(load_file(backbone))
        except (OSError, RuntimeError, SafetensorError) as error:
            raise InputError("backbone_unreadable", f"{backbone} is no state of the model's trunk: {error}") from error
    return model


def preprocessing_of(config: dict[str, Any]) -> Preprocessing:
    """Returns how the config prepares pictures."""
    facts = config["preprocess_cfg"]
    size = int(config["model_cfg"]["vision_cfg"]["image_size"])
    return Preprocessing(
        size=(size, size), mean=tuple(facts["mean"]), std=tuple(facts["std"]), resize=facts["resize_mode"],
        interpolation=facts["interpolation"],
    )  # fmt: skip


def trunk_of(model: CustomTextCLIP) -> Any:
    """Returns the image tower without its projection."""
    return model.visual.trunk


def projection_of(model: CustomTextCLIP) -> nn.Linear:
    """Returns the linear map from pooled features to embeddings."""
    projection = model.visual.head.proj
    assert isinstance(projection, nn.Linear)
    return projection


def save(model: CustomTextCLIP, config: dict[str, Any], folder: Path) -> None:
    """Writes config and FP16 weights to the folder. What is served and what is trained further are the same numbers."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CONFIG_NAME).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    state = {
        key: (value.half() if value.is_floating_point() else value).contiguous().cpu()
        for key, value in model.state_dict().items()
    }
    (folder / CHECKPOINT_NAME).write_bytes(to_bytes(state))


def load(folder: Path) -> tuple[CustomTextCLIP, dict[str, Any]]:
    """Returns a saved model in float32 and its config. Raises InputError when the folder holds none."""
    config = read_config(folder / CONFIG_NAME)
    model = build(config)
    try:
        state = load_file(folder / CHECKPOINT_NAME)
        model.load_state_dict(
            {key: value.float() if value.is_floating_point() else value for key, value in state.items()}
        )
    except (OSError, RuntimeError, SafetensorError) as error:
        raise InputError("checkpoint_unreadable", f"{folder} holds no checkpoint of its config: {error}") from error
    return model, config


def set_projection(model: CustomTextCLIP, weight: torch.Tensor, bias: torch.Tensor) -> None:
    """Writes (dim, features) and (dim,) into the projection."""
    projection = projection_of(model)
    with torch.no_grad():
        projection.weight.copy_(weight)
        projection.bias.copy_(bias)
