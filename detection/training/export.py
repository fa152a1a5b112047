"""A trained checkpoint -> files that can be served: OpenVINO in FP16 or INT8, the stripped checkpoint, and the card."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import openvino as ov
import torch
import ultralytics

from detection.backends.reading import HEAD
from detection.backends.yolo import YOLO
from detection.categories import category_of
from shop_search.errors import InputError
from shop_search.model_card import ModelCard, WeightFile, sha256_of

# Both are ultralytics' order of magnitude, not tuned: at IoU .6 two bags side by side stay two.
IOU = 0.6
MAX_DETECTIONS = 50
CONFIDENCE = 0.25
RUN_NOTES = "training.json"  # what train_detector writes beside its checkpoints


@dataclass(frozen=True, slots=True)
class Origin:
    """What the card says of a model beside its files."""

    name: str = "shop-search-detector"
    version: str = "1"
    data: tuple[str, ...] = ()
    training: Mapping[str, Any] = field(default_factory=dict)
    notes: str = ""


def export(
    weights: Path,
    into: Path,
    *,
    side: int,
    origin: Origin,
    confidence: float = CONFIDENCE,
    calibration: Sequence[Path] = (),
) -> ModelCard:
    """Writes model.xml, model.bin, source.pt and card.json into a folder and returns the card, without metrics.

    The model is FP16; with pictures for calibration, INT8 where that loses nothing (detection.training.quantize).
    Raises InputError when the checkpoint isn't a YOLO with the raw YOLOv8 head, or has a class that is none of ours.
    """
    yolo = YOLO(weights, task="detect")
    classes = tuple(_category(name, weights) for name in yolo.names.values())
    into.mkdir(parents=True, exist_ok=True)
    _strip(yolo, into / "source.pt", side=side)
    model = _convert(yolo, side=side, classes=len(classes))
    if calibration:
        from detection.training.quantize import quantize  # imports nncf: seconds that only this needs

        model = quantize(model, calibration, side=side, head=len(yolo.model.model) - 1)
    ov.save_model(model, into / "model.xml", compress_to_fp16=True)
    card = ModelCard(
        name=origin.name,
        kind="detector",
        version=origin.version,
        license="AGPL-3.0",
        files={
            role: WeightFile(path=name, sha256=sha256_of(into / name))
            for role, name in (("model", "model.xml"), ("model_bin", "model.bin"), ("source", "source.pt"))
        },
        preprocessing={
            "side": side,
            "fill": 114,
            "resize": "letterbox, bilinear with antialiasing",
            "input": "RGB uint8, (1, side, side, 3); scaled by 1/255 in the model",
            "head": HEAD,
            "weights": "int8" if calibration else "fp16",
            "confidence": confidence,
            "iou": IOU,
            "max_detections": MAX_DETECTIONS,
        },
        classes=classes,
        data=origin.data,
        training=origin.training,
        notes=origin.notes,
        folder=into,
    )
    card.save(into / "card.json")
    return card


def with_metrics(card: ModelCard, metrics: Mapping[str, Any]) -> ModelCard:
    """Returns the card with measurements added, and writes it."""
    measured = dataclasses.replace(card, metrics={**card.metrics, **metrics})
    measured.save(card.folder / "card.json")
    return measured


def run_notes(weights: Path) -> dict[str, Any]:
    """Returns what train_detector noted beside a checkpoint: data, rights, command, seed; {} when it noted nothing."""
    path = weights.parent / RUN_NOTES
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}


def _category(name: str, weights: Path) -> str:
    slug = category_of(name)
    if slug is None:
        raise InputError("class_unknown", f"{weights} has a class {name!r} that is no shop category. Train it first.")
    return slug


def _convert(yolo: YOLO, *, side: int, classes: int) -> ov.Model:
    """Returns the network as OpenVINO, in float32, for one RGB picture in [0, 1]."""
    network = yolo.model.float().eval().fuse(verbose=False)
    head = network.model[-1]
    head.export, head.format, head.dynamic = True, "openvino", False
    picture = torch.zeros(1, 3, side, side)
    with torch.no_grad():
        network(picture)  # lets the head lay its anchors for this size before tracing
        traced = torch.jit.trace(network, picture, strict=False, check_trace=False)
    model = ov.convert_model(traced, input=picture.shape, example_input=picture)
    shape = tuple(model.output(0).shape)
    if len(shape) != 3 or shape[1] != 4 + classes:
        raise InputError(
            "head_unknown", f"The network gives {shape}; a raw YOLOv8 head gives (1, {4 + classes}, boxes). Train one."
        )
    return model


def _strip(yolo: YOLO, path: Path, *, side: int) -> None:
    """Writes the checkpoint without optimizer, history, or any path of the machine it was trained on, in FP16.

    Later training starts from it, and the torch backend runs it as the reference.
    """
    network = yolo.model.half().eval()
    network.args = {"imgsz": side, "task": "detect"}
    network.criterion = None
    network.names = dict(enumerate(_category(name, path) for name in yolo.names.values()))
    for attribute in ("pt_path", "yaml_file"):
        if hasattr(network, attribute):
            setattr(network, attribute, "")
    if isinstance(getattr(network, "yaml", None), dict):
        network.yaml = {key: value for key, value in network.yaml.items() if key != "yaml_file"}
    torch.save(
        {"model": network, "train_args": {"imgsz": side, "task": "detect"}, "version": ultralytics.__version__}, path
    )
